"""Silence: unknown at once, told to the centre once it has lasted, and ended only where it was told."""

from __future__ import annotations

import pytest

from edge.core.site import Limits, ZoneKind
from edge.port import Reading
from protocol.kinds import Kind
from tests.support.house import BOOT_MS, FRESH_MS, START_MS, House, village, zone

LOST_MS = Limits().device_lost_ms
PANIC = zone("h01-panic", ZoneKind.PANIC)
DOOR = zone("h01-door", ZoneKind.DOOR)


def home(limits: Limits | None = None) -> House:
    house = House(village(PANIC, DOOR, limits=limits))
    house.look(h01_panic=False, h01_door=False)
    house.watch(1_000)
    house.reports.clear()
    return house


def healths(house: House) -> set[str]:
    return {born.health for born in house.gateway.birth_zones()}


def test_a_lost_poll_is_unknown_at_once_and_no_record() -> None:
    """Health tells the gap when it began and ended; the alarm lane hears nothing of it."""
    house = home()
    for _ in range(20):
        house.later(FRESH_MS)
        assert healths(house) == {"unknown"}
        house.look()
        assert healths(house) == {"online"}
    expected = [("zone/h01-panic/health", "unknown"), ("zone/h01-door/health", "unknown")]
    assert house.points()[:2] == expected
    assert house.events == []


def test_a_lasting_silence_is_told_with_when_it_began() -> None:
    """The record comes at the limit; its time is the last good look, its detail the zones that are blind."""
    house = home()
    fell_ms = house.ms
    house.later(LOST_MS - 1)
    assert house.events == []
    house.later(1)
    [event] = house.events
    assert (event.kind, event.at.mono_ns) == (Kind.DEVICE_LOST, (BOOT_MS + fell_ms) * 1_000_000)
    assert event.at.wall_ms == START_MS + fell_ms
    assert (event.detail["zones"], event.detail["p1_zones"]) == ("h01-panic,h01-door", "h01-panic")
    house.look()
    assert house.told()[1:] == [("device_lost", "restore", None)]


def test_a_lasting_silence_of_one_point_is_told_with_when_it_began() -> None:
    """The button's own line fails while the device answers: unknown at once, told at the limit, ended once."""
    house = home()
    fell_ms = house.ms
    while house.ms < fell_ms + LOST_MS + 400:
        house.later(400)
        assert (house.events != []) == (house.ms >= fell_ms + LOST_MS)
        house.fail("h01_panic")
    [event] = house.events
    assert (event.kind, event.zone) == (Kind.ZONE_FAULT, "h01-panic")
    assert event.at.mono_ns == (BOOT_MS + fell_ms) * 1_000_000
    house.look()
    assert house.told()[1:] == [("zone_fault", "restore", "h01-panic")]


def test_a_short_silence_of_one_point_is_no_record() -> None:
    """Nothing was told, so nothing ends."""
    house = home()
    for _ in range(5):
        house.later(400)
        house.fail("h01_panic")
    assert healths(house) == {"online", "unknown"}
    house.watch(30_000)
    assert healths(house) == {"online"}
    assert house.events == []


def test_a_point_that_falls_silent_with_its_device_is_told_by_the_device_alone() -> None:
    """First one point, then all of it: the device's record names both."""
    house = home()
    for _ in range(4):
        house.later(400)
        house.fail("h01_panic")
    house.later(LOST_MS)
    assert [event.kind for event in house.events] == [Kind.DEVICE_LOST]
    for _ in range(4):
        house.later(400)
        house.fail("h01_panic")
    assert house.told()[1:] == [("device_lost", "restore", None), ("zone_fault", "new", "h01-panic")]


def test_a_second_gap_is_unknown_at_its_own_deadline() -> None:
    """Back from one gap the next is seen in time, though nothing of the first was told."""
    house = home()
    house.later(FRESH_MS + 500)
    house.look()
    house.later(FRESH_MS - 1)
    assert healths(house) == {"online"}
    house.later(1)
    assert healths(house) == {"unknown"}


def test_a_second_gap_of_a_quick_point_is_unknown_at_its_own_deadline() -> None:
    """Its deadline is its own, however slow the other points of the device are."""
    slow = zone("h01-door", ZoneKind.DOOR, fresh_ms=60_000)
    house = House(village(PANIC, slow))
    house.look(h01_panic=False, h01_door=False)
    for _ in range(2):
        house.later(FRESH_MS)
        assert [born.health for born in house.gateway.birth_zones()] == ["unknown", "online"]
        house.look()


def test_an_answer_of_points_that_nobody_watches_ends_no_silence() -> None:
    """The relays of a board answer while its inputs do not: it stays lost, and its outputs are not driven anew."""
    house = home()
    house.later(LOST_MS)
    house.drives.clear()
    for _ in range(5):
        house.later(400)
        at_ns = house.now.mono_ns
        house.looked(Reading("gpio", at_ns, at_ns, {"relay": False}))
    assert house.told() == [("device_lost", "new", None)]
    assert house.drives == []


def test_the_limit_is_the_sites() -> None:
    """A site may want to know sooner or later."""
    house = home(Limits(device_lost_ms=60_000))
    house.later(59_999)
    assert house.events == []
    house.later(1)
    assert [event.kind for event in house.events] == [Kind.DEVICE_LOST]


@pytest.mark.parametrize("before_ms", [2_000, LOST_MS + 2_000])
def test_a_restart_in_a_silence_neither_loses_nor_doubles_the_record(before_ms: int) -> None:
    """Whether it was told before the restart or not: one record of the loss and one of its end."""
    house = home()
    house.later(before_ms)
    again = house.restarted()
    again.values = house.values
    again.later(LOST_MS + 10_000)
    again.look()
    again.watch(20_000)
    told = [*house.told(), *again.told()]
    assert told == [("device_lost", "new", None), ("device_lost", "restore", None)]
    assert len({event.key for event in (*house.events, *again.events)}) == 1


def test_a_restart_in_a_short_silence_tells_nothing() -> None:
    """Seen again soon after the start: nothing was lost."""
    house = home()
    house.later(2_000)
    again = house.restarted()
    again.values = house.values
    again.look()
    again.watch(20_000)
    assert again.events == []


@pytest.mark.parametrize("told", [True, False])
def test_a_restart_in_the_silence_of_a_point_neither_loses_nor_doubles_the_record(told: bool) -> None:
    """One record of the loss and one of its end for the one point that fails."""
    house = home()
    for _ in range(30 if told else 4):
        house.later(400)
        house.fail("h01_panic")
    again = house.restarted()
    again.values = house.values
    for _ in range(40):
        again.later(400)
        again.fail("h01_panic")
    again.watch(2_000)
    expected = [("zone_fault", "new", "h01-panic"), ("zone_fault", "restore", "h01-panic")]
    assert [*house.told(), *again.told()] == expected
