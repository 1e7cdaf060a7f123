"""The nightly proof at the desk: a test record marked as a drill becomes an incident and a page, and is whole when the
notice has come to the last step before the outside. 25 h without a whole one is a fault of its gateway.

The incident lives until then and is nobody's work: it is not told to control rooms, and nothing of it stays.
"""

from __future__ import annotations

from msgspec.structs import replace

from hub.core import conditions, escalation, listing, moves
from hub.core.context import Context
from hub.core.effects import Rung
from hub.core.proof import Proof
from hub.core.raising import raised, scope_of
from hub.core.rules import reader
from hub.core.rules.base import UNPROVED, Ignored, Mark, Rule, Took, Verdict
from hub.core.rules.proof import NAME
from hub.core.rules.windows import span
from hub.core.trials import Proved

DEADLINE, NOTICE = "unproved:", "proving:"
AWAY_MS = 3_600_000
"""A deadline that comes so late found no hub: nobody could have proved anything to it, so each gets one time more."""


def know(ctx: Context, gateway: str) -> Proof:
    """The gateway is known from now on, if it was not: its time runs."""
    key = (ctx.area, gateway)
    known = ctx.tables.proofs.get(key)
    if known is None:
        known = Proof(ctx.at_ms)
        ctx.tables.proofs.put(key, known)
        ctx.tables.timers.put((ctx.area, DEADLINE + gateway), ctx.at_ms + ctx.defaults.proof.fault_ms)
    return known


def came(ctx: Context, mark: Mark, drill: bool) -> Verdict:
    """A test record: one that is marked as a drill, and young, begins a proof."""
    known = know(ctx, mark.gateway)
    if not drill:
        return Ignored("a test raises nothing")
    if (reason := _none(ctx, mark)) is not None:
        ctx.tables.proofs.put((ctx.area, mark.gateway), replace(known, trouble=reason, trouble_ms=ctx.at_ms))
        return Ignored(reason)
    verdict = raised(ctx, mark, drill=True)
    assert isinstance(verdict, Took), "its rule takes every mark"
    incident = verdict.incidents[0]
    if incident != known.incident:
        escalation.stop(ctx, incident)
        ctx.page(incident, ctx.incident(incident).why, Rung.STATION)
        ctx.tables.timers.put((ctx.area, NOTICE + incident), ctx.at_ms + ctx.defaults.proof.notice_ms)
        ctx.tables.proofs.put((ctx.area, mark.gateway), replace(known, incident=incident))
    ctx.changes.pop(incident, None)
    return verdict


def proved(ctx: Context, item: Proved) -> Verdict:
    """Its notice came as far as it may, or did not."""
    found = ctx.tables.incidents.get((ctx.area, item.incident))
    if found is None or found.rule != NAME:
        return Ignored(f"no proof {item.incident} is under way", effective=False)
    gateway = found.gateways[0]
    known = know(ctx, gateway)
    _over(ctx, item.incident)
    if item.why and not item.reached:
        return _failed(ctx, gateway, known, item.why)
    now = Proof(
        known.known_ms,
        proved_ms=found.event_ms,
        way_ms=found.late_ms,
        commit_ms=item.commit_ms,
        notice_ms=item.notice_ms,
        told=item.reached,
        trouble=item.why,
        trouble_ms=ctx.at_ms if item.why else None,
    )
    ctx.tables.proofs.put((ctx.area, gateway), now)
    ctx.tables.timers.put((ctx.area, DEADLINE + gateway), found.event_ms + ctx.defaults.proof.fault_ms)
    return Took(tuple(_cleared(ctx, gateway)), f"{gateway} has proved itself")


def gave_up(ctx: Context, incident: str) -> Verdict:
    """The notice of a proof did not come through in its time."""
    gateway = ctx.incident(incident).gateways[0]
    _over(ctx, incident)
    return _failed(ctx, gateway, know(ctx, gateway), "its notice did not come through")


def missing(ctx: Context, gateway: str) -> Verdict:
    """No whole proof in its time: a fault, told again after as long if somebody resolved it meanwhile."""
    known, timer = ctx.tables.proofs.get((ctx.area, gateway)), (ctx.area, DEADLINE + gateway)
    due_ms = ctx.tables.timers.get(timer)
    assert due_ms is not None
    if known is None or (ctx.area, gateway) not in ctx.registry.gateways:
        ctx.tables.timers.put(timer, None)
        ctx.tables.proofs.put((ctx.area, gateway), None)
        return Ignored(f"{gateway} left the registry")
    ctx.tables.timers.put(timer, ctx.at_ms + ctx.defaults.proof.fault_ms)
    if ctx.at_ms - due_ms > AWAY_MS:
        return Ignored(f"the hub was away: {gateway} could not prove itself to it")
    return raised(ctx, _fault(ctx, gateway, known), drill=False)


def _fault(ctx: Context, gateway: str, known: Proof) -> Mark:
    age = span(ctx.at_ms - known.since_ms)
    words = f"none in the {age} that it is known" if known.proved_ms is None else f"the last one {age} ago"
    detail = f"{words}; {known.trouble}" if known.trouble else words
    return Mark(ctx.at_ms, f"{gateway}/unproved/{ctx.at_ms}", UNPROVED, gateway, late_ms=0, detail=detail)


def _none(ctx: Context, mark: Mark) -> str | None:
    """Why a record proves nothing of now; None when it does."""
    twins = ctx.tables.twins.get((ctx.area, mark.gateway))
    if twins is not None and mark.ident.split("/")[1] in twins.seconds:
        return "a proof of a second gateway under this name"
    if mark.late_ms is None:
        return "a proof of unknown age"
    if mark.late_ms > ctx.defaults.proof.fresh_ms:
        return f"a proof that came {span(mark.late_ms)} late"
    return None


def _over(ctx: Context, incident: str) -> None:
    """Nothing of it is left for anybody to look at or to do."""
    ctx.tables.timers.put((ctx.area, NOTICE + incident), None)
    listing.unlist(ctx, incident)
    escalation.stop(ctx, incident)
    moves.forgotten(ctx, incident)


def _failed(ctx: Context, gateway: str, known: Proof, why: str) -> Verdict:
    now = replace(known, incident=None, trouble=why, trouble_ms=ctx.at_ms)
    ctx.tables.proofs.put((ctx.area, gateway), now)
    return Took((), f"{gateway} has not proved itself: {why}")


def _cleared(ctx: Context, gateway: str) -> list[str]:
    """The fault is over; whoever looks into it resolves it."""
    rule = reader(UNPROVED)
    assert isinstance(rule, Rule)
    end = Mark(ctx.at_ms, "", UNPROVED, gateway)
    found = [
        one
        for one in ctx.tables.open.get((ctx.area, scope_of(ctx, rule, end, drill=False))) or ()
        if conditions.concerns(ctx, one, end)
    ]
    for incident in found:
        ctx.flag(incident, "restored")
        ctx.note(incident, "end of unproved", why=f"{gateway} has proved itself")
    return found
