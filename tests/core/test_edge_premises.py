"""Armed and disarmed: what an opening means, and what a household's comings and goings give away (nothing)."""

from __future__ import annotations

import pytest

from edge.core.site import Arming, Contact, Limits, Mode, Premises, ZoneKind
from protocol.kinds import Kind, Priority
from protocol.messages import Action, Outcome
from tests.support.house import House, village, zone

DOOR = zone("h01-door", ZoneKind.DOOR, entry_route=True)
WINDOW = zone("h01-window", ZoneKind.WINDOW)
MOTION = zone("h01-motion", ZoneKind.MOTION)
KEY = zone("h01-key", ZoneKind.KEYSWITCH)
QUIET = {"h01_door": False, "h01_window": False, "h01_motion": False, "h01_key": False}


def home(mode: Mode = Mode.DISARMED, told: bool = False, **keys: object) -> House:
    premises = Premises("h01", True, ("east",), mode, report_arming=told, **keys)  # type: ignore[arg-type]
    house = House(village(DOOR, WINDOW, MOTION, KEY, homes=[premises, Premises("h02", True, ("east",))]))
    house.look(**QUIET)
    house.reports.clear()
    return house


def trip(house: House, point: str) -> None:
    house.look(**{point: True})
    house.look(**{point: False})


@pytest.mark.parametrize(
    ("mode", "point", "raised"),
    [
        (Mode.DISARMED, "h01_window", False),
        (Mode.DISARMED, "h01_motion", False),
        (Mode.ARMED_HOME, "h01_window", True),
        (Mode.ARMED_HOME, "h01_motion", False),
        (Mode.ARMED_AWAY, "h01_window", True),
        (Mode.ARMED_AWAY, "h01_motion", True),
    ],
)
def test_a_zone_is_live_as_the_mode_says(mode: Mode, point: str, raised: bool) -> None:
    """Perimeter in both armed modes, interior only when everybody is away."""
    house = home(mode)
    trip(house, point)
    assert [event.kind for event in house.events if event.zone][:1] == ([Kind.INTRUSION] if raised else [])


def test_an_intrusion_sounds_in_the_house_only() -> None:
    """The house siren for 180 s; neighbours are the hub's decision, after confirmation."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_window=True)
    assert house.events[0].priority is Priority.P2
    assert {"h01"} == house.ringing()
    house.watch(179_000)
    assert {"h01"} == house.ringing()
    house.watch(2_000)
    assert set() == house.ringing()


def test_the_way_in_waits_for_the_code() -> None:
    """Disarmed inside the entry delay: nobody outside learns anything."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    house.watch(29_000)
    house.order(Action.DISARM, "h01")
    house.watch(60_000)
    assert house.events == []
    assert house.points() == []


def test_the_entry_delay_ends_in_an_intrusion() -> None:
    """Nobody disarmed: the door, and the room behind it that saw somebody meanwhile, are two records of one cause."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    house.look(h01_motion=True)
    assert house.events == []
    house.watch(30_000)
    assert house.told() == [("intrusion", "new", "h01-door"), ("intrusion", "new", "h01-motion")]
    assert house.events[0].detail["entry_ms"] == 30_000
    assert house.rang("h01") == 1


def test_a_window_does_not_wait_for_the_code() -> None:
    """A zone that is not the way in is an intrusion at once, even while the entry delay runs."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_door=True)
    house.look(h01_window=True)
    assert house.told() == [("intrusion", "new", "h01-window")]


def test_while_disarmed_only_health_leaves_a_home() -> None:
    """Doors and rooms of a disarmed household make no record and no reading but health."""
    house = home()
    for point in ("h01_door", "h01_window", "h01_motion", "h01_key"):
        for _ in range(20):
            trip(house, point)
    assert house.events == []
    assert [point for point, _ in house.points() if not point.endswith("/health")] == []


@pytest.mark.parametrize("told", [False, True])
def test_arming_leaves_the_house_only_by_choice(told: bool) -> None:
    """A household's arming is told only where it opted in."""
    house = home(told=told)
    house.order(Action.ARM, "h01", mode="armed_away")
    house.order(Action.DISARM, "h01")
    assert [event.kind for event in house.events] == ([Kind.ARMED, Kind.DISARMED] if told else [])
    assert bool(house.points()) is told


def test_arming_is_refused_with_every_reason() -> None:
    """An open window and a zone that cannot be seen hinder; the open door is the way out and does not."""
    house = home()
    house.look(h01_window=True, h01_door=True)
    house.watch(1_000)
    house.fail("h01_motion")
    house.watch(1_000, every_ms=100)
    house.later(5_000)
    house.look()
    for _ in range(4):
        house.later(400)
        house.fail("h01_motion")
    [result] = house.order(Action.ARM, "h01", mode="armed_away")
    assert (result.outcome, result.reason) == (
        Outcome.REFUSED,
        "zone h01-window is open; zone h01-motion is unknown",
    )
    assert house.memory.modes["h01"] == "disarmed"


def test_arming_needs_a_mode() -> None:
    """An order to arm says how."""
    [result] = home().order(Action.ARM, "h01")
    assert (result.outcome, result.reason) == (Outcome.REFUSED, "no mode; allowed: armed_home, armed_away")


def test_the_exit_delay_lets_people_leave() -> None:
    """Rooms and the way out do not count until it ends."""
    house = home()
    house.order(Action.ARM, "h01", mode="armed_away")
    trip(house, "h01_motion")
    trip(house, "h01_door")
    house.watch(61_000)
    assert house.events == []
    trip(house, "h01_motion")
    assert house.told()[:1] == [("intrusion", "new", "h01-motion")]


def test_a_door_left_open_at_the_end_of_the_exit_delay_counts_as_coming_in() -> None:
    """Exit error: the entry delay runs, then it is an intrusion."""
    house = home()
    house.order(Action.ARM, "h01", mode="armed_away")
    house.look(h01_door=True)
    house.watch(61_000)
    assert house.events == []
    house.watch(30_000)
    assert house.told() == [("intrusion", "new", "h01-door")]
    assert house.events[0].detail["exit_error"] is True


@pytest.mark.parametrize(("after_ms", "kinds"), [(29_000, ["cancel"]), (31_000, ["intrusion"])])
def test_a_disarm_withdraws_an_intrusion_inside_the_abort_window(after_ms: int, kinds: list[str]) -> None:
    """Inside it a cancel names the cause; after it the intrusion just ends. The siren falls silent either way."""
    house = home(Mode.ARMED_AWAY)
    house.look(h01_window=True)
    key = house.events[0].key
    house.watch(after_ms)
    house.order(Action.DISARM, "h01")
    assert [(event.kind.value, event.key) for event in house.events[1:]] == [(kind, key) for kind in kinds]
    assert set() == house.ringing()


def test_the_keyswitch_arms_and_disarms() -> None:
    """Turned, it acts; where it stands at start it does not."""
    house = home(told=True)
    house.look(h01_key=True)
    assert house.memory.modes["h01"] == "armed_away"
    house.look(h01_key=False)
    assert house.memory.modes["h01"] == "disarmed"


def test_a_refused_keyswitch_is_heard() -> None:
    """The house siren chirps: somebody thinks that they armed."""
    house = home()
    house.look(h01_window=True)
    house.look(h01_key=True)
    assert {"h01"} == house.ringing()
    house.later(500)
    assert set() == house.ringing()
    assert house.memory.modes["h01"] == "disarmed"


def test_a_swinging_zone_is_left_out_after_two_trips() -> None:
    """Two alarms, one maintenance record, then silence until it has been quiet for eight hours."""
    house = home(Mode.ARMED_AWAY)
    for _ in range(5):
        trip(house, "h01_window")
        house.watch(60_000, every_ms=900)
    assert [kind for kind, qualifier, _ in house.told() if qualifier == "new"] == [
        "intrusion",
        "intrusion",
        "swinger_bypass",
    ]
    house.later(8 * 3_600_000)
    house.look()
    house.look(h01_window=True)
    assert house.told()[-1] == ("intrusion", "new", "h01-window")


def test_arming_anew_takes_a_swinging_zone_in_again() -> None:
    """From home to away: it trips again, and is counted from nothing."""
    house = home(Mode.ARMED_HOME, exit_ms=0)
    trip(house, "h01_window")
    trip(house, "h01_window")
    assert {"h01-window": "swinger"} == house.memory.bypassed
    house.order(Action.ARM, "h01", mode="armed_away")
    house.events.clear()
    house.later(360_000)
    house.look()
    house.look(h01_window=True)
    assert ("intrusion", "new", "h01-window") in house.told()
    assert {} == house.memory.bypassed


def test_any_change_breaks_the_quiet_of_a_swinging_zone() -> None:
    """Seven hours quiet, one opening: eight more."""
    house = home(Mode.ARMED_AWAY)
    for _ in range(2):
        trip(house, "h01_window")
    house.later(7 * 3_600_000)
    house.look()
    trip(house, "h01_window")
    house.later(7 * 3_600_000)
    assert {"h01-window": "swinger"} == house.memory.bypassed
    house.later(3_600_000)
    assert {} == house.memory.bypassed


def test_taking_a_zone_in_again_does_not_tell_when_a_household_came_home() -> None:
    """The end of a bypass is told hours after the disarm that ended it."""
    house = home(Mode.ARMED_AWAY)
    trip(house, "h01_window")
    trip(house, "h01_window")
    assert house.events[-1].kind in (Kind.SWINGER_BYPASS, Kind.INTRUSION)
    house.watch(60_000, every_ms=900)
    house.events.clear()
    house.order(Action.DISARM, "h01")
    assert house.told() == []
    house.later(8 * 3_600_000)
    assert ("swinger_bypass", "restore", "h01-window") in house.told()


def test_a_door_in_the_wind_is_one_record() -> None:
    """More than ten changes in a minute: chatter, left out until it has been quiet for a minute."""
    limits = Limits()
    gate = zone("h01-gate", ZoneKind.TAMPER)
    house = House(village(gate, limits=limits))
    house.look(h01_gate=False)
    for _ in range(30):
        house.later(500)
        house.look(h01_gate=not house.values["h01_gate"])
    assert sum(event.kind is Kind.CHATTER for event in house.events) == 1
    assert len(house.events) == limits.chatter_transitions + 1
    house.watch(61_000)
    assert house.told()[-1] == ("chatter", "restore", "h01-gate")


@pytest.mark.parametrize("kind", [ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SMOKE, ZoneKind.GAS])
def test_nothing_leaves_out_a_zone_a_life_hangs_on(kind: ZoneKind) -> None:
    """Neither chatter nor an order bypasses it."""
    house = House(village(zone("h01-z", kind)))
    house.look(h01_z=False)
    for _ in range(30):
        trip(house, "h01_z")
    [result] = house.order(Action.BYPASS, "h01", zone="h01-z")
    assert result.outcome is Outcome.REFUSED
    assert {event.kind for event in house.events} == {house.events[0].kind}


def test_every_change_of_a_reporting_zone_leaves_and_raises_nothing() -> None:
    """An opted-in door that moves a hundred times: a hundred readings in order, no record, no chatter."""
    house = House(village(zone("h01-door", ZoneKind.DOOR, Contact(True), report="every")))
    house.look(h01_door=False)
    for _ in range(100):
        house.later(100)
        house.look(h01_door=not house.values["h01_door"])
    told = [value for point, value in house.points() if point == "zone/h01-door"]
    assert told == ["normal", *["alarm", "normal"] * 50]
    assert house.events == []


def test_a_site_armed_round_the_clock_door_is_always_live() -> None:
    """An arming class set by configuration wins over the kind's."""
    house = House(village(zone("h01-safe", ZoneKind.DOOR, arming=Arming.ALWAYS)))
    house.look(h01_safe=False)
    house.look(h01_safe=True)
    assert house.told() == [("intrusion", "new", "h01-safe")]
