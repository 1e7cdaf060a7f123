"""The figures of alarm management of an area and a time, for lists, metrics and reports (ISA-18.2, IEC 62682)."""

from __future__ import annotations

import msgspec

from hub.core.defaults import Alarms
from hub.core.hold import Sort
from hub.core.load import HOUR_MS, SLOT_MS, SLOTS, Flood, Hour, Times, Watch
from hub.core.state import Tables
from protocol.kinds import Priority

ACCEPTABLE = 1
"""Alarms in ten minutes an operator can bear for long."""
TOP = 10


class Frequent(msgspec.Struct, frozen=True):
    """One alarm by its rule and place ("zone:h03-door"): how often it was presented, which share of all that is, how
    often it happened, and how often it chattered."""

    rule: str
    place: str
    presented: int
    share: float
    happened: int
    chattered: int


class Figures(msgspec.Struct, frozen=True):
    """An area's alarms from one time to another (hub wall ms), by whole hours; `kept_from_ms` is the first hour that is
    remembered, None where there is none.

    `presented` are those an operator was asked to look at, `priorities` of them by "P1" to "P4" and their shares;
    `withheld` by reason. Rates are of the whole time: `slots` are its ten minutes, `acceptable_slots` those with one
    alarm at most, `busiest` what the worst of them brought. `flood_ms` is the time in flood.
    `frequent` are the most frequent alarms, with the share of all that they have together (`frequent_share`); `others`
    were presented too, and are not told by name: more different ones came in one hour than are counted.
    """

    area: str
    from_ms: int
    until_ms: int
    kept_from_ms: int | None
    presented: int
    priorities: dict[str, int]
    shares: dict[str, float]
    withheld: dict[str, int]
    per_ten_minutes: float
    per_hour: float
    per_day: float
    slots: int
    acceptable_slots: int
    busiest: int
    floods: list[Flood]
    flood_ms: int
    flood_share: float
    frequent: list[Frequent]
    frequent_share: float
    chattering: list[Frequent]
    others: int


def figures(tables: Tables, area: str, from_ms: int, until_ms: int, now_ms: int, top: int = TOP) -> Figures:
    """The figures of the hours that lie from `from_ms` to `until_ms`, and not after `now_ms`."""
    kept = tables.kept_hours.committed((area,)) or ()
    from_ms, until_ms = from_ms - from_ms % HOUR_MS, -(-until_ms // HOUR_MS) * HOUR_MS
    end_ms = max(from_ms, min(until_ms, now_ms))
    numbers = [one for one in kept if from_ms <= one * HOUR_MS < until_ms]
    hours = [hour for one in numbers if (hour := tables.hours.committed((area, str(one)))) is not None]
    presented = sum(sum(hour.slots) for hour in hours)
    slots = max(1, -(-(end_ms - from_ms) // SLOT_MS))
    busy = [count for hour in hours for count in hour.slots]
    floods, flood_ms = _floods(tables.watch.committed((area,)) or Watch(), from_ms, end_ms)
    times, others = _times(hours)
    counts = [sum(hour.priorities[at] for hour in hours) for at in range(len(Priority))]
    frequent = [one for one in _ranked(times, presented) if one.presented][:top]
    chattering = sorted((one for one in _ranked(times, presented) if one.chattered), key=lambda one: -one.chattered)
    per_ms = presented / max(1, end_ms - from_ms)
    return Figures(
        area=area,
        from_ms=from_ms,
        until_ms=until_ms,
        kept_from_ms=kept[0] * HOUR_MS if kept else None,
        presented=presented,
        priorities={one.name: count for one, count in zip(Priority, counts, strict=True)},
        shares={one.name: _share(count, presented) for one, count in zip(Priority, counts, strict=True)},
        withheld={sort.value: sum(hour.withheld.get(sort.value, 0) for hour in hours) for sort in Sort},
        per_ten_minutes=round(per_ms * SLOT_MS, 3),
        per_hour=round(per_ms * HOUR_MS, 3),
        per_day=round(per_ms * 24 * HOUR_MS, 3),
        slots=slots,
        acceptable_slots=slots - sum(count > ACCEPTABLE for count in busy),
        busiest=max(busy, default=0),
        floods=floods,
        flood_ms=flood_ms,
        flood_share=_share(flood_ms, end_ms - from_ms),
        frequent=frequent,
        frequent_share=_share(sum(one.presented for one in frequent), presented),
        chattering=chattering[:top],
        others=others.presented,
    )


def rate(tables: Tables, area: str, at_ms: int, limits: Alarms) -> int:
    """Alarms presented within the window of a flood; at most one more than a flood begins with."""
    watch = tables.watch.committed((area,)) or Watch()
    return sum(ms > at_ms - limits.flood_ms for ms in watch.newest)


def _floods(watch: Watch, from_ms: int, end_ms: int) -> tuple[list[Flood], int]:
    """Those that touch the time, the one that is not over up to its end, and how long they lasted within it."""
    running = [Flood(watch.since_ms, end_ms, watch.alarms)] if watch.since_ms is not None else []
    found = [one for one in (*watch.past, *running) if one.began_ms < end_ms and one.ended_ms > from_ms]
    lasted_ms = sum(min(one.ended_ms, end_ms) - max(one.began_ms, from_ms) for one in found)
    return found, lasted_ms


def _times(hours: list[Hour]) -> tuple[dict[str, Times], Times]:
    times: dict[str, Times] = {}
    others = Times()
    for hour in hours:
        assert len(hour.slots) == SLOTS, "an hour has its ten minutes"
        others = others.plus(hour.others)
        for name, more in hour.alarms.items():
            times[name] = times.get(name, Times()).plus(more)
    return times, others


def _ranked(times: dict[str, Times], presented: int) -> list[Frequent]:
    """Every alarm, the most frequent first."""
    found = []
    for name, one in times.items():
        rule, _, place = name.partition("|")
        share = _share(one.presented, presented)
        found.append(Frequent(rule, place, one.presented, share, one.happened, one.chattered))
    return sorted(found, key=lambda one: (-one.presented, -one.happened, one.rule, one.place))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
