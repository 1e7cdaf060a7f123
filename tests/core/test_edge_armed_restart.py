"""An armed period goes on through a restart: its delays, what waits on the way in, its trips, its abort window."""

from __future__ import annotations

import pytest

from edge.core.site import Limits, Mode, Premises, ZoneKind
from protocol.messages import Action
from protocol.records import ClockQuality
from tests.support.house import House, village, zone

OTHER_BOOT = "1" * 32
BOOTS = pytest.mark.parametrize("kboot", [None, OTHER_BOOT])
QUIET = {"h01_door": False, "h01_window": False, "h01_motion": False}


def home(mode: Mode = Mode.DISARMED) -> House:
    zones = (
        zone("h01-door", ZoneKind.DOOR, entry_route=True),
        zone("h01-window", ZoneKind.WINDOW),
        zone("h01-motion", ZoneKind.MOTION),
    )
    homes = [Premises("h01", True, ("east",), mode), Premises("h02", True, ("east",))]
    house = House(village(*zones, homes=homes, limits=Limits()))
    house.look(**QUIET)
    return house


@BOOTS
def test_who_is_on_the_way_out_raises_nothing(kboot: str | None) -> None:
    """The exit delay goes on for what is left of it, and then ends."""
    house = home()
    house.order(Action.ARM, "h01", mode="armed_away")
    house.watch(20_000)
    again = house.restarted(5_000, kboot)
    again.look(**{**QUIET, "h01_motion": True, "h01_door": True})
    again.watch(30_000)
    again.look(**QUIET)
    assert [] == again.events
    again.watch(6_000)
    again.look(h01_motion=True)
    assert [("intrusion", "new", "h01-motion")] == again.told()


@BOOTS
def test_who_came_in_and_closed_the_door_behind_is_not_missed(kboot: str | None) -> None:
    """The entry delay goes on, from when it began, for what is left of it."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    house.look(h01_door=False)
    again = house.restarted(10_000, kboot)
    again.look(**QUIET)
    again.watch(19_000)
    assert [] == again.events
    again.watch(1_500)
    assert [("intrusion", "new", "h01-door")] == again.told()


@BOOTS
def test_who_came_in_and_goes_on_to_the_room_has_the_time_that_is_left(kboot: str | None) -> None:
    """A room behind the way in waits with it; a disarm in time and nobody hears of it."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    again = house.restarted(5_000, kboot)
    again.look(**{**QUIET, "h01_motion": True})
    again.watch(20_000)
    again.order(Action.DISARM, "h01")
    again.watch(60_000)
    assert [] == again.events


def test_an_entry_that_ended_while_nobody_watched_waits_for_the_wires() -> None:
    """Not judged at the start, but once what is to be seen has been seen."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    again = house.restarted(60_000)
    assert [] == again.events
    again.look(**QUIET)
    again.watch(4_000)
    assert [] == again.events
    again.watch(2_000)
    assert [("intrusion", "new", "h01-door")] == again.told()


def test_without_a_clock_a_delay_goes_on_from_where_it_was() -> None:
    """How long the power was off is not known: the whole of what was left then."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    again = house.restarted(3_600_000, OTHER_BOOT, ClockQuality.UNSET)
    again.look(**QUIET)
    again.watch(29_000)
    assert [] == again.events
    again.watch(2_000)
    assert [("intrusion", "new", "h01-door")] == again.told()


@BOOTS
@pytest.mark.parametrize(("after_ms", "kind"), [(10_000, "cancel"), (40_000, "intrusion")])
def test_the_abort_window_is_measured_from_the_intrusion(kboot: str | None, after_ms: int, kind: str) -> None:
    """A disarm by the next process cancels inside it, and not after it."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_window=True)
    again = house.restarted(after_ms, kboot)
    again.look(**{**QUIET, "h01_window": True})
    again.events.clear()
    again.order(Action.DISARM, "h01")
    assert [kind] == [event.kind.value for event in again.events]


def test_a_zone_that_swings_is_left_out_whatever_restarts_between() -> None:
    """One trip before and one after are two of one armed period."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_window=True)
    house.look(h01_window=False)
    again = house.restarted()
    again.look(**QUIET)
    again.look(h01_window=True)
    assert {"h01-window": "swinger"} == again.memory.bypassed


@pytest.mark.parametrize("how", ["restart", "blip"])
def test_a_room_that_still_saw_who_left_makes_no_alarm_by_being_seen_anew(how: str) -> None:
    """Its detector held past the exit delay: neither a restart nor a lost poll makes an intrusion of that; the next
    time it sees somebody is one."""
    house = home()
    house.order(Action.ARM, "h01", mode="armed_away")
    house.look(h01_motion=True)
    house.watch(61_000)
    if how == "restart":
        house = house.restarted()
        house.look(**{**QUIET, "h01_motion": True})
    else:
        for _ in range(5):
            house.later(400)
            house.fail("h01_motion")
    house.look()
    house.watch(1_000)
    assert [] == house.events
    house.look(h01_motion=False)
    house.look(h01_motion=True)
    assert [("intrusion", "new", "h01-motion")] == house.told()


def test_a_zone_that_is_gone_from_the_site_waits_no_more() -> None:
    """The configuration changed between: no record of a zone that there is not."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    smaller = village(zone("h01-window", ZoneKind.WINDOW), homes=house.site.premises)
    again = House(smaller, house.memory, 2, ms=house.ms + 1_000)
    again.look(h01_window=False)
    again.watch(60_000)
    assert [] == again.events
