"""Who is called, and told that it is over. Neighbours are called by the sirens of all other premises of the group."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core import abroad, orders
from hub.core.context import Context
from hub.core.effects import Rung, Send, StoodDown
from hub.core.incident import NOBODY_CAN, UNRESOLVED, Call, Incident
from hub.core.registry import Group
from hub.core.rules import named
from hub.core.rules.base import Grade, Reach, Rule
from hub.core.rules.windows import several, span
from protocol.kinds import Priority
from protocol.messages import Action, Outcome


def silent(rule: str) -> bool:
    """Whether nothing may show at the premises."""
    found = named(rule)
    return isinstance(found, Rule) and found.silent


def neighbours(ctx: Context, incident: str, reach: Reach) -> list[str]:
    """Every other member of the groups of the incident's premises, and of their adjacent groups when asked,
    those of other areas too."""
    shown, own = ctx.incident(incident), groups_of(ctx, incident)
    groups, far = own, []
    if reach is Reach.ADJACENT:
        named_groups = [group.id for group in own]
        near = several(name for group in own for name in group.adjacent if name not in named_groups)
        groups = own + [known for name in near if (known := ctx.registry.groups.get((ctx.area, name))) is not None]
        far = abroad.members_beyond(ctx, own)
    members = several([*(member for group in groups for member in group.members), *far])
    return [member for member in members if member not in shown.premises]


def groups_of(ctx: Context, incident: str) -> list[Group]:
    """The groups of the incident's premises."""
    homes = ctx.incident(incident).premises
    names = several(group for premises in homes for group in ctx.registry.groups_of(ctx.area, premises))
    return [known for name in names if (known := ctx.registry.groups.get((ctx.area, name))) is not None]


def call(ctx: Context, incident: str, grade: Grade) -> None:
    """Call who is due and not called yet, or say why nobody is."""
    shown = ctx.incident(incident)
    reason = _not_called(ctx, incident, grade)
    if reason is not None:
        if not ctx.dossier(incident).called and shown.calling != reason:
            ctx.alter(incident, calling=reason)
            if grade.priority is Priority.P1:
                ctx.note(incident, reason)
        return
    dossier = ctx.dossier(incident)
    due = [
        member
        for member in neighbours(ctx, incident, grade.reach)
        if member not in dossier.called or (member in shown.calls and shown.calls[member].outcome is Outcome.FAILED)
    ]
    if not due:
        if not dossier.called:
            ctx.alter(incident, calling="nobody called: there are no other members")
        return
    first = not dossier.called
    ring(ctx, incident, due, grade.why)
    if grade.reach is Reach.ADJACENT:
        _tell_out_of_reach(ctx, incident)
    if first:
        ctx.page(incident, grade.why, Rung.GROUP)


def widen(ctx: Context, incident: str, why: str) -> None:
    """Call the adjacent groups too, though it is not young any more: it was when its own group was called."""
    called = ctx.dossier(incident).called
    if due := [member for member in neighbours(ctx, incident, Reach.ADJACENT) if member not in called]:
        ring(ctx, incident, due, why)
        ctx.page(incident, why, Rung.STATION)
    else:
        ctx.note(incident, "no adjacent groups to call", why=why)
    _tell_out_of_reach(ctx, incident)


def _tell_out_of_reach(ctx: Context, incident: str) -> None:
    """Once for each group that should be called, and is another hub's."""
    said = {line.what for line in ctx.incident(incident).history}
    for name in abroad.out_of_reach(ctx, groups_of(ctx, incident)):
        area, _ = abroad.key_of(ctx.area, name)
        known = area in ctx.registry.areas
        why = f"area {area} has no such group here" if known else f"area {area} is not of this hub"
        if (what := f"adjacent group {name} not called") not in said:
            ctx.note(incident, what, why=f"{why}: tell its station")


def ring(ctx: Context, incident: str, who: Sequence[str], why: str) -> None:
    """Order the sirens of these premises, called before or not."""
    sent = orders.send(ctx, incident, Action.SIREN, who, ctx.defaults.calls.expires_ms, ctx.defaults.calls.siren_ms)
    calls = dict(ctx.incident(incident).calls)
    for order in sent:
        named_here = abroad.members_of(ctx, order)
        calls |= {member: _call(ctx, incident, order, member) for member in named_here}
    ctx.file(incident, called=tuple(several([*ctx.dossier(incident).called, *who])))
    ctx.flag(incident, NOBODY_CAN, False)
    ctx.alter(incident, calls=calls, calling=f"neighbours called: {why}")
    ctx.note(incident, f"called {', '.join(who)}", why=why)


def _call(ctx: Context, incident: str, order: Send, member: str) -> Call:
    """Called now; what was answered before is still said."""
    said = ctx.incident(incident).answers.get(member)
    answer = (None, None) if said is None else (said.answer, said.at_ms)
    return Call(member, order.gateway, order.order, ctx.at_ms, answer=answer[0], answered_ms=answer[1])


def coming(ctx: Context, incident: str, by: str) -> None:
    """Somebody is coming: told by the lamp of the house that called, never where silence is kept."""
    shown = ctx.incident(incident)
    if not silent(shown.rule) and shown.premises:
        orders.send(ctx, incident, Action.COMING, shown.premises, ctx.defaults.calls.expires_ms)
        ctx.note(incident, "the house is told that somebody is coming", by=by)


def silence(ctx: Context, incident: str) -> None:
    """Stop the sirens that sound for it."""
    if not silent(ctx.incident(incident).rule):
        who = several([*ctx.incident(incident).premises, *ctx.dossier(incident).called])
        orders.withdraw(ctx, incident)
        orders.send(ctx, incident, Action.SILENCE, who, ctx.defaults.calls.stand_down_expires_ms)


def stand_down(ctx: Context, incident: str) -> None:
    """It is over: silence, and word to everyone who was called or has answered and to the house itself, by every way
    they were called; a child leaves that to its unresolved parent."""
    shown = ctx.incident(incident)
    if silent(shown.rule) or _in_parents_hands(ctx, shown):
        return
    silence(ctx, incident)
    who = several([*shown.premises, *_rang_alone(ctx, incident), *ctx.dossier(incident).called, *shown.answers])
    if who:
        why = str(shown.disposition or "cancelled")
        ctx.effects.append(StoodDown(ctx.area, incident, tuple(who), why, shown.drill))
        orders.send(ctx, incident, Action.STAND_DOWN, who, ctx.defaults.calls.stand_down_expires_ms)
        ctx.file(incident, called=(), ladder=0)
        ctx.note(incident, f"stood down {', '.join(who)}")


def _in_parents_hands(ctx: Context, incident: Incident) -> bool:
    parent = ctx.tables.incidents.get((ctx.area, incident.parent)) if incident.parent else None
    return parent is not None and parent.state in UNRESOLVED


def _rang_alone(ctx: Context, incident: str) -> list[str]:
    """Members whom their own gateway rang though the hub called nobody (a late panic, fire or gas)."""
    rule = named(ctx.incident(incident).rule)
    if not isinstance(rule, Rule) or rule.name not in ("panic", "fire", "gas"):
        return []
    own = set(ctx.incident(incident).gateways)
    return [
        member for member in neighbours(ctx, incident, Reach.GROUP) if ctx.registry.gateway_of(ctx.area, member) in own
    ]


def _not_called(ctx: Context, incident: str, grade: Grade) -> str | None:
    shown = ctx.incident(incident)
    if silent(shown.rule):
        return "nobody called: it is silent"
    if grade.reach is Reach.NOBODY:
        return f"nobody called: {grade.priority.name} {shown.rule} is for the operators"
    if not any(ctx.registry.groups_of(ctx.area, premises) for premises in shown.premises):
        return "nobody called: in no group"
    if _in_parents_hands(ctx, shown):
        return f"nobody called for it alone: {shown.parent} calls"
    known = [mark for mark in ctx.dossier(incident).marks if mark.late_ms is not None]
    if not known:
        return "nobody called: its age is unknown"
    youngest_ms = ctx.at_ms - max(mark.event_ms for mark in known)
    if youngest_ms >= ctx.defaults.lateness.ring_ms:
        return f"nobody called: late by {span(youngest_ms)}"
    return None
