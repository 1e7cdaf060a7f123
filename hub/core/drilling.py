"""Drills at the desk: planned, started, measured, and ended without anything left to do.

A drill goes through the very rules, calls and escalation that the real thing would; all it makes is marked as a drill,
and what is marked so leaves nothing for the outside. The real thing always wins: it is never marked, and it breaks off
every drill among the people it calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from hub.core import moves
from hub.core.context import Context
from hub.core.drill import Drill, DrillState, reported
from hub.core.incident import UNRESOLVED, Incident
from hub.core.io import NotAllowed
from hub.core.raising import raised
from hub.core.rules.base import Mark, Took, Verdict
from hub.core.rules.windows import several, span
from hub.core.trials import DrillMove, DrillMoved, DrillPlanned
from protocol.kinds import Kind, Priority

TIMER = "drill:"
KINDS = (Kind.PANIC, Kind.FIRE, Kind.GAS)
"""What a drill may be of: what calls neighbours at once."""
PREMISES_MAX = 20
LASTS_MS = (60_000, 4 * 3_600_000)
AHEAD_MS = 366 * 24 * 3_600_000
OPEN_MAX = 32
"""Drills of an area that are planned or run; one more is refused."""
KEPT_MAX = 200
"""Drills remembered of an area; the oldest that is over goes first (the journal has all)."""
MISSED_MS = 600_000
"""A planned start that comes so late is none: nobody expects it any more."""
OPEN = (DrillState.PLANNED, DrillState.RUNNING)


def planned(ctx: Context, item: DrillPlanned) -> Verdict:
    """Plan a drill, and start it where its time is now. Raises NotAllowed; then nothing was changed."""
    faults = [] if ctx.replayed else list(_faults(ctx, item))
    if faults:
        raise NotAllowed(f"drill in {ctx.area}: {'; '.join(faults)}")
    heads = (_head(ctx, group) for group in item.groups)
    premises = several([*item.premises, *heads])
    at_ms = ctx.at_ms if item.at_ms is None else item.at_ms
    drill = Drill(
        item.drill, ctx.area, item.kind, premises, item.by, item.why, ctx.at_ms, at_ms, item.lasts_ms, item.groups
    )
    now = at_ms <= ctx.at_ms
    if now and not ctx.replayed and (reason := _hindered(ctx, drill)) is not None:
        raise NotAllowed(f"drill in {ctx.area}: {reason}")
    _keep(ctx, drill)
    if now:
        return _start(ctx, drill, item.by, item.why)
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), at_ms)
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
                _resolved(ctx, drill)
            elif _wins(ctx, shown, drill):
                what = f"a real {shown.rule} at {', '.join(shown.premises)}"
                ctx.note(incident, f"drill {drill.id} was broken off for it")
                _over(ctx, drill, DrillState.ABORTED, reason=f"{what}: {incident}")


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
    ctx.tables.drilling.put((ctx.area,), (*(ctx.tables.drilling.get((ctx.area,)) or ()), drill.id))
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), ctx.at_ms + drill.lasts_ms)
    return Took(tuple(incidents), f"drill {drill.id} started")


def _over(ctx: Context, drill: Drill, state: DrillState, by: str = "", why: str = "", reason: str = "") -> Verdict:
    """It is over: what it showed is kept, everyone who was called is stood down, and nobody has to look at it."""
    report = reported(drill, _incidents(ctx, drill), ctx.at_ms)
    now = replace(drill, state=state, ended_ms=ctx.at_ms, moved_by=by, moved_why=why, reason=reason, report=report)
    ctx.tables.drills.put((ctx.area, drill.id), now)
    ctx.tables.timers.put((ctx.area, TIMER + drill.id), None)
    others = tuple(one for one in ctx.tables.drilling.get((ctx.area,)) or () if one != drill.id)
    ctx.tables.drilling.put((ctx.area,), others or None)
    for incident in _incidents(ctx, drill):
        moves.close(ctx, incident, by or moves.SYSTEM, f"drill {drill.id} {state}")
    return Took(tuple(drill.incidents), f"drill {drill.id} {state}" + (f": {reason}" if reason else ""))


def _resolved(ctx: Context, drill: Drill) -> None:
    incidents = _incidents(ctx, drill)
    if all(one.state not in UNRESOLVED for one in incidents):
        _over(ctx, drill, DrillState.ENDED, reason="all of it is resolved")


def _wins(ctx: Context, real: Incident, drill: Drill) -> bool:
    """Whether something real calls among the people of a drill. What is silent must show nowhere: it ends none."""
    if real.drill or real.silent or real.priority > Priority.P2 or real.state not in UNRESOLVED:
        return False
    here = {*real.premises, *ctx.dossier(real.id).called}
    taken = {*drill.premises, *(one for name in drill.incidents for one in _called(ctx, name))}
    return bool(here & taken or _groups(ctx, real.premises) & _groups(ctx, drill.premises))


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


def _called(ctx: Context, incident: str) -> tuple[str, ...]:
    dossier = ctx.tables.dossiers.get((ctx.area, incident))
    return () if dossier is None else dossier.called


def _incidents(ctx: Context, drill: Drill) -> list[Incident]:
    found = (ctx.tables.incidents.get((ctx.area, name)) for name in drill.incidents)
    return [one for one in found if one is not None]


def _keep(ctx: Context, drill: Drill) -> None:
    known = [*(ctx.tables.drilled.get((ctx.area,)) or ()), drill.id]
    ctx.tables.drills.put((ctx.area, drill.id), drill)
    while len(known) > KEPT_MAX:
        oldest = next(one for one in known if not _is_open(ctx, one))
        known.remove(oldest)
        ctx.tables.drills.put((ctx.area, oldest), None)
    ctx.tables.drilled.put((ctx.area,), tuple(known))


def _is_open(ctx: Context, name: str) -> bool:
    drill = ctx.tables.drills.get((ctx.area, name))
    return drill is not None and drill.state in OPEN


def _head(ctx: Context, group: str) -> str | None:
    known = ctx.registry.groups.get((ctx.area, group))
    return None if known is None else known.head or next(iter(known.members), None)


def _faults(ctx: Context, item: DrillPlanned) -> Iterator[str]:
    if not item.by or not item.why:
        yield "needs `by` and `why`: who plans it, and for what reason"
    if ctx.tables.drills.get((ctx.area, item.drill)) is not None:
        yield f"drill {item.drill} was planned before"
    if item.kind not in KINDS:
        yield f"`kind` {item.kind}; allowed: {', '.join(KINDS)}"
    if not 1 <= len({*item.premises, *item.groups}) <= PREMISES_MAX:
        yield f"{len({*item.premises, *item.groups})} premises and groups; allowed: 1 to {PREMISES_MAX}"
    for one in item.premises:
        if (ctx.area, one) not in ctx.registry.premises:
            yield f"no premises {one} in {ctx.area}"
        elif not ctx.registry.groups_of(ctx.area, one):
            yield f"{one} is in no group: nobody would be called"
    for group in item.groups:
        if _head(ctx, group) is None:
            yield f"no group {group} in {ctx.area}"
    if not LASTS_MS[0] <= item.lasts_ms <= LASTS_MS[1]:
        yield f"`lasts_ms` {item.lasts_ms}; allowed: {LASTS_MS[0]} to {LASTS_MS[1]}"
    if item.at_ms is not None and not ctx.at_ms <= item.at_ms <= ctx.at_ms + AHEAD_MS:
        yield "`at_ms` is past or too far ahead; allowed: from now to a year from now"
    if sum(_is_open(ctx, one) for one in ctx.tables.drilled.get((ctx.area,)) or ()) >= OPEN_MAX:
        yield f"{OPEN_MAX} drills are planned or run; allowed: at most so many"
