"""The four rungs: group and station at once, then the town, then the county, unless somebody accepts in time."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.context import RUNGS, Context
from hub.core.defaults import Accept
from hub.core.incident import Incident, State
from hub.core.rules.base import Took, Verdict
from hub.core.rules.windows import span
from protocol.kinds import Priority

ACCEPT = "accept:"
MUST_LOOK = "must_look"


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
    if shown.state is not State.REPORTED or covered(ctx, shown) or rung >= len(allowed):
        return
    timer = (ctx.area, ACCEPT + incident)
    running = ctx.tables.timers.get(timer)
    due_ms = ctx.at_ms + allowed[rung] // ctx.defaults.levels.normal
    ctx.tables.timers.put(timer, due_ms if running is None else min(running, due_ms))


def covered(ctx: Context, incident: Incident) -> bool:
    """Whether a parent escalates for it: one that is no less urgent, or that it has become one with."""
    parent = ctx.tables.incidents.get((ctx.area, incident.parent)) if incident.parent is not None else None
    return parent is not None and (parent.priority <= incident.priority or parent.rule == incident.rule)


def stop(ctx: Context, incident: str) -> None:
    """It was accepted, or somebody else escalates for it."""
    ctx.tables.timers.put((ctx.area, ACCEPT + incident), None)


def climb(ctx: Context, incident: str) -> Verdict:
    """Nobody accepted in time: the next rung is told."""
    shown = ctx.incident(incident)
    rung = RUNGS.index(shown.rung)
    allowed = limits(ctx.defaults.accept, shown)
    limit_ms = allowed[min(rung, len(allowed) - 1)] // ctx.defaults.levels.normal
    why = f"not accepted in {span(limit_ms)}: {shown.why}"
    stop(ctx, incident)
    ctx.alter(incident, rung=RUNGS[rung + 1])
    ctx.page(incident, why, RUNGS[rung + 1])
    start(ctx, incident)
    return Took((incident,), why)
