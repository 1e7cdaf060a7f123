"""The four rungs: group and station at once, then the town, then the county, unless somebody accepts in time."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.context import RUNGS, Context
from hub.core.defaults import Accept
from hub.core.incident import Incident, State
from hub.core.plan import Level, divisor, level_of
from hub.core.rules.base import Took, Verdict
from hub.core.rules.windows import span
from protocol.kinds import Priority

ACCEPT = "accept:"
MUST_LOOK = "must_look"
OVERDUE = "overdue"
"""The condition of an incident that nobody accepted in time, until somebody does."""


def limits(accept: Accept, incident: Incident) -> Sequence[int]:
    """Time to accept at the station, and at the town, in ms; fewer limits, fewer rungs."""
    if MUST_LOOK in incident.conditions:
        return accept.must_look
    by_priority = {Priority.P1: accept.p1, Priority.P2: accept.p2, Priority.P3: accept.p3, Priority.P4: accept.p4}
    return by_priority[incident.priority]


def start(ctx: Context, incident: str) -> None:
    """Run the limit of the rung it stands on, if there is one; a limit that already runs and ends sooner stays."""
    shown = ctx.incident(incident)
    allowed = limits(ctx.defaults.accept, shown)
    rung = RUNGS.index(shown.rung)
    if shown.state is not State.REPORTED or covered(ctx, shown) or rung >= len(allowed) or shown.withheld:
        return
    races, limit_ms = ctx.dossier(incident).races, allowed[rung]
    if not races and (level := _level(ctx)) is not Level.NORMAL:
        words = f"to be accepted in {span(limit_ms // divisor(ctx.defaults.levels, level))}"
        ctx.note(incident, f"response level {level}", why=words)
    if all(limit_ms < other_ms for _, other_ms in races):
        ctx.file(incident, races=(*races, (ctx.at_ms, limit_ms)))
    run(ctx, incident)


def run(ctx: Context, incident: str) -> int | None:
    """Set its timer by the limits that run, as the level has them now; gives when it comes, None where none runs."""
    by = divisor(ctx.defaults.levels, _level(ctx))
    due_ms = min((began_ms + limit_ms // by for began_ms, limit_ms in ctx.dossier(incident).races), default=None)
    if due_ms is None:
        return None
    due_ms = max(due_ms, ctx.at_ms)
    ctx.tables.timers.put((ctx.area, ACCEPT + incident), due_ms)
    return due_ms


def _level(ctx: Context) -> Level:
    return level_of(ctx.tables.levels.get((ctx.area,)))


def covered(ctx: Context, incident: Incident) -> bool:
    """Whether a parent escalates for it: one that is told, and no less urgent, or that it has become one with."""
    parent = ctx.tables.incidents.get((ctx.area, incident.parent)) if incident.parent is not None else None
    if parent is None or parent.rule == incident.rule:
        return parent is not None
    return parent.withheld is None and parent.priority <= incident.priority


def stop(ctx: Context, incident: str) -> None:
    """It was accepted, or somebody else escalates for it."""
    ctx.tables.timers.put((ctx.area, ACCEPT + incident), None)
    ctx.file(incident, races=())


def climb(ctx: Context, incident: str) -> Verdict:
    """Nobody accepted in time: the next rung is told, and it is on the supervisor's list until somebody does. Of a P4,
    which pages nobody when it is raised, the station that let it lie is told too."""
    shown = ctx.incident(incident)
    rung = RUNGS.index(shown.rung)
    allowed = limits(ctx.defaults.accept, shown)
    limit_ms = allowed[min(rung, len(allowed) - 1)] // divisor(ctx.defaults.levels, _level(ctx))
    ctx.flag(incident, OVERDUE)
    return _up(ctx, shown, f"not accepted in {span(limit_ms)}: {shown.why}")


def hurry(ctx: Context, incident: str, why: str) -> None:
    """The next rung is told now: there is no help to wait for below it."""
    shown = ctx.incident(incident)
    if shown.state is State.REPORTED and not covered(ctx, shown) and shown.rung is not RUNGS[-1]:
        _up(ctx, shown, f"{why}: {shown.why}")


def _up(ctx: Context, shown: Incident, why: str) -> Verdict:
    rung = RUNGS[RUNGS.index(shown.rung) + 1]
    stop(ctx, shown.id)
    ctx.alter(shown.id, rung=rung)
    ctx.page(shown.id, why, *((shown.rung, rung) if shown.priority is Priority.P4 else (rung,)))
    start(ctx, shown.id)
    return Took((shown.id,), why)
