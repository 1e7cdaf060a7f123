"""What is turned and pressed at the premises: keyswitch, arm button, duress position, forced arming."""

from __future__ import annotations

import pytest

from edge.core.site import Hand, Mode, Premises, Zone, ZoneKind
from protocol.messages import Action, Outcome
from tests.support.house import House, village, zone

HOLD = Hand(hold_ms=3_000)
QUIET = {"h01_window": False, "h01_motion": False, "h01_key": False, "h01_button": False, "h01_duress": False}


def home(*, mode: Mode = Mode.DISARMED, told: bool = False, hand: Hand = HOLD, disarms: bool = True) -> House:
    zones: list[Zone] = [
        zone("h01-window", ZoneKind.WINDOW),
        zone("h01-motion", ZoneKind.MOTION),
        zone("h01-key", ZoneKind.KEYSWITCH, hand=hand),
        zone("h01-button", ZoneKind.ARM_BUTTON, hand=hand),
        zone("h01-duress", ZoneKind.DURESS, disarms=disarms),
    ]
    homes = [Premises("h01", True, ("east",), mode, report_arming=told, exit_ms=0), Premises("h02", True, ("east",))]
    house = House(village(*zones, homes=homes))
    house.look(**QUIET)
    house.reports.clear()
    return house


def press(house: House, ms: int) -> None:
    house.look(h01_button=True)
    house.watch(ms)
    house.look(h01_button=False)


def test_a_press_arms_as_configured() -> None:
    """Shorter than the hold time: the mode of the button."""
    house = home(hand=Hand(Mode.ARMED_HOME, hold_ms=3_000))
    press(house, 800)
    assert "armed_home" == house.memory.modes["h01"]


def test_a_button_without_a_hold_time_arms_at_its_edge() -> None:
    """Nothing to wait for; letting go does nothing."""
    house = home(hand=Hand())
    house.look(h01_button=True)
    assert "armed_away" == house.memory.modes["h01"]
    house.watch(10_000)
    house.look(h01_button=False)
    assert "armed_away" == house.memory.modes["h01"]


def test_a_held_button_disarms_while_it_is_held_and_letting_go_does_not_arm_again() -> None:
    """At the hold time, not at the end of the press."""
    house = home(mode=Mode.ARMED_AWAY)
    house.look(h01_button=True)
    house.watch(2_900)
    assert "armed_away" == house.gateway.memory().modes["h01"]
    house.watch(200)
    assert "disarmed" == house.gateway.memory().modes["h01"]
    house.look(h01_button=False)
    assert "disarmed" == house.gateway.memory().modes["h01"]


def test_a_press_whose_length_nobody_saw_is_none() -> None:
    """The line failed while it was held: neither armed nor disarmed by it."""
    house = home()
    house.look(h01_button=True)
    for _ in range(8):
        house.later(400)
        house.fail("h01_button")
    house.look(h01_button=False)
    assert "disarmed" == house.gateway.memory().modes["h01"]
    press(house, 800)
    assert "armed_away" == house.gateway.memory().modes["h01"]


def test_a_button_held_at_the_start_does_nothing() -> None:
    """It may have been held for hours, or be stuck."""
    again = home(mode=Mode.ARMED_AWAY).restarted()
    again.look(**{**QUIET, "h01_button": True})
    again.watch(5_000)
    again.look(h01_button=False)
    assert "armed_away" == again.gateway.memory().modes["h01"]


def test_a_refused_button_is_heard() -> None:
    """Something is open: the siren chirps and nothing is armed."""
    house = home()
    house.look(h01_window=True)
    press(house, 800)
    assert (1, "disarmed") == (house.rang("h01"), house.gateway.memory().modes["h01"])


def test_forced_arming_leaves_out_what_is_open_and_says_so() -> None:
    """The reply names it, the record too where arming is told; the rest is armed, and the next disarm ends it."""
    house = home(told=True)
    house.look(h01_window=True)
    [result] = house.order(Action.ARM, "h01", mode="armed_away", force=True)
    assert (Outcome.DONE, "left out: zone h01-window is open") == (result.outcome, result.reason)
    assert [("armed", "new", None), ("bypass", "new", "h01-window")] == house.told()
    assert "h01-window" == house.events[0].detail["left_out"]
    house.look(h01_window=False)
    house.look(h01_window=True)
    assert 2 == len(house.events)
    house.look(h01_motion=True)
    assert ("intrusion", "new", "h01-motion") == house.told()[-1]
    house.order(Action.DISARM, "h01")
    assert ("bypass", "restore", "h01-window") in house.told()


def test_forced_arming_at_home_gives_away_nothing() -> None:
    """A household that keeps its arming to itself: no record and no reading of it leaves."""
    house = home(hand=Hand(force=True))
    house.look(h01_window=True)
    house.look(h01_key=True)
    assert ("armed_away", {"h01-window": "forced"}) == (house.memory.modes["h01"], house.memory.bypassed)
    assert [] == house.events
    assert [] == [point for point, _ in house.points() if not point.endswith("/health")]


def test_a_zone_left_out_by_force_is_judged_anew_when_armed_again() -> None:
    """From home to away without disarming: what was forced out once hinders again."""
    house = home()
    house.look(h01_window=True)
    house.order(Action.ARM, "h01", mode="armed_home", force=True)
    [result] = house.order(Action.ARM, "h01", mode="armed_away")
    assert "zone h01-window is open" == result.reason


def test_a_zone_that_cannot_be_seen_is_left_out_by_force_too() -> None:
    """Unknown hinders as open does."""
    house = home()
    for _ in range(5):
        house.later(400)
        house.fail("h01_motion")
    [result] = house.order(Action.ARM, "h01", mode="armed_away", force=True)
    assert "left out: zone h01-motion is unknown" == result.reason


def test_a_swinging_zone_that_is_open_hinders_the_next_arming() -> None:
    """Its bypass ends with the armed period, so it would be armed open, and never trip."""
    house = home(mode=Mode.ARMED_HOME)
    for _ in range(2):
        house.look(h01_window=False)
        house.look(h01_window=True)
    assert {"h01-window": "swinger"} == house.memory.bypassed
    [result] = house.order(Action.ARM, "h01", mode="armed_away")
    assert "zone h01-window is open" == result.reason


def test_a_disarm_under_duress_looks_like_any_other_and_withdraws_nothing() -> None:
    """Siren silent, disarmed; a silent P1, and no cancel of the intrusion."""
    house = home(mode=Mode.ARMED_AWAY)
    house.look(h01_window=True)
    assert {"h01"} == house.ringing()
    house.look(h01_duress=True)
    assert set() == house.ringing()
    assert "disarmed" == house.memory.modes["h01"]
    assert [
        ("intrusion", "new", "h01-window"), ("duress", "new", "h01-duress"), ("intrusion", "restore", "h01-window"),
    ] == house.told()  # fmt: skip


def test_what_the_premises_sees_of_a_disarm_is_the_same_under_duress() -> None:
    """Every output is driven as by the keyswitch."""

    def drives(point: str, value: bool) -> list[tuple[str, bool]]:
        house = home(mode=Mode.ARMED_AWAY)
        house.look(h01_key=True)
        house.look(h01_window=True)
        house.drives.clear()
        house.look(**{point: value})
        house.watch(60_000)
        return [(drive.output, drive.on) for drive in house.drives]

    assert drives("h01_key", False) == drives("h01_duress", True)


@pytest.mark.parametrize("moved", [False, True])
def test_a_key_turned_while_the_gateway_was_dead_is_turned(moved: bool) -> None:
    """Home again during the restart: no alarm of the window they opened then; a key that stands as before is none."""
    house = home()
    house.look(h01_key=True)
    again = house.restarted()
    again.looked_at(h01_window=True)
    again.later(400)
    again.look(**{**QUIET, "h01_window": True, "h01_key": not moved})
    again.watch(10_000)
    assert ([] if moved else [("intrusion", "new", "h01-window")]) == again.told()
    assert ("disarmed" if moved else "armed_away") == again.gateway.memory().modes["h01"]


def test_a_key_that_cannot_be_seen_after_a_restart_delays_an_opening_by_seconds() -> None:
    """Its board is dead: the open window counts all the same."""
    house = home()
    house.look(h01_key=True)
    again = house.restarted()
    for _ in range(15):
        again.looked_at(h01_window=True, h01_motion=False)
        again.later(400)
    assert ("intrusion", "new", "h01-window") in again.told()
