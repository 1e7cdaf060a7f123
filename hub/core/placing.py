"""The desk's side of time: what it remembers of each gateway's kernel boots, and who is told when that gets better."""

from __future__ import annotations

from msgspec.structs import replace

from hub.core.clocks import KBOOTS_MAX, NOTHING, UNPLACED_MAX, Evidence, KernelBoot, Unplaced, evidence, learned
from hub.core.context import Context
from hub.core.io import Conflicted, Recorded
from hub.core.rules.base import Took, Verdict
from hub.core.state import Tables
from hub.core.timing import How, When, placed, placed_words
from protocol.kinds import Kind


def place(ctx: Context, item: Recorded | Conflicted) -> When:
    """Learn from a record, then place it by what is known now."""
    known = NOTHING
    if item.kboot:
        own = _learn(ctx, item)
        known = Evidence(own) if item.age_ms is not None else _evidence(ctx, item)
    return placed(item.event.at, item.age_ms, ctx.at_ms, known)


def await_clock(ctx: Context, item: Recorded | Conflicted, when: When, verdict: Verdict) -> None:
    """A record of an incident that no clock places yet waits for a clock record of its kernel boot."""
    if when.how is not How.ORDER or not item.kboot or not isinstance(verdict, Took):
        return
    key = (ctx.area, item.gateway, item.kboot)
    own, event = ctx.tables.clocks.get(key), item.event
    if own is not None:
        one = Unplaced(verdict.incidents[0], event.kind, event.zone, event.premises, event.at, ctx.at_ms)
        ctx.tables.clocks.put(key, replace(own, unplaced=(*own.unplaced, one)[-UNPLACED_MAX:]))


def tell_better(ctx: Context, item: Recorded | Conflicted) -> list[str]:
    """After a clock record: incidents whose records it places get a note. What was decided, and the time it was decided
    by, stay as they are."""
    key = (ctx.area, item.gateway, item.kboot)
    own = ctx.tables.clocks.get(key)
    if item.event.kind is not Kind.CLOCK or own is None or not own.unplaced:
        return []
    known, waiting, told = _evidence(ctx, item), [], []
    for one in own.unplaced:
        when = placed(one.at, None, one.arrived_ms, known)
        if when.how is not How.CLOCK:
            waiting.append(one)
        elif ctx.tables.incidents.get((ctx.area, one.incident)) is not None:
            what, where = f"time of {one.what}", {"zone": one.zone, "premises": one.premises}
            ctx.note(one.incident, what, event_ms=when.event_ms, why=placed_words(when), **where)
            told.append(one.incident)
    ctx.tables.clocks.put(key, replace(own, unplaced=tuple(waiting)))
    return list(dict.fromkeys(told))


def committed(tables: Tables, area: str, gateway: str, kboot: str) -> Evidence:
    """What the committed state knows of a kernel boot."""
    line = tables.kboots.committed((area, gateway)) or ()
    return evidence(line, lambda name: tables.clocks.committed((area, gateway, name)), kboot)


def _evidence(ctx: Context, item: Recorded | Conflicted) -> Evidence:
    line = ctx.tables.kboots.get((ctx.area, item.gateway)) or ()
    return evidence(line, lambda name: ctx.tables.clocks.get((ctx.area, item.gateway, name)), item.kboot)


def _learn(ctx: Context, item: Recorded | Conflicted) -> KernelBoot:
    key, line = (ctx.area, item.gateway, item.kboot), (ctx.area, item.gateway)
    was = ctx.tables.clocks.get(key)
    now = learned(was, item.boot, item.event, item.age_ms, ctx.at_ms)
    if now is was:
        return now
    ctx.tables.clocks.put(key, now)
    if was is None or was.boot != now.boot:
        others = [(boot, kboot) for boot, kboot in ctx.tables.kboots.get(line) or () if kboot != item.kboot]
        ordered = sorted([*others, (now.boot, item.kboot)])
        for _, gone in ordered[:-KBOOTS_MAX]:
            ctx.tables.clocks.put((ctx.area, item.gateway, gone), None)
        ctx.tables.kboots.put(line, tuple(ordered[-KBOOTS_MAX:]))
    return now
