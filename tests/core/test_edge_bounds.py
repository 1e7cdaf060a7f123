"""What the wire refuses never becomes a record: clocks out of range, numbers that are none, texts too long."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.bounds import INT64_MAX, TEXT_MAX, WALL_MS_MAX, fits, fitting, listed, stamp_at
from edge.core.io import Emit, Troubled
from edge.core.site import Band, ZoneKind
from protocol.kinds import Kind
from protocol.records import ClockQuality, Condition, Event, Stamp
from tests.support.house import House, village, zone

VOLTS = (Band(-math.inf, 200, Condition.ALARM), Band(200, math.inf, Condition.NORMAL))
NO_NUMBERS = [math.nan, math.inf, -math.inf, INT64_MAX + 1, -INT64_MAX - 2, 2**64 - 1, 10**400]


@pytest.mark.parametrize("start_ms", [-1, -(2**62), WALL_MS_MAX + 1, 2**63])
def test_a_clock_out_of_range_makes_a_record_the_wire_takes(start_ms: int) -> None:
    """A dead clock chip says the year 1901 or 2400: the wall time is clamped and called unset, the press goes out."""
    house = House(village(zone("h01-panic", ZoneKind.PANIC)), start_ms=start_ms)
    house.look(h01_panic=True)
    [event] = house.events
    at = msgspec.json.decode(msgspec.json.encode(event), type=Event).at
    assert (at.wall_ms, at.quality) == (max(0, min(start_ms, WALL_MS_MAX)), ClockQuality.UNSET)


def test_a_record_from_before_the_clock_began_is_clamped() -> None:
    """The time of a record may lie before 1970 when the clock itself does not."""
    now = Stamp(5_000_000_000, 3, ClockQuality.SYNCED)
    assert stamp_at(now, 4_000_000_000) == Stamp(4_000_000_000, 0, ClockQuality.UNSET)
    assert stamp_at(now, 5_000_000_000) == now


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_value_that_is_no_number_of_the_wire_is_a_fault_and_is_not_reported(value: float) -> None:
    """Bands may be open to both ends; what is measured must still be a number that can be told."""
    house = House(village(zone("h01-meter", ZoneKind.METER, VOLTS, report="every")))
    house.look(h01_meter=230.0)
    house.watch(2_000)
    house.reports.clear()
    house.look(h01_meter=value)
    assert house.told() == [("zone_fault", "new", "h01-meter")]
    assert house.points() == [("zone/h01-meter", "fault"), ("zone/h01-meter/health", "fault")]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_contact_that_is_no_number_is_a_fault_and_no_alarm(value: float) -> None:
    """A register that cannot be a contact's state is neither open nor shut."""
    house = House(village(zone("h01-panic", ZoneKind.PANIC)))
    house.look(h01_panic=value)
    assert [event.kind for event in house.events] == [Kind.ZONE_FAULT]


def test_a_number_that_is_none_in_a_fault_is_told_as_text() -> None:
    """A sensor of the gateway itself reads NaN: the fault is told with what it read."""
    house = House(village(zone("h01-panic", ZoneKind.PANIC)))
    house.step(Troubled("temperature", True, {"celsius": math.nan, "raw": 2**64, "limit": 80.5}))
    expected = {"fault": "temperature", "celsius": "nan", "raw": "18446744073709551616", "limit": 80.5}
    assert house.events[0].detail == expected


def test_a_device_with_more_zones_than_a_text_holds_is_told_all_the_same() -> None:
    """The names that do not fit are counted."""
    zones = [zone(f"h01-{'long' * 10}-{number:03}", ZoneKind.PANIC) for number in range(100)]
    house = House(village(*zones))
    house.later(11_000)
    [event] = house.events
    for name in ("zones", "p1_zones"):
        told = str(event.detail[name])
        assert len(told) <= TEXT_MAX
        assert told.endswith(f" and {100 - told.count(',') - 1} more")


@given(st.lists(st.text("abc", min_size=1, max_size=63), max_size=200))
def test_names_listed_fit_and_none_is_cut(names: list[str]) -> None:
    """Whole names or a count."""
    told = listed(names)
    shown, _, more = told.partition(" and ")
    kept = shown.split(",") if shown else []
    assert len(told) <= TEXT_MAX
    assert kept == names[: len(kept)]
    assert len(kept) + (int(more.split()[0]) if more else 0) == len(names)


@given(st.one_of(st.booleans(), st.integers(), st.floats(), st.text()))
def test_a_detail_that_is_fitted_passes_the_wire(value: bool | int | float | str) -> None:
    """Whatever it was, it is a value the other side accepts; one that fits is left as it is."""
    [(name, fitted)] = fitting({"x": value}).items()
    passed = msgspec.json.decode(msgspec.json.encode(fitted))
    assert name == "x" and passed == fitted
    assert isinstance(fitted, str) or fits(fitted)
    if not isinstance(value, str) and fits(value):
        assert fitted == value


@settings(max_examples=200, deadline=None)
@given(
    start_ms=st.integers(-(2**63), 2**63 - 1),
    values=st.lists(st.one_of(st.booleans(), st.integers(), st.floats()), max_size=12),
    troubles=st.lists(st.one_of(st.integers(), st.floats(), st.text()), max_size=3),
)
def test_whatever_is_measured_whenever_the_wire_takes_every_record(
    start_ms: int, values: list[bool | int | float], troubles: list[int | float | str]
) -> None:
    """The house of these tests decodes each record and reading as the hub would."""
    meter = zone("h01-meter", ZoneKind.METER, VOLTS, report="every")
    house = House(village(zone("h01-panic", ZoneKind.PANIC), meter), start_ms=start_ms)
    for value in values:
        house.later(1_100)
        house.look(h01_panic=value, h01_meter=value)
    for number, trouble in enumerate(troubles):
        effects = house.step(Troubled(f"f{number}", True, {"value": trouble}))
        assert any(isinstance(effect, Emit) for effect in effects)
