"""What people do to incidents: the table of transitions, what each move needs, and what follows from it."""

from __future__ import annotations

from hub.core import abroad, blame, calls, escalation, grouping, ladder, listing, splitting
from hub.core.acts import Disposition, Move, Moved, Stage
from hub.core.context import Context
from hub.core.incident import NEXT, UNRESOLVED, Incident, State
from hub.core.io import NoSuchIncident, NotAllowed
from hub.core.orders import RETRY
from hub.core.rules.base import Took, Verdict

ARCHIVE = "archive:"
FORGET = "forget:"
SYSTEM = "system"
SHARED = (Move.ACCEPT, Move.RESOLVE, Move.REVIEW, Move.ARCHIVE)
"""What is done to a parent is done to its children, as far as their states allow."""
CAUSE_MAX = 512


def move(ctx: Context, item: Moved) -> Verdict:
    """Carry out a move. Raises NoSuchIncident, NotAllowed; then nothing was changed."""
    incident = ctx.tables.incidents.get((ctx.area, item.incident))
    if incident is None:
        raise NoSuchIncident(f"no incident {item.incident} in {ctx.area}")
    reason = refusal(incident, item)
    reason = reason or blame.refusal(ctx, incident, item) or splitting.refusal(ctx, incident, item)
    if reason is not None:
        raise NotAllowed(f"{incident.id}: {reason}")
    _carry_out(ctx, incident, item)
    for child in incident.children if item.move in SHARED else ():
        _share(ctx, child, item)
    return Took((incident.id,), f"{item.move} by {item.by}")


def allowed(state: State) -> list[Move]:
    """What may be done to an incident in this state."""
    return [move for move in Move if (state, move) in NEXT]


def refusal(incident: Incident, item: Moved) -> str | None:
    """Why the move may not be; None when it may."""
    if (incident.state, item.move) not in NEXT:
        others = ", ".join(allowed(incident.state)) or "nothing: it is read-only"
        return f"cannot {item.move} what is {incident.state}; allowed: {others}"
    if not item.by:
        return f"{item.move} needs `by`: who does it"
    if item.move is Move.ASSIGN and not item.to:
        return "assign needs `to`: a person or team"
    if item.move is Move.RESPOND and item.stage is None:
        return f"respond needs `stage`; allowed: {', '.join(Stage)}"
    if item.move is Move.NOTE and not item.note:
        return "note needs `note`"
    if item.move is Move.RESOLVE and item.disposition is None:
        return f"resolve needs `disposition`; allowed: {', '.join(Disposition)}"
    false_alarm = item.move is Move.RESOLVE and item.disposition is Disposition.FALSE_ALARM
    if false_alarm and not (item.cause or item.false_cause):
        return "a false alarm needs `cause`: what set it off"
    if item.cause is not None and len(item.cause) > CAUSE_MAX:
        return f"`cause` has {len(item.cause)} characters; allowed: at most {CAUSE_MAX}"
    if item.move in (Move.REVIEW, Move.SEND_BACK) and item.by == incident.resolved_by:
        return f"{item.by} resolved it; another must {item.move.replace('_', ' ')}"
    return None


def close(ctx: Context, incident: Incident, by: str, why: str) -> None:
    """What a drill made is over with it, however far its people brought it: nobody has to look at it again."""
    if incident.state in UNRESOLVED:
        _carry_out(ctx, incident, Moved(ctx.area, incident.id, Move.RESOLVE, by, disposition=Disposition.TEST), why)
    for move in (Move.REVIEW, Move.ARCHIVE):
        now = ctx.incident(incident.id)
        if (now.state, move) in NEXT:
            _carry_out(ctx, now, Moved(ctx.area, incident.id, move, SYSTEM), why)


def archived(ctx: Context, incident: str) -> Verdict:
    """Reviewed long enough ago: the system archives it."""
    _carry_out(ctx, ctx.incident(incident), Moved(ctx.area, incident, Move.ARCHIVE, SYSTEM))
    return Took((incident,), "archived by the system")


def forgotten(ctx: Context, incident: str) -> Verdict:
    """Archived long enough ago: the desk lets go of it; journal and projections keep it."""
    dossier = ctx.dossier(incident)
    listing.forget_causes(ctx, incident, dossier.marks)
    for order in dossier.orders:
        pending = ctx.tables.orders.get((ctx.area, order))
        if pending is not None:
            ctx.tables.timers.put((ctx.area, RETRY + order), None)
            gateway = (ctx.area, abroad.place_of(ctx, pending.send))
            others = tuple(o for o in ctx.tables.waiting.get(gateway) or () if o != order)
            ctx.tables.waiting.put(gateway, others or None)
        ctx.tables.orders.put((ctx.area, order), None)
    ctx.tables.timers.put((ctx.area, FORGET + incident), None)
    ctx.tables.incidents.put((ctx.area, incident), None)
    ctx.tables.dossiers.put((ctx.area, incident), None)
    return Took((), f"{incident} was archived long ago")


def _share(ctx: Context, child: str, item: Moved) -> None:
    shown = ctx.tables.incidents.get((ctx.area, child))
    if shown is None:
        return
    follows = item.move is Move.RESOLVE and shown.state in UNRESOLVED
    if follows and _still_lost(ctx, shown):
        grouping.alone(ctx, child, f"still not heard: not resolved with {item.incident}")
        return
    if follows or refusal(shown, item) is None:
        _carry_out(ctx, shown, item, f"with {item.incident}")
        for grandchild in shown.children:
            _share(ctx, grandchild, item)


def _still_lost(ctx: Context, incident: Incident) -> bool:
    """A gateway that is not heard is resolved by itself or not at all: else nothing would say so any more."""
    links = (ctx.tables.links.get((ctx.area, gateway)) for gateway in incident.gateways)
    return incident.rule == "gateway_lost" and any(link is not None and not link.up for link in links)


def _carry_out(ctx: Context, incident: Incident, item: Moved, why: str = "") -> None:
    state = State.RESOLVED if item.move is Move.RESOLVE else NEXT[incident.state, item.move]
    ctx.alter(incident.id, state=state)
    if item.move is Move.ACCEPT:
        ctx.alter(incident.id, accepted_by=item.by, accepted_ms=ctx.at_ms)
        ctx.flag(incident.id, escalation.OVERDUE, False)
        escalation.stop(ctx, incident.id)
    elif item.move is Move.ASSIGN:
        ctx.alter(incident.id, assigned_to=item.to)
    elif item.move is Move.RESPOND:
        _respond(ctx, incident, item)
    elif item.move is Move.RESOLVE:
        _resolve(ctx, incident, item)
    elif item.move is Move.SEND_BACK:
        blame.take_back(ctx, incident)
        ctx.alter(incident.id, disposition=None, cause=None, resolved_by=None, resolved_ms=None)
        listing.index(ctx, incident.id)
    elif item.move is Move.REVIEW:
        ctx.tables.timers.put((ctx.area, ARCHIVE + incident.id), ctx.at_ms + ctx.defaults.keeping.archive_ms)
    elif item.move is Move.ARCHIVE:
        ctx.tables.timers.put((ctx.area, ARCHIVE + incident.id), None)
        ctx.tables.timers.put((ctx.area, FORGET + incident.id), ctx.at_ms + ctx.defaults.keeping.forget_ms)
    elif item.move is Move.SILENCE:
        calls.silence(ctx, incident.id)
        ladder.stop(ctx, incident.id)
    elif item.move is Move.SPLIT:
        splitting.split(ctx, incident, item)
    ctx.note(incident.id, _said(item), by=item.by, why=why or item.cause or item.note or item.false_cause or "")


def _said(item: Moved) -> str:
    if item.move is Move.RESPOND:
        return f"{item.move}: {item.stage}" + (f" {item.to}" if item.to else "")
    more = item.to or item.disposition
    return f"{item.move}: {more}" if more else str(item.move)


def _respond(ctx: Context, incident: Incident, item: Moved) -> None:
    assert item.stage is not None
    who = item.to or item.by
    stamps = incident.responders.get(who, {})
    if item.stage not in stamps:
        ctx.alter(incident.id, responders={**incident.responders, who: {**stamps, item.stage: ctx.at_ms}})
    if not incident.responders and incident.going_ms is None:
        calls.coming(ctx, incident.id, item.by)


def _resolve(ctx: Context, incident: Incident, item: Moved) -> None:
    listing.unlist(ctx, incident.id)
    escalation.stop(ctx, incident.id)
    ctx.alter(
        incident.id,
        disposition=item.disposition,
        cause=item.cause,
        resolved_by=item.by,
        resolved_ms=ctx.at_ms,
    )
    if item.disposition is Disposition.FALSE_ALARM:
        blame.blame(ctx, incident, item)
    calls.stand_down(ctx, incident.id)
