"""Numbers of a point by windows of any length and age, over whichever store: from readings as long as they are kept,
from coarser copies before that."""

from __future__ import annotations

from collections.abc import Iterable

from hub.store.levels import FIVE_MINUTE, parts
from hub.store.port import Aggregate, TelemetryStore


def numbers(
    store: TelemetryStore,
    area: str,
    gateway: str,
    point: str,
    from_ms: int,
    to_ms: int,
    every_ms: int,
    now_ms: int,
    limit: int,
) -> list[Aggregate]:
    """Windows of `every_ms` with from_ms <= t < to_ms, empty ones left out, `limit` at most. Called in the store's
    thread. Raises StoreError, and TooFine for windows shorter than what is kept of that time."""
    five_minute_ms = store.kept.begins_ms(FIVE_MINUTE, now_ms)
    found: list[Aggregate] = []
    for level, begin_ms, end_ms in parts(from_ms, to_ms, every_ms, store.raw_ms(now_ms), five_minute_ms):
        if level is None:
            found += store.aggregate(area, gateway, point, begin_ms, end_ms, every_ms, limit)
        else:
            found += store.copied(area, gateway, point, level, begin_ms, end_ms, every_ms)
    return merged(found, every_ms)[:limit]


def merged(some: Iterable[Aggregate], every_ms: int) -> list[Aggregate]:
    """Parts of windows as whole windows of `every_ms`, by time."""
    found: dict[int, Aggregate] = {}
    for one in some:
        at_ms = one.at_ms - one.at_ms % every_ms
        other = found.get(at_ms)
        if other is None:
            found[at_ms] = Aggregate(at_ms, one.count, one.mean, one.min, one.max)
            continue
        count = one.count + other.count
        mean = (one.mean * one.count + other.mean * other.count) / count
        found[at_ms] = Aggregate(at_ms, count, mean, min(one.min, other.min), max(one.max, other.max))
    return [found[at_ms] for at_ms in sorted(found)]
