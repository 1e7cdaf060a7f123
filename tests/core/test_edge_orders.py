"""Orders: they act once, in time, and every premises gets an answer with a reason."""

from __future__ import annotations

import pytest

from edge.core.io import Ordered
from edge.core.site import Mode, Premises, ZoneKind
from protocol.kinds import Kind
from protocol.messages import Action, Order, Outcome
from protocol.records import ClockQuality
from tests.support.house import START_MS, House, village, zone


def home() -> House:
    house = House(village(zone("h01-panic", ZoneKind.PANIC), zone("h01-door", ZoneKind.DOOR)))
    house.look(h01_panic=False, h01_door=False)
    return house


def siren_order(house: House, name: str = "o-x", **keys: object) -> Order:
    wall_ms = house.now.wall_ms
    fields: dict[str, object] = {
        "id": name, "area": "hengjie", "gateway": "gw-east", "action": Action.SIREN, "issued_ms": wall_ms,
        "expires_ms": wall_ms + 60_000, "premises": ["h02"], "keys": ["gw-west-1-1"],
    }  # fmt: skip
    return Order(**{**fields, **keys})  # type: ignore[arg-type]


def test_a_siren_order_rings_and_says_so() -> None:
    """One answer for each premises: done, not mine, nothing to ring with."""
    house = home()
    results = house.give(siren_order(house, premises=["h02", "h99"]))
    assert [(r.premises, r.outcome, r.reason) for r in results] == [
        ("h02", Outcome.DONE, ""),
        ("h99", Outcome.REFUSED, "not a premises of this gateway"),
    ]
    assert {"h02"} == house.ringing()


def test_a_repeated_order_answers_the_same_and_does_nothing() -> None:
    """The same id again: the same answer, no other effect."""
    house = home()
    order = siren_order(house)
    first = house.give(order)
    house.order(Action.SILENCE, "h02", keys=["gw-west-1-1"])
    before = list(house.drives)
    assert house.give(order) == first
    assert house.drives == before


def test_an_order_repeated_after_a_restart_does_nothing() -> None:
    """What was acted on is remembered until it would have expired."""
    house = home()
    order = siren_order(house, duration_ms=1_000)
    house.give(order)
    house.later(2_000)
    again = house.restarted()
    [result] = again.give(order)
    assert (result.outcome, result.reason) == (Outcome.DONE, "already acted on")
    assert again.rang("h02") == 0


@pytest.mark.parametrize(
    ("hub_ms", "keys", "reason"),
    [
        (START_MS + 60_001, {}, "expired 1 ms ago"),
        (START_MS, {"gateway": "gw-west"}, "for hengjie/gw-west, not for hengjie/gw-east"),
        (START_MS, {"area": "other"}, "for other/gw-east, not for hengjie/gw-east"),
        (START_MS, {"expires_ms": START_MS + 10**9}, "expires in 1000000000 ms; allowed: at most 86400000 ms"),
    ],
)
def test_an_order_that_is_not_good_does_nothing_and_says_why(hub_ms: int, keys: dict[str, object], reason: str) -> None:
    """Stale, for somebody else, or good for too long."""
    house = home()
    house.step(Ordered(siren_order(house, "o-x", **keys), hub_ms))
    assert [(r.outcome, r.reason) for r in house.answers[-1].results] == [(Outcome.REFUSED, reason)]
    assert house.ringing() == set()


@pytest.mark.parametrize("restart", [False, True])
def test_an_order_forgotten_after_its_time_is_not_good_again_when_time_goes_back(restart: bool) -> None:
    """Receipts carry the hub's time unsigned: whoever forges them must not make a recorded order act twice."""
    house = home()
    old = siren_order(house, "o-old", duration_ms=1_000)
    house.step(Ordered(old, START_MS))
    house.watch(2_000)
    house.step(Ordered(siren_order(house, "o-new", keys=["k2"], expires_ms=START_MS + 200_000), START_MS + 90_000))
    house.order(Action.SILENCE, "h02")
    if restart:
        house = house.restarted()
    house.step(Ordered(old, START_MS))
    [result] = house.answers[-1].results
    assert (result.outcome, result.reason.startswith("expired")) == (Outcome.REFUSED, True)
    assert house.ringing() == set()


def test_without_any_clock_an_order_may_be_an_old_one() -> None:
    """Neither hub time nor a set clock: refused; with a set clock of its own the gateway can tell."""
    house = home()
    outcomes = []
    for name, quality in (("o-x", ClockQuality.UNSET), ("o-y", ClockQuality.SYNCED)):
        house.quality = quality
        house.step(Ordered(siren_order(house, name), None))
        outcomes.append(house.answers[-1].results[0].outcome)
    assert outcomes == [Outcome.REFUSED, Outcome.DONE]


def test_a_siren_order_joins_what_rings_already() -> None:
    """The gateway rang its own group at once; the hub's order for the same cause joins."""
    house = home()
    house.look(h01_panic=True)
    [result] = house.give(siren_order(house, keys=[house.events[0].key]))
    assert result.outcome is Outcome.JOINED
    house.watch(301_000)
    [late] = house.give(siren_order(house, "o-y", keys=[house.events[0].key]))
    assert late.outcome is Outcome.JOINED
    assert house.rang("h02") == 1


def test_silence_that_overtakes_its_siren_wins() -> None:
    """Reordered on the way: what was silenced does not begin to sound."""
    house = home()
    house.order(Action.SILENCE, "h02", keys=["gw-west-1-1"])
    [result] = house.give(siren_order(house))
    assert result.outcome is Outcome.JOINED
    assert house.ringing() == set()


def test_silence_ends_only_the_causes_it_names() -> None:
    """A siren that sounds for two causes goes on for the other."""
    house = home()
    house.give(siren_order(house))
    house.give(siren_order(house, "o-y", keys=["gw-west-1-2"]))
    house.order(Action.SILENCE, "h02", keys=["gw-west-1-1"])
    assert {"h02"} == house.ringing()
    house.order(Action.SILENCE, "h02", keys=["gw-west-1-2"])
    assert set() == house.ringing()


@pytest.mark.parametrize("kind", [Kind.DURESS, Kind.SILENT_HOLDUP])
def test_a_silent_kind_never_sounds(kind: Kind) -> None:
    """Not even by order."""
    house = home()
    [result] = house.give(siren_order(house, kind=kind))
    assert result.outcome is Outcome.REFUSED
    assert house.ringing() == set()


def test_a_house_without_a_siren_says_so() -> None:
    """Refused with the reason, so that the hub can call in another way."""
    site = village(zone("h01-panic", ZoneKind.PANIC))
    house = House(type(site)(site.area, site.gateway, site.zones, site.premises, (), site.groups))
    [result] = house.give(siren_order(house))
    assert (result.outcome, result.reason) == (Outcome.REFUSED, "no siren here")


def test_a_siren_behind_a_silent_board_has_failed() -> None:
    """The relay board does not answer: the order is tried and reported as failed."""
    house = home()
    house.later(6_000)
    [result] = house.give(siren_order(house))
    assert (result.outcome, result.reason) == (Outcome.FAILED, "no answer from gpio")


def test_a_stand_down_ends_the_call() -> None:
    """Silence, the latch gone, and the next press is a new cause that rings again."""
    house = home()
    house.look(h01_panic=True)
    house.look(h01_panic=False)
    key = house.events[0].key
    house.order(Action.STAND_DOWN, "h01", "h02", "h03", keys=[key])
    assert set() == house.ringing()
    assert house.told()[-1] == ("panic", "restore", "h01-panic")
    house.look(h01_panic=True)
    assert house.events[-1].key != key
    assert house.rang("h02") == 2


def test_a_stand_down_waits_for_a_button_that_is_held() -> None:
    """The latch goes when the wire is well, and the answer says what still stands."""
    house = home()
    house.look(h01_panic=True)
    [result] = house.order(Action.STAND_DOWN, "h01", keys=[house.events[0].key])
    assert (result.outcome, result.reason) == (Outcome.DONE, "still in alarm: h01-panic")
    house.look(h01_panic=False)
    assert house.told()[-1] == ("panic", "restore", "h01-panic")


def test_a_reset_of_what_is_still_in_alarm_is_refused() -> None:
    """Nothing is cleared that is not over."""
    house = home()
    house.look(h01_panic=True)
    [result] = house.order(Action.RESET, "h01")
    assert (result.outcome, result.reason) == (Outcome.REFUSED, "zone h01-panic is still alarm")
    assert house.memory.latched == {"h01-panic": house.events[0].key}


def test_a_bypassed_zone_raises_nothing_until_the_disarm() -> None:
    """Left out by order for one armed period."""
    home = Premises("h01", True, ("east",), Mode.ARMED_AWAY)
    house = House(village(zone("h01-door", ZoneKind.DOOR), homes=[home]))
    house.look(h01_door=False)
    house.order(Action.BYPASS, "h01", zone="h01-door")
    house.look(h01_door=True)
    assert [event.kind for event in house.events] == [Kind.BYPASS]
    house.look(h01_door=False)
    house.order(Action.DISARM, "h01")
    house.order(Action.ARM, "h01", mode="armed_home")
    house.watch(61_000)
    house.look(h01_door=True)
    assert house.told()[-1] == ("intrusion", "new", "h01-door")


def test_a_zone_left_out_by_order_is_taken_in_by_a_reset_that_names_it() -> None:
    """Also one that is always live, which no disarm takes in; if it stands in alarm, that counts now."""
    house = House(village(zone("h01-lid", ZoneKind.TAMPER)))
    house.look(h01_lid=False)
    house.order(Action.BYPASS, "h01", zone="h01-lid")
    house.look(h01_lid=True)
    assert [("bypass", "new", "h01-lid")] == house.told()
    house.order(Action.RESET, "h01")
    assert {"h01-lid": "ordered"} == house.memory.bypassed
    [result] = house.order(Action.RESET, "h01", zone="h01-lid")
    assert (Outcome.DONE, {}) == (result.outcome, house.memory.bypassed)
    assert [("bypass", "restore", "h01-lid"), ("tamper", "new", "h01-lid")] == house.told()[1:3]


def test_a_test_is_a_record_and_a_short_sound() -> None:
    """The way to the hub is proved by a record; the siren sounds no longer than ten seconds."""
    house = home()
    house.order(Action.TEST, "h01", duration_ms=60_000)
    assert [event.kind for event in house.events] == [Kind.TEST]
    assert {"h01"} == house.ringing()
    house.watch(10_500)
    assert set() == house.ringing()


def test_a_refresh_tells_every_zone_again() -> None:
    """Health of all zones; no condition of a household leaves."""
    house = home()
    house.reports.clear()
    house.order(Action.REFRESH)
    assert house.points() == [("zone/h01-panic/health", "online"), ("zone/h01-door/health", "online")]


def test_coming_is_for_who_called() -> None:
    """Where nobody called, nothing blinks and the answer says so."""
    [result] = home().order(Action.COMING, "h02", keys=["x"])
    assert (result.outcome, result.reason) == (Outcome.DONE, "nobody is calling here")
