"""A zone's wire: what a value means, how long it must hold, and when it is said to have changed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.site import Arming, Band, Contact, Judge, Zone, ZoneKind
from edge.core.zone import Wire, changed_ns, judged
from protocol.records import Condition

MS = 1_000_000
LOOP = (
    Band(-0.1, 0.5, Condition.TAMPER),
    Band(2.1, 2.9, Condition.NORMAL),
    Band(2.9, 3.8, Condition.ALARM),
)
OPEN = Contact(True)


def wire(judge: Judge = OPEN, on_ms: int = 0, off_ms: int = 0) -> Wire:
    return Wire(Zone("z", "h01", ZoneKind.DOOR, "d/p", judge, Arming.PERIMETER, 500, on_ms, off_ms))


@pytest.mark.parametrize(
    ("judge", "value", "expected"),
    [
        (Contact(True), True, Condition.ALARM),
        (Contact(True), False, Condition.NORMAL),
        (Contact(False), False, Condition.ALARM),
        (LOOP, 2.1, Condition.NORMAL),
        (LOOP, 2.9, Condition.ALARM),
        (LOOP, 0.0, Condition.TAMPER),
        (LOOP, 1.0, Condition.FAULT),
        (LOOP, math.nan, Condition.FAULT),
        (LOOP, math.inf, Condition.FAULT),
    ],
)
def test_a_value_means_what_the_judge_says(judge: Judge, value: float, expected: Condition) -> None:
    """A band includes its low end and not its high end; what is in no band is a fault."""
    assert judged(judge, value) is expected


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_outside_every_band_is_never_normal(value: float) -> None:
    """Normal is said only of a value inside the band for normal."""
    assert (judged(LOOP, value) is Condition.NORMAL) == (2.1 <= value < 2.9)


@pytest.mark.parametrize(
    ("since_ms", "at_ms", "expected_ms"),
    [(100, 200, 150), (200, 200, 200), (0, 600, 600), (300, 200, 200)],
)
def test_a_change_is_placed_in_the_middle_of_a_short_gap(since_ms: int, at_ms: int, expected_ms: int) -> None:
    """In the middle of the gap while somebody watched, when it was seen otherwise."""
    assert changed_ns(since_ms * MS, at_ms * MS, 500) == expected_ms * MS


def test_nothing_is_known_before_the_first_look() -> None:
    """A new wire is unknown."""
    assert wire().condition is Condition.UNKNOWN


def test_normal_settles_at_the_first_look() -> None:
    """The first look settles a condition, and tells that nothing was known before."""
    change = wire(on_ms=30, off_ms=30).look(False, 0, 5 * MS)
    assert change is not None
    assert (change.was, change.now) == (None, Condition.NORMAL)


def test_an_alarm_must_hold_for_its_delay() -> None:
    """An alarm settles when it has been seen for on_ms, and is placed where it began."""
    w = wire(on_ms=30)
    w.look(False, 0, 0)
    assert w.look(True, 100 * MS, 200 * MS) is None
    assert w.settle(229 * MS) is None
    change = w.settle(230 * MS)
    assert change is not None
    assert (change.now, change.at_ns) == (Condition.ALARM, 150 * MS)


def test_a_glitch_shorter_than_the_delay_is_nothing() -> None:
    """Back to normal before the delay: no change is pending any more."""
    w = wire(on_ms=30)
    w.look(False, 0, 0)
    w.look(True, 0, 10 * MS)
    w.look(False, 10 * MS, 20 * MS)
    assert w.settle(100 * MS) is None
    assert w.condition is Condition.NORMAL


def test_without_a_delay_the_first_edge_settles() -> None:
    """A press on a line that the kernel has debounced counts at once."""
    w = wire(off_ms=30)
    w.look(False, 0, 0)
    change = w.look(True, 7 * MS, 7 * MS)
    assert change is not None
    assert change.at_ns == 7 * MS


def test_a_lost_wire_remembers_what_it_was() -> None:
    """Unknown hides the condition; the next look tells the change from the last known one."""
    w = wire()
    w.look(True, 0, 0)
    lost = w.lose(600 * MS)
    back = w.look(False, 0, 900 * MS)
    assert lost is not None and back is not None
    assert (lost.now, back.was, back.now) == (Condition.UNKNOWN, Condition.ALARM, Condition.NORMAL)


@given(st.lists(st.one_of(st.none(), st.booleans()), max_size=30))
def test_unknown_never_reads_as_normal(looks: list[bool | None]) -> None:
    """Whatever came before, after a loss the wire is unknown until a good look, and then exactly what was seen."""
    w = wire()
    for number, value in enumerate(looks):
        at_ns = number * 100 * MS
        if value is None:
            w.lose(at_ns)
            assert w.condition is Condition.UNKNOWN
        else:
            w.look(value, at_ns, at_ns)
            assert w.condition is (Condition.ALARM if value else Condition.NORMAL)
