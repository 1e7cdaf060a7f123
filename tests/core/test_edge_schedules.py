"""Arming by schedule: opening hours, nights, holidays; warned, postponed, missed, and never without a clock."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config.model import GatewayTable
from edge.config.schedules import calendar_of
from edge.core.calendar import Calendar, Holidays, Schedule, between
from edge.core.site import Hand, Mode, Premises, ZoneKind
from protocol.messages import Action
from protocol.records import ClockQuality
from tests.support.house import House, village, zone

SHANGHAI = Calendar(((0, 28_800),))
MONDAY = datetime(2026, 11, 23, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai"))
HOUR = 3_600_000
MINUTE = 60_000
OPEN = Schedule("hours", ("h01",), arm_min=19 * 60, disarm_min=8 * 60)
QUIET = {"h01_door": False, "h01_window": False, "h01_motion": False, "h01_key": False, "h01_button": False}


def wall_ms(hour: float, days: int = 0) -> int:
    return round(MONDAY.timestamp() * 1000 + (days * 24 + hour) * HOUR)


def shop(
    at_h: float, *schedules: Schedule, mode: Mode = Mode.DISARMED, quality: ClockQuality = ClockQuality.SYNCED
) -> House:
    """A shop on a Monday at an hour of the day."""
    premises = Premises("h01", False, ("east",), mode, report_arming=True, exit_ms=0)
    site = village(
        zone("h01-door", ZoneKind.DOOR, entry_route=True),
        zone("h01-window", ZoneKind.WINDOW),
        zone("h01-motion", ZoneKind.MOTION),
        zone("h01-key", ZoneKind.KEYSWITCH),
        zone("h01-button", ZoneKind.ARM_BUTTON, hand=Hand()),
        homes=[premises, Premises("h02", True, ("east",))],
    )
    site = replace(site, schedules=schedules or (OPEN,), calendar=SHANGHAI)
    house = House(site, start_ms=wall_ms(at_h), quality=quality)
    house.look(**QUIET)
    return house


def moded(house: House) -> str:
    return house.gateway.memory().modes["h01"]


def pass_time(house: House, ms: int) -> None:
    """Hours go by, and all is still looked at as it was."""
    house.later(ms)
    house.look()
    house.events[:] = [event for event in house.events if event.kind != "device_lost"]


def kinds(house: House) -> list[str]:
    return [event.kind.value for event in house.events]


def test_a_shop_is_armed_when_it_closes_and_disarmed_when_it_opens() -> None:
    """At its local times, as automatic closing and opening, with a chirp a minute before."""
    house = shop(18.9)
    house.watch(6 * MINUTE + 500, 900)
    assert (1, "disarmed") == (house.rang("h01"), moded(house))
    house.watch(MINUTE, 900)
    assert ("armed_away", ["auto_armed"]) == (moded(house), kinds(house))
    house.watch(60 * MINUTE, 900)
    pass_time(house, 12 * HOUR)
    assert "disarmed" == moded(house)
    assert "auto_disarmed" in kinds(house)


@pytest.mark.parametrize("answer", ["h01_button", "h01_key"])
def test_somebody_still_there_postpones(answer: str) -> None:
    """A press, or the key turned off, after the chirp: half an hour later it chirps again and arms."""
    house = shop(18.99)
    if answer == "h01_key":
        house.look(h01_key=True)
        house.order(Action.DISARM, "h01")
    house.watch(MINUTE, 900)
    assert 1 == house.rang("h01")
    house.look(**{answer: answer == "h01_button"})
    house.watch(28 * MINUTE, 900)
    assert ("disarmed", 2) == (moded(house), house.rang("h01"))
    house.watch(MINUTE + 30_000, 900)
    assert 3 == house.rang("h01")
    house.watch(MINUTE, 900)
    assert "armed_away" == moded(house)


def test_postponing_ends() -> None:
    """After the last postponement a press changes nothing."""
    one = Schedule("hours", ("h01",), arm_min=19 * 60, postpone_max=1, postpone_ms=5 * MINUTE)
    house = shop(18.999, one)
    for _ in range(2):
        house.watch(30_000, 900)
        house.look(h01_button=True)
        house.look(h01_button=False)
        house.watch(4 * MINUTE, 900)
    house.watch(2 * MINUTE, 900)
    assert "armed_away" == moded(house)


def test_who_arms_during_the_warning_has_armed() -> None:
    """The key turned on: armed by it, and not a second time."""
    house = shop(18.99)
    house.watch(MINUTE, 900)
    house.look(h01_key=True)
    house.watch(2 * MINUTE, 900)
    assert ["armed"] == kinds(house)


def test_what_is_open_at_closing_is_left_out_and_told() -> None:
    """A shop is rather armed without one window than not at all."""
    house = shop(18.99)
    house.look(h01_window=True)
    house.watch(3 * MINUTE, 900)
    assert ["auto_armed", "bypass"] == kinds(house)
    assert "h01-window" == house.events[0].detail["left_out"]


def test_a_schedule_that_does_not_force_says_that_it_could_not() -> None:
    """Refused: chirped, recorded, and ended by the next arming."""
    house = shop(18.99, Schedule("hours", ("h01",), arm_min=19 * 60, force=False, warn_ms=0))
    house.look(h01_window=True)
    house.watch(2 * MINUTE, 900)
    assert ("disarmed", ["gateway_fault"], 1) == (moded(house), kinds(house), house.rang("h01"))
    assert "zone h01-window is open" == house.events[0].detail["reason"]
    house.look(h01_window=False)
    house.look(h01_key=True)
    assert ("gateway_fault", "restore", None) in house.told()


def test_a_schedule_does_not_disarm_over_an_intrusion() -> None:
    """Somebody broke in before opening time: the siren goes on, and no record says that it was withdrawn."""
    house = shop(7.999, mode=Mode.ARMED_AWAY)
    house.look(h01_window=True)
    house.watch(MINUTE, 900)
    assert ("armed_away", ["intrusion"], {"h01"}) == (moded(house), kinds(house), house.ringing())


def test_a_schedule_for_home_leaves_who_is_away_armed_away() -> None:
    """The night does not open the rooms of a house whose people are gone; a closing makes home into away."""
    night = Schedule("night", ("h01",), arm_min=22 * 60, mode=Mode.ARMED_HOME, warn_ms=0)
    away = shop(21.999, night, mode=Mode.ARMED_AWAY)
    away.watch(MINUTE, 900)
    assert "armed_away" == moded(away)
    home = shop(18.999, mode=Mode.ARMED_HOME)
    home.watch(2 * MINUTE, 900)
    assert "armed_away" == moded(home)


def test_nothing_acts_without_a_clock_and_that_is_told() -> None:
    """It may be any time of day; once it is known, what was missed is made up for."""
    house = shop(18.99, quality=ClockQuality.UNSET)
    house.watch(5 * MINUTE, 900)
    assert ("disarmed", ["gateway_fault"]) == (moded(house), kinds(house))
    assert ("schedule_clock_unset", "hours") == (
        house.events[0].detail["fault"], house.events[0].detail["schedules"],
    )  # fmt: skip
    house.quality = ClockQuality.SYNCED
    house.watch(2 * MINUTE, 900)
    assert ("gateway_fault", "restore", None) == house.told()[1]


@pytest.mark.parametrize(
    ("mode", "off_h", "on_h", "expected"),
    [
        (Mode.DISARMED, 18.7, 20, "armed_away"),
        (Mode.DISARMED, 18.7, 24 + 6.5, "armed_away"),
        (Mode.DISARMED, 18.7, 24 + 7.5, "disarmed"),
        (Mode.DISARMED, 18.7, 24 + 9, "disarmed"),
        (Mode.ARMED_AWAY, 6, 9, "disarmed"),
        (Mode.ARMED_AWAY, 6, 21, "armed_away"),
    ],
)
def test_what_a_gateway_missed_while_it_was_off_is_made_up_for(
    mode: Mode, off_h: float, on_h: float, expected: str
) -> None:
    """The latest moment counts, while it is younger than twelve hours, with its warning."""
    house = shop(off_h, mode=mode)
    house.watch(1_000)
    again = house.restarted(round((on_h - off_h) * HOUR))
    again.look(**QUIET)
    again.watch(2 * MINUTE, 900)
    assert expected == moded(again)


def test_what_a_hand_did_since_is_not_undone_when_the_clock_comes_back() -> None:
    """Without a clock it closed, and the keeper disarmed by key later: that was the last word."""
    house = shop(18.7)
    house.watch(1_000)
    again = house.restarted(1_000, "1" * 32, ClockQuality.UNSET)
    again.look(**QUIET)
    again.watch(30 * MINUTE, 900)
    again.look(h01_key=True)
    again.look(h01_key=False)
    again.quality = ClockQuality.SYNCED
    again.watch(5 * MINUTE, 900)
    assert "disarmed" == moded(again)


def test_a_moment_acts_once_whatever_the_clock_does() -> None:
    """Set back by half an hour after closing: who disarmed since stays disarmed at the second seven o'clock."""
    house = shop(18.99)
    house.watch(3 * MINUTE, 900)
    assert "armed_away" == moded(house)
    house.order(Action.DISARM, "h01")
    house.start_ms -= 30 * MINUTE
    house.watch(45 * MINUTE, 900)
    assert "disarmed" == moded(house)


def test_a_clock_that_was_a_day_ahead_does_not_stop_a_schedule() -> None:
    """What it called past was not: today's closing acts."""
    house = shop(42.99)
    house.watch(3 * MINUTE, 900)
    house.order(Action.DISARM, "h01")
    house.start_ms -= 24 * HOUR + 10 * MINUTE
    house.watch(12 * MINUTE, 900)
    assert "armed_away" == moded(house)


def test_a_clock_set_forward_over_a_moment_does_not_lose_it() -> None:
    """The time service corrects by ten minutes at ten to closing."""
    house = shop(18.9)
    house.start_ms += 10 * MINUTE
    house.watch(2 * MINUTE, 900)
    assert "armed_away" == moded(house)


def test_a_restart_in_a_warning_warns_again() -> None:
    """An arming under way is not forgotten."""
    house = shop(18.999)
    house.watch(30_000, 900)
    again = house.restarted()
    again.look(**QUIET)
    again.watch(2 * MINUTE, 900)
    assert ("armed_away", 1) == (moded(again), again.rang("h01"))


@pytest.mark.parametrize(
    ("holidays", "expected"),
    [
        (Holidays.AS_USUAL, ["disarmed", "armed_away"]),
        (Holidays.CLOSED, ["armed_away"]),
        (Holidays.SKIP, []),
        (Holidays.ONLY, ["disarmed", "armed_away"]),
    ],
)
def test_a_holiday_is_kept_as_configured(holidays: Holidays, expected: list[str]) -> None:
    """On one of them; and on a working day only those for holidays alone are still."""
    one = Schedule("hours", ("h01",), arm_min=19 * 60, disarm_min=8 * 60, holidays=holidays)
    day = SHANGHAI.day(wall_ms(12))
    calendar = Calendar(SHANGHAI.offsets, ((day, day),))
    assert expected == [m.mode.value for m in between([one], calendar, wall_ms(0), wall_ms(24))]
    working = between([one], calendar, wall_ms(0, 1), wall_ms(24, 1))
    assert (0 if holidays is Holidays.ONLY else 2) == len(working)


def test_a_schedule_keeps_its_weekdays() -> None:
    """Monday to Friday, by the local day: two weeks have ten of them."""
    days = Schedule("hours", ("h01",), arm_min=30, days=frozenset(range(5)))
    found = between([days], SHANGHAI, wall_ms(0), wall_ms(0, 14))
    local = [datetime.fromtimestamp(m.at_ms / 1000, MONDAY.tzinfo) for m in found]
    assert [0, 1, 2, 3, 4] * 2 == [at.weekday() for at in local]
    assert {(0, 30)} == {(at.hour, at.minute) for at in local}


ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@given(st.sampled_from(ZONES), st.integers(0, 30 * 365), st.integers(0, 1_439))
def test_a_local_time_is_when_the_systems_own_arithmetic_says(name: str, days: int, minute: int) -> None:
    """Of a time there twice the first, of one that is skipped the jump."""
    table = GatewayTable.model_validate({"id": "gw", "area": "a", "timezone": name})
    calendar, faults = calendar_of(table, [], True, "site.toml")
    assert [] == faults
    local = datetime(2021, 1, 1) + timedelta(days=days)  # noqa: DTZ001  # a local day, without a zone
    at_ms = calendar.wall_ms((local - datetime(1970, 1, 1)).days, minute)  # noqa: DTZ001
    zoned = (local + timedelta(minutes=minute)).replace(tzinfo=zoneinfo.ZoneInfo(name))
    back = zoned.astimezone(UTC).astimezone(zoned.tzinfo)
    if back.replace(tzinfo=None) == zoned.replace(tzinfo=None):
        assert round(zoned.timestamp() * 1000) == at_ms
    else:
        before, after = (datetime.fromtimestamp(at_ms / 1000 + s, zoned.tzinfo).utcoffset() for s in (-1, 0))
        assert before != after
        assert abs(at_ms - zoned.timestamp() * 1000) <= 2 * HOUR


def test_a_household_that_keeps_its_arming_to_itself_is_not_given_away_by_its_schedule() -> None:
    """Armed by the clock with a window left out, and disarmed: nothing of it leaves."""
    homes = [Premises("h01", True, ("east",), exit_ms=0), Premises("h02", True, ("east",))]
    site = village(zone("h01-window", ZoneKind.WINDOW), homes=homes)
    house = House(replace(site, schedules=(OPEN,), calendar=SHANGHAI), start_ms=wall_ms(18.99))
    house.look(h01_window=True)
    house.watch(3 * MINUTE, 900)
    assert ("armed_away", {"h01-window": "forced"}) == (moded(house), house.memory.bypassed)
    pass_time(house, 13 * HOUR)
    assert "disarmed" == moded(house)
    assert [] == [event for event in house.events if event.premises is not None]
    assert {"zone/h01-window/health"} == {point for point, _ in house.points()}


def test_an_old_memory_has_missed_nothing() -> None:
    """A gateway that learns of schedules today does not make up for yesterday."""
    house = shop(20)
    house.watch(5 * MINUTE, 900)
    assert ("disarmed", []) == (moded(house), kinds(house))
    assert house.memory.scheduled["h01"] == wall_ms(20)
