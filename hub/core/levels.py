"""Response levels (等级防控): per area and period, what the accept limits are divided by; nothing else changes.

A level tightens limits that run at once. When it ends they are what they would have been without it, and never more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from hub.core import escalation
from hub.core.context import Context
from hub.core.io import NotAllowed
from hub.core.plan import Level, Levelled, Period, Plan
from hub.core.rules.base import Took, Verdict
from hub.core.rules.windows import span

TIMER = "level:"
PERIODS_MAX = 16
"""Periods planned of one area; one more is refused."""
WHY_MAX = 512
AHEAD_MS = 366 * 24 * 3_600_000


def levelled(ctx: Context, item: Levelled) -> Verdict:
    """Plan a level, in place of what was planned for that time. Raises NotAllowed; then nothing was changed."""
    faults = [] if ctx.replayed else list(_faults(ctx, item))
    if faults:
        raise NotAllowed(f"level of {ctx.area}: {'; '.join(faults)}")
    plan = ctx.tables.levels.get((ctx.area,)) or Plan()
    from_ms, until_ms = _bounds(ctx, item)
    kept = [period for period in _outside(plan.periods, from_ms, until_ms) if period.until_ms > ctx.at_ms]
    if item.level is not Level.NORMAL:
        assert item.until_ms is not None, "checked, or journalled after the check"
        kept.append(Period(item.level, from_ms, item.until_ms, item.by, item.why, ctx.at_ms))
    if len(kept) > PERIODS_MAX and not ctx.replayed:
        raise NotAllowed(f"level of {ctx.area}: {len(kept)} periods planned; allowed: at most {PERIODS_MAX}")
    ctx.tables.levels.put((ctx.area,), replace(plan, periods=tuple(sorted(kept, key=lambda p: p.from_ms))))
    touched = _apply(ctx, item.by)
    return Took(tuple(touched), f"level {item.level} by {item.by}")


def come(ctx: Context, name: str) -> Verdict:
    """A period begins or ends."""
    touched = _apply(ctx, None)
    plan = ctx.tables.levels.get((ctx.area,))
    return Took(tuple(touched), f"level {plan.level if plan is not None else Level.NORMAL} by plan")


def _faults(ctx: Context, item: Levelled) -> Iterator[str]:
    if ctx.area not in ctx.registry.areas:
        yield f"no area {ctx.area}; allowed: one of the registry"
    if not item.by:
        yield "`by` is empty; allowed: who sets it"
    if not item.why or len(item.why) > WHY_MAX:
        yield f"`why` has {len(item.why)} characters; allowed: 1 to {WHY_MAX}"
    if item.until_ms is None and item.level is not Level.NORMAL:
        yield f"`until_ms` is missing; allowed for {item.level}: a time to come"
    for name, at_ms in (("from", item.from_ms), ("until", item.until_ms)):
        if at_ms is not None and at_ms > ctx.at_ms + AHEAD_MS:
            yield f"`{name}` is too far ahead; allowed: at most a year from now"
    if item.until_ms is not None and item.until_ms <= ctx.at_ms:
        yield "`until_ms` is past; allowed: a time to come"
    elif item.until_ms is not None and item.from_ms is not None and item.until_ms <= item.from_ms:
        yield "`until_ms` is not after `from_ms`; allowed: a later time"


def _bounds(ctx: Context, item: Levelled) -> tuple[int, int | None]:
    return max(ctx.at_ms, item.from_ms if item.from_ms is not None else ctx.at_ms), item.until_ms


def _outside(periods: Iterable[Period], from_ms: int, until_ms: int | None) -> Iterator[Period]:
    """What of the periods lies before and after."""
    for period in periods:
        if period.from_ms < from_ms:
            yield replace(period, until_ms=min(period.until_ms, from_ms))
        if until_ms is not None and period.until_ms > until_ms:
            yield replace(period, from_ms=max(period.from_ms, until_ms))


def _apply(ctx: Context, by: str | None) -> list[str]:
    """The level of now takes effect, and the timer goes to where it next changes."""
    plan = ctx.tables.levels.get((ctx.area,)) or Plan()
    periods = tuple(period for period in plan.periods if period.until_ms > ctx.at_ms)
    now = replace(plan, level=plan.at(ctx.at_ms), periods=periods)
    ctx.tables.levels.put((ctx.area,), now if periods else None)
    ends = [ms for period in periods for ms in (period.from_ms, period.until_ms) if ms > ctx.at_ms]
    ctx.tables.timers.put((ctx.area, TIMER + ctx.area), min(ends, default=None))
    return _retime(ctx, now.level, by) if now.level is not plan.level else []


def _retime(ctx: Context, level: Level, by: str | None) -> list[str]:
    """Every limit that runs in the area, as the level has it. It walks the timers there are: levels change rarely."""
    touched = []
    for (area, name), due_ms in sorted(ctx.tables.timers.entries()):
        if area != ctx.area or not name.startswith(escalation.ACCEPT):
            continue
        incident = name.removeprefix(escalation.ACCEPT)
        now_ms = escalation.run(ctx, incident)
        if now_ms is not None and now_ms != due_ms:
            words = f"to be accepted in {span(max(0, now_ms - ctx.at_ms))}"
            ctx.note(incident, f"response level {level}", by=by, why=words)
            touched.append(incident)
    return touched
