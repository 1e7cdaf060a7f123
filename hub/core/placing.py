"""The desk's side of time: what it remembers of each gateway's kernel boots, and who is told when that gets better."""

from __future__ import annotations

from msgspec.structs import replace

from hub.core.clocks import KBOOTS_MAX, NOTHING, UNPLACED_MAX, Evidence, KernelBoot, Unplaced, evidence, learned
from hub.core.context import Context
from hub.core.heard import Conflicted, Recorded
from hub.core.rules.base import Took, Verdict
from hub.core.rules.windows import several
from hub.core.state import Tables
from hub.core.timing import PlacedBy, When, placed, placed_words
from protocol.kinds import Kind

NARROWER_MS = 60_000
"""An interval is told anew when it got smaller by this at either end."""


def place(ctx: Context, item: Recorded | Conflicted) -> When:
    """Learn from a record, then place it by what is known now."""
    known = NOTHING
    if item.kboot:
        own = _learn(ctx, item)
        known = Evidence(own) if item.age_ms is not None else _evidence(ctx, item.gateway, item.kboot)
    return placed(item.event.at, item.age_ms, ctx.at_ms, known)


def await_clock(ctx: Context, item: Recorded | Conflicted, when: When, verdict: Verdict) -> None:
    """A record of an incident that no clock places yet waits for a clock record of its kernel boot."""
    if when.how is not PlacedBy.ORDER or not item.kboot or not isinstance(verdict, Took):
        return
    key = (ctx.area, item.gateway, item.kboot)
    own, event = ctx.tables.clocks.get(key), item.event
    if own is not None:
        where = (verdict.incidents[0], event.kind, event.zone, event.premises)
        one = Unplaced(*where, event.at, ctx.at_ms, when.not_before_ms, when.not_after_ms)
        ctx.tables.clocks.put(key, replace(own, unplaced=(*own.unplaced, one)[-UNPLACED_MAX:]))


def tell_better(ctx: Context, item: Recorded | Conflicted) -> list[str]:
    """After a clock record: incidents get a note of what is better known by it. What was decided, and the time it was
    decided by, stay as they are."""
    if item.event.kind is not Kind.CLOCK or not item.kboot:
        return []
    told: list[str] = []
    # A clock record says something of its own kernel boot, and by the order of both of the one before.
    own = ctx.tables.clocks.get((ctx.area, item.gateway, item.kboot))
    for kboot in several([item.kboot, own.before if own is not None else None]):
        told += _tell_better(ctx, item.gateway, kboot)
    return several(told)


def _tell_better(ctx: Context, gateway: str, kboot: str) -> list[str]:
    key = (ctx.area, gateway, kboot)
    own = ctx.tables.clocks.get(key)
    if own is None or not own.unplaced:
        return []
    known, waiting, told = _evidence(ctx, gateway, kboot), [], []
    for one in own.unplaced:
        when = placed(one.at, None, one.arrived_ms, known)
        if ctx.tables.incidents.get((ctx.area, one.incident)) is None:
            continue
        if when.how is PlacedBy.CLOCK or _narrower(when, one):
            _note(ctx, one, when)
            told.append(one.incident)
        if when.how is not PlacedBy.CLOCK:
            waiting.append(replace(one, not_before_ms=when.not_before_ms, not_after_ms=when.not_after_ms))
    ctx.tables.clocks.put(key, replace(own, unplaced=tuple(waiting)))
    return told


def _narrower(when: When, one: Unplaced) -> bool:
    return one.not_after_ms - when.not_after_ms >= NARROWER_MS or (
        when.not_before_ms is not None
        and (one.not_before_ms is None or when.not_before_ms - one.not_before_ms >= NARROWER_MS)
    )


def _note(ctx: Context, one: Unplaced, when: When) -> None:
    ctx.note(
        one.incident,
        f"time of {one.what}",
        event_ms=when.event_ms if when.how is PlacedBy.CLOCK else None,
        zone=one.zone,
        premises=one.premises,
        why=placed_words(when),
        not_before_ms=when.not_before_ms,
        not_after_ms=when.not_after_ms,
    )


def committed(tables: Tables, area: str, gateway: str, kboot: str) -> Evidence:
    """What the committed state knows of a kernel boot."""
    line = tables.kboots.committed((area, gateway)) or ()
    return evidence(line, lambda name: tables.clocks.committed((area, gateway, name)), kboot)


def _evidence(ctx: Context, gateway: str, kboot: str) -> Evidence:
    line = ctx.tables.kboots.get((ctx.area, gateway)) or ()
    return evidence(line, lambda name: ctx.tables.clocks.get((ctx.area, gateway, name)), kboot)


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
