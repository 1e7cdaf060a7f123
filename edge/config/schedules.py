"""From schedules and holidays as written to what the fold reckons with; a time zone's rules become data here."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from edge.config.model import GatewayTable, HolidayTable, ProofTable, ScheduleTable
from edge.core.calendar import UTC as NO_CALENDAR
from edge.core.calendar import Calendar, Holidays, Nightly, Schedule
from edge.core.site import Mode
from protocol.faults import Fault, shown

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
"""The years whose changes of offset are taken from the system; after them the last one holds."""
STEP = timedelta(days=7)
EPOCH = date(1970, 1, 1)


def schedules_of(tables: Sequence[tuple[str, ScheduleTable]], where: str) -> tuple[tuple[Schedule, ...], list[Fault]]:
    """The schedules, and where two of them contradict each other."""
    faults: list[Fault] = []
    acts: dict[tuple[str, str, str], tuple[str, str]] = {}
    for key, table in tables:
        for name, at in (("arm_at", table.arm_at), ("disarm_at", table.disarm_at)):
            for premises in table.premises if at is not None else ():
                for day in table.days:
                    assert at is not None
                    act = name if name == "disarm_at" else table.mode
                    other = acts.setdefault((premises, day, at), (act, key))
                    apart = Holidays.ONLY in (table.holidays, _holidays(tables, other[1]))
                    if other[0] != act and not apart:
                        allowed = f"another time: {other[1]} does otherwise with {premises} at {at} on {day}"
                        faults.append(Fault(where, f"{key}.{name}", shown(at), allowed))
    return tuple(_schedule(table) for _, table in tables), faults


def calendar_of(
    gateway: GatewayTable | None, tables: Sequence[tuple[str, HolidayTable]], needed: bool, where: str
) -> tuple[Calendar, list[Fault]]:
    """Time zone and holidays, with everything wrong about them. Where the zone is not `needed` one that is not known
    is no fault: the nightly proof goes by UTC then."""
    faults: list[Fault] = []
    holidays = []
    for key, table in tables:
        first = _day(table.first, f"{key}.first", where, faults)
        last = first if table.last is None else _day(table.last, f"{key}.last", where, faults)
        if first is None or last is None:
            continue
        if last < first:
            faults.append(Fault(where, f"{key}.last", shown(table.last), f"{table.first} or later"))
        holidays.append((first, last))
    if gateway is None:
        return NO_CALENDAR, faults
    try:
        offsets = _offsets(gateway.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not needed:
            return NO_CALENDAR, faults
        allowed = "a time zone that this machine knows, such as Asia/Shanghai (Debian package tzdata)"
        return NO_CALENDAR, [*faults, Fault(where, "gateway.timezone", shown(gateway.timezone), allowed)]
    return Calendar(offsets, tuple(sorted(holidays))), faults


def nightly_of(table: ProofTable) -> Nightly:
    """When the gateway proves itself."""
    at_min = _minutes(table.at)
    assert at_min is not None
    return Nightly(at_min, table.within_min * 60_000)


def told(schedule: Schedule) -> str:
    """One line for a person: who is armed when, how, and what happens on a holiday."""
    acts = [
        f"{mode} at {minute // 60:02}:{minute % 60:02}"
        for mode, minute in ((Mode.DISARMED, schedule.disarm_min), (schedule.mode, schedule.arm_min))
        if minute is not None
    ]
    days = " ".join(day for number, day in enumerate(WEEK) if number in schedule.days)
    return f"{schedule.id}: {', '.join(schedule.premises)} {', '.join(acts)} ({days}; holidays {schedule.holidays})"


def _schedule(table: ScheduleTable) -> Schedule:
    return Schedule(
        id=table.id,
        premises=tuple(dict.fromkeys(table.premises)),
        arm_min=_minutes(table.arm_at),
        disarm_min=_minutes(table.disarm_at),
        days=frozenset(WEEK.index(day) for day in table.days),
        mode=Mode(table.mode),
        holidays=Holidays(table.holidays),
        warn_ms=table.warn_s * 1000,
        postpone_ms=table.postpone_min * 60_000,
        postpone_max=table.postpone_max,
        force=table.force,
    )


def _holidays(tables: Sequence[tuple[str, ScheduleTable]], key: str) -> Holidays:
    return Holidays(dict(tables)[key].holidays)


def _minutes(at: str | None) -> int | None:
    return None if at is None else int(at[:2]) * 60 + int(at[3:])


def _day(text: str, key: str, where: str, faults: list[Fault]) -> int | None:
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError:
        faults.append(Fault(where, key, shown(text), "a day of the calendar"))
        return None


@functools.cache
def _offsets(name: str) -> tuple[tuple[int, int], ...]:
    """Where a zone's offset from UTC changes, to the second: found by halving the weeks in which it does."""
    zone = zoneinfo.ZoneInfo(name)

    def offset_s(at: datetime) -> int:
        offset = at.astimezone(zone).utcoffset()
        assert offset is not None, "an aware time has an offset"
        return round(offset.total_seconds())

    found = [(0, offset_s(FIRST))]
    low = FIRST
    while low < LAST:
        high = low + STEP
        if offset_s(high) != offset_s(low):
            before, after = low, high
            while after - before > timedelta(seconds=1):
                middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
                before, after = (middle, after) if offset_s(middle) == offset_s(before) else (before, middle)
            found.append((round(after.timestamp() * 1000), offset_s(after)))
        low = high
    return tuple(found)
