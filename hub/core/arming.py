"""Which partitions the hub knows to be armed, and what that makes of a loss of link.

Sites and households that opted in say when they arm; of the others the hub knows nothing and asks nothing (privacy),
so their gateway's loss is judged without it.
"""

from __future__ import annotations

from msgspec.structs import replace

from hub.core import opening
from hub.core.context import Context
from hub.core.rules.base import LINK_DOWN, Decision, Joins, Mark, Raises
from hub.core.rules.gateway_lost import RULE, grade
from protocol.kinds import Kind, Priority

CHANGES_MAX = 8
"""Changes remembered of one premises; the oldest goes first."""
KINDS = (Kind.ARMED, Kind.DISARMED)


def told(ctx: Context, mark: Mark) -> None:
    """A premises was armed or disarmed; a loss of its gateway that nobody accepted yet is read again with that."""
    if mark.premises is None:
        return
    key = (ctx.area, mark.gateway)
    known = ctx.tables.arming.get(key) or {}
    changes = tuple(sorted((*known.get(mark.premises, ()), mark))[-CHANGES_MAX:])
    ctx.tables.arming.put(key, {**known, mark.premises: changes})
    scope = f"{RULE.name}|gateway:{mark.gateway}"
    decisions: list[Decision] = []
    for standing in opening.standings(ctx, scope):
        marks = tuple(weighed(ctx, loss) for loss in standing.marks)
        if not standing.pinned and marks != standing.marks:
            now = grade(marks)
            sort = Raises if now.priority < standing.priority else Joins
            decisions.append(sort(standing.id, marks, now))
    opening.carry_out(ctx, RULE.name, scope, decisions, drill=False)


def weighed(ctx: Context, mark: Mark) -> Mark:
    """A loss of link, a P2 where a partition was armed when the gateway was last heard, by what is known now."""
    if mark.what != LINK_DOWN:
        return mark
    known = ctx.tables.arming.get((ctx.area, mark.gateway)) or {}
    armed = [name for name, changes in sorted(known.items()) if _armed(changes, mark.event_ms)]
    armed = [name for name in armed if ctx.registry.gateway_of(ctx.area, name) == mark.gateway]
    if not armed:
        return replace(mark, priority=Priority.P4, detail="")
    return replace(mark, priority=Priority.P2, detail=f"{', '.join(armed)} armed")


def _armed(changes: tuple[Mark, ...], at_ms: int) -> bool:
    before = [change for change in changes if change.event_ms <= at_ms]
    return bool(before) and before[-1].what == Kind.ARMED
