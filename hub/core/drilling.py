"""Drills at the desk: planned, started, measured, and ended without anything left to do.

A drill goes through the very rules, calls and escalation that the real thing would; all it makes is marked as a drill,
and what is marked so leaves nothing for the outside. The real thing always wins: it is never marked, and it breaks off
every drill among the people it calls.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hub.core import drill_plans, moves
from hub.core.context import Context
from hub.core.drill import Drill, DrillState, reported
from hub.core.effects import Effect, Send
from hub.core.incident import UNRESOLVED, Incident
from hub.core.io import NotAllowed
from hub.core.raising import raised
from hub.core.rules.base import Mark, Took, Verdict
from hub.core.rules.windows import several, span
from hub.core.trials import Drilled, DrillMove, DrillMoved, DrillPlanned
from protocol.kinds import Priority
from protocol.messages import Action

TIMER = "drill:"
MISSED_MS = 600_000
"""A planned start that comes so late is none: nobody expects it any more."""


def planned(ctx: Context, item: DrillPlanned) -> Verdict:
    """Plan a drill, and start it where its time is now. Raises NotAllowed; then nothing was changed."""
    faults = [] if ctx.replayed else list(drill_plans.faults(ctx, item))
    if faults:
        raise NotAllowed(f"drill in {ctx.area}: {'; '.join(faults)}")
    heads = (drill_plans.head_of(ctx, group) for group in item.groups)
    premises = several([*item.premises, *heads])
    at_ms = ctx.at_ms if item.at_ms is None else item.at_ms
    drill = Drill(
        item.drill, ctx.area, item.kind, premises, item.by, item.why, ctx.at_ms, at_ms, item.lasts_ms, item.groups
    )
    now = at_ms <= ctx.at_ms
    if now and not ctx.replayed and (reason := _hindered(ctx, drill)) is not None:
        raise NotAllowed(f"drill in {ctx.area}: {reason}")
    drill_plans.keep(ctx, drill)
    if now:
        return _start(ctx, drill, item.by, item.why)
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), at_ms)
    _tell(ctx, drill)
    return Took((), f"drill {drill.id} planned by {item.by}")


def moved(ctx: Context, item: DrillMoved) -> Verdict:
    """Start, end or break off. Raises NotAllowed; then nothing was changed."""
    drill = ctx.tables.drills.get((ctx.area, item.drill))
    if drill is None:
        raise NotAllowed(f"no drill {item.drill} in {ctx.area}")
    if not item.by or not item.why:
        raise NotAllowed(f"drill {drill.id}: needs `by` and `why`: who does it, and for what reason")
    allowed = {
        DrillState.PLANNED: (DrillMove.START, DrillMove.ABORT),
        DrillState.RUNNING: (DrillMove.END, DrillMove.ABORT),
    }
    if item.move not in allowed.get(drill.state, ()):
        others = ", ".join(allowed.get(drill.state, ())) or "nothing: it is over"
        raise NotAllowed(f"drill {drill.id}: cannot {item.move} what is {drill.state}; allowed: {others}")
    if item.move is DrillMove.START:
        if not ctx.replayed and (reason := _hindered(ctx, drill)) is not None:
            raise NotAllowed(f"drill {drill.id}: {reason}")
        return _start(ctx, drill, item.by, item.why)
    state = DrillState.ENDED if item.move is DrillMove.END else DrillState.ABORTED
    return _over(ctx, drill, state, item.by, item.why)


def come(ctx: Context, name: str) -> Verdict:
    """Its planned time, or the end of its time."""
    drill = ctx.tables.drills.get((ctx.area, name))
    assert drill is not None, name
    if drill.state is DrillState.RUNNING:
        assert drill.started_ms is not None
        return _over(ctx, drill, DrillState.ENDED, reason=f"its {span(drill.lasts_ms)} are over")
    if ctx.at_ms - drill.at_ms > MISSED_MS:
        late = span(ctx.at_ms - drill.at_ms)
        return _over(ctx, drill, DrillState.MISSED, reason=f"the hub was away until {late} after its time")
    if (reason := _hindered(ctx, drill)) is not None:
        return _over(ctx, drill, DrillState.ABORTED, reason=reason)
    return _start(ctx, drill, drill.by, drill.why)


def attend(ctx: Context) -> None:
    """What a step did to incidents, looked at for the drills that run: the real thing breaks them off, and one whose
    incidents are all resolved is over."""
    if not (running := ctx.tables.drilling.get((ctx.area,))):
        return
    for incident in list(ctx.changes):
        shown = ctx.tables.incidents.get((ctx.area, incident))
        if shown is None:
            continue
        for name in running:
            drill = ctx.tables.drills.get((ctx.area, name))
            if drill is None or drill.state is not DrillState.RUNNING:
                continue
            if shown.drill and incident in drill.incidents:
                _went_on(ctx, drill)
            elif _wins(ctx, shown, drill):
                _broken_off(ctx, drill, shown)


def _went_on(ctx: Context, drill: Drill) -> None:
    """Its own incident changed: all of it may be resolved, or it may have come to call people who are busy."""
    for group in sorted(_groups(ctx, _people(ctx, drill))):
        for incident in ctx.tables.open.get((ctx.area, f"in {group}")) or ():
            if _wins(ctx, ctx.incident(incident), drill):
                _broken_off(ctx, drill, ctx.incident(incident))
                return
    if all(one.state not in UNRESOLVED for one in _incidents(ctx, drill)):
        _over(ctx, drill, DrillState.ENDED, reason="all of it is resolved")


def _broken_off(ctx: Context, drill: Drill, real: Incident) -> None:
    ctx.effects[:] = [one for one in ctx.effects if not _rings(one, drill)]
    ctx.note(real.id, f"drill {drill.id} was broken off for it")
    what = f"a real {real.rule} at {', '.join(real.premises)}"
    _over(ctx, drill, DrillState.ABORTED, reason=f"{what}: {real.id}")


def _rings(effect: Effect, drill: Drill) -> bool:
    """What this very step was to ring for the drill."""
    return isinstance(effect, Send) and effect.action is Action.SIREN and effect.incident in drill.incidents


def _start(ctx: Context, drill: Drill, by: str, why: str) -> Verdict:
    found: list[str] = []
    for number, premises in enumerate(drill.premises, 1):
        gateway = ctx.registry.gateway_of(ctx.area, premises)
        if gateway is None:
            continue  # it moved away since the plan
        ident, key = f"{gateway}/{drill.id}/{number}", f"{drill.id}-{number}"
        mark = Mark(ctx.at_ms, ident, drill.kind, gateway, premises, key=key, late_ms=0, priority=Priority.P1)
        verdict = raised(ctx, mark, drill=True)
        found += verdict.incidents if isinstance(verdict, Took) else ()
    incidents = several(found)
    if not incidents:
        return _over(ctx, drill, DrillState.ABORTED, by, why, "none of its premises is in the registry any more")
    for incident in incidents:
        ctx.note(incident, f"drill {drill.id}", by=by, why=why)
    state = DrillState.RUNNING
    now = replace(drill, state=state, started_ms=ctx.at_ms, moved_by=by, moved_why=why, incidents=incidents)
    ctx.tables.drills.put((ctx.area, drill.id), now)
    _tell(ctx, now)
    ctx.tables.drilling.put((ctx.area,), (*(ctx.tables.drilling.get((ctx.area,)) or ()), drill.id))
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), ctx.at_ms + drill.lasts_ms)
    return Took(tuple(incidents), f"drill {drill.id} started")


def _over(ctx: Context, drill: Drill, state: DrillState, by: str = "", why: str = "", reason: str = "") -> Verdict:
    """It is over: what it showed is kept, everyone who was called is stood down, and nobody has to look at it."""
    report = reported(drill, _incidents(ctx, drill), ctx.at_ms)
    now = replace(drill, state=state, ended_ms=ctx.at_ms, moved_by=by, moved_why=why, reason=reason, report=report)
    ctx.tables.drills.put((ctx.area, drill.id), now)
    _tell(ctx, now)
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), None)
    others = tuple(one for one in ctx.tables.drilling.get((ctx.area,)) or () if one != drill.id)
    ctx.tables.drilling.put((ctx.area,), others or None)
    for incident in _incidents(ctx, drill):
        moves.close(ctx, incident, by or moves.SYSTEM, f"drill {drill.id} {state}")
    return Took(tuple(drill.incidents), f"drill {drill.id} {state}" + (f": {reason}" if reason else ""))


def _tell(ctx: Context, drill: Drill) -> None:
    ctx.effects.append(Drilled(ctx.area, drill.id, drill.state.value, drill.reason))


def _wins(ctx: Context, real: Incident, drill: Drill) -> bool:
    """Whether something real calls among the people of a drill. What is silent must show nowhere: it ends none."""
    if real.drill or real.silent or real.priority > Priority.P2 or real.state not in UNRESOLVED:
        return False
    here = {*real.premises, *ctx.dossier(real.id).called}
    return bool(here & _people(ctx, drill) or _groups(ctx, real.premises) & _groups(ctx, drill.premises))


def _hindered(ctx: Context, drill: Drill) -> str | None:
    """Why it cannot start now; None when it can."""
    for name in ctx.tables.drilling.get((ctx.area,)) or ():
        other = ctx.tables.drills.get((ctx.area, name))
        if other is not None and _groups(ctx, other.premises) & _groups(ctx, drill.premises):
            return f"drill {name} runs in the same group"
    near = _groups(ctx, drill.premises)
    for group in sorted(near):
        for incident in ctx.tables.open.get((ctx.area, f"in {group}")) or ():
            real = ctx.incident(incident)
            if _wins(ctx, real, drill):
                return f"a real {real.rule} at {', '.join(real.premises)} is open: {incident}"
    return None


def _groups(ctx: Context, premises: Iterable[str]) -> set[str]:
    return {group for one in premises for group in ctx.registry.groups_of(ctx.area, one)}


def _people(ctx: Context, drill: Drill) -> set[str]:
    """Those who take part: where it happens, and who was called."""
    return {*drill.premises, *(one for name in drill.incidents for one in _called(ctx, name))}


def _called(ctx: Context, incident: str) -> tuple[str, ...]:
    dossier = ctx.tables.dossiers.get((ctx.area, incident))
    return () if dossier is None else dossier.called


def _incidents(ctx: Context, drill: Drill) -> list[Incident]:
    found = (ctx.tables.incidents.get((ctx.area, name)) for name in drill.incidents)
    return [one for one in found if one is not None]
