"""What a drill's plan must be, and the drills an area remembers: both within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.context import Context
from hub.core.drill import Drill, DrillState
from hub.core.trials import DrillPlanned
from protocol.kinds import Kind

KINDS = (Kind.PANIC, Kind.FIRE, Kind.GAS)
"""What a drill may be of: what calls neighbours at once."""
PREMISES_MAX = 20
LASTS_MS = (60_000, 4 * 3_600_000)
AHEAD_MS = 366 * 24 * 3_600_000
OPEN_MAX = 32
"""Drills of an area that are planned or run; one more is refused."""
KEPT_MAX = 200
"""Drills remembered of an area; the oldest that is over goes first (the journal has all)."""
OPEN = (DrillState.PLANNED, DrillState.RUNNING)


def keep(ctx: Context, drill: Drill) -> None:
    """Remember one; of those that are over the oldest may go for it."""
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


def head_of(ctx: Context, group: str) -> str | None:
    """Where a drill of a group happens: its head household, or its first member; None where there is no such group."""
    known = ctx.registry.groups.get((ctx.area, group))
    return None if known is None else known.head or next(iter(known.members), None)


def faults(ctx: Context, item: DrillPlanned) -> Iterator[str]:
    """Everything that keeps it from being planned."""
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
        if head_of(ctx, group) is None:
            yield f"no group {group} in {ctx.area}"
    if not LASTS_MS[0] <= item.lasts_ms <= LASTS_MS[1]:
        yield f"`lasts_ms` {item.lasts_ms}; allowed: {LASTS_MS[0]} to {LASTS_MS[1]}"
    if item.at_ms is not None and not ctx.at_ms <= item.at_ms <= ctx.at_ms + AHEAD_MS:
        yield "`at_ms` is past or too far ahead; allowed: from now to a year from now"
    if sum(_is_open(ctx, one) for one in ctx.tables.drilled.get((ctx.area,)) or ()) >= OPEN_MAX:
        yield f"{OPEN_MAX} drills are planned or run; allowed: at most so many"
