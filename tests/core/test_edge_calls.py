"""A whole call over two gateways: rung at once, joined by the hub, stood down, and called anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.io import Receipted, Stored
from edge.core.lamps import Stage
from edge.core.site import Output, Premises, Role, ZoneKind
from protocol.messages import Action, Outcome
from protocol.records import ClockQuality
from tests.support.house import House, village, zone

MINUTE_MS = 60_000


def gateway(name: str, *homes: str) -> House:
    """Each home of the group has a panic button with its lamp, and a siren."""
    buttons = [zone(f"{home}-panic", ZoneKind.PANIC) for home in homes]
    lamps = [Output(f"{home}-lamp", home, Role.LAMP, f"gpio/{home}_lamp", f"{home}-panic") for home in homes]
    site = village(*buttons, homes=[Premises(home, True, ("ten",)) for home in homes], outputs=lamps)
    house = House(replace(site, gateway=name))
    house.look(**{f"{home}_panic": False for home in homes})
    return house


def east() -> House:
    return gateway("gw-east", "h01", "h02")


def west() -> House:
    return gateway("gw-west", "h03", "h04")


def press(house: House, home: str = "h01", held: bool = False) -> str:
    """Press a button; gives the cause."""
    house.look(**{f"{home}_panic": True})
    if not held:
        house.look(**{f"{home}_panic": False})
    return house.events[-1].key


def stand_down(key: str, *houses: House, **more: object) -> None:
    """What the hub sends at resolve: silence and stand-down to everyone who was called and to the house itself."""
    for house in houses:
        homes = [premises.id for premises in house.site.premises]
        house.order(Action.SILENCE, *homes, keys=[key], **more)
        house.order(Action.STAND_DOWN, *homes, keys=[key], **more)


def outcomes(house: House, key: str, *homes: str, **more: object) -> set[Outcome]:
    """What became of the hub's order to call these homes."""
    return {result.outcome for result in house.order(Action.SIREN, *homes, keys=[key], pressed="h01", **more)}


def test_a_call_after_a_resolved_one_rings_everybody_again() -> None:
    """One minute after the stand-down the same button is a new cause, rung here and by the hub's order there."""
    mine, other = east(), west()
    first = press(mine)
    assert outcomes(mine, first, "h02") == {Outcome.JOINED}
    assert outcomes(other, first, "h03", "h04") == {Outcome.DONE}
    mine.watch(MINUTE_MS)
    other.watch(MINUTE_MS)
    stand_down(first, mine, other)
    assert (mine.ringing(), other.ringing()) == (set(), set())
    mine.watch(MINUTE_MS)
    other.watch(MINUTE_MS)
    second = press(mine)
    assert second != first
    assert mine.ringing() == {"h02"}
    assert outcomes(mine, second, "h02") == {Outcome.JOINED}
    assert outcomes(other, second, "h03", "h04") == {Outcome.DONE}
    assert [mine.rang("h02"), other.rang("h03"), other.rang("h04")] == [2, 2, 2]


def test_the_lamp_of_a_call_after_a_resolved_one_goes_its_way_from_the_start() -> None:
    """Dark at the stand-down; then pressed, stored and received by the records of the new call alone."""
    house = east()
    first = press(house)
    house.step(Stored((1,)))
    house.step(Receipted((1,)))
    house.order(Action.COMING, "h01", keys=[first])
    stand_down(first, house)
    assert not house.on["h01-lamp"]
    house.watch(MINUTE_MS)
    press(house)
    seq = house.events[-1].seq
    shown = [house.memory.lamps["h01-panic"]]
    for effect in (Receipted((1,)), Stored((seq,)), Receipted((seq,))):
        house.step(effect)
        shown.append(house.memory.lamps["h01-panic"])
    assert shown == [Stage.PRESSED, Stage.PRESSED, Stage.STORED, Stage.RECEIVED]


def test_word_of_the_old_call_that_comes_late_leaves_the_new_one_alone() -> None:
    """Sirens, silence, somebody coming and stand-down of the first cause: the second one's sirens and lamp stay."""
    mine, other = east(), west()
    first = press(mine)
    outcomes(other, first, "h03", "h04")
    stand_down(first, mine, other)
    mine.watch(MINUTE_MS)
    second = press(mine)
    outcomes(other, second, "h03", "h04")
    mine.order(Action.COMING, "h01", keys=[first])
    assert outcomes(other, first, "h03", "h04") == {Outcome.JOINED}
    stand_down(first, mine, other)
    assert (mine.ringing(), other.ringing()) == ({"h02"}, {"h03", "h04"})
    assert mine.memory.latched == {"h01-panic": second}
    assert mine.memory.lamps == {"h01-panic": Stage.RECEIVED}


def test_a_stand_down_at_a_neighbour_leaves_the_neighbours_own_call_alone() -> None:
    """h03 calls by itself while it is rung for h01: the end of the one is not the end of the other."""
    mine, other = east(), west()
    first = press(mine)
    outcomes(other, first, "h03", "h04")
    own = press(other, "h03")
    stand_down(first, mine, other)
    assert other.memory.latched == {"h03-panic": own}
    assert other.ringing() == {"h04"}
    assert other.on["h03-lamp"]
    assert press(other, "h03") == own


@pytest.mark.parametrize("restart", [False, True])
def test_a_stand_down_that_overtakes_its_sirens_is_not_rung_and_the_next_call_is(restart: bool) -> None:
    """A gateway that never held the latch, restarted or not: the old cause stays silent, the new one rings."""
    other = west()
    stand_down("gw-east-1-1", other)
    if restart:
        other = other.restarted()
    assert outcomes(other, "gw-east-1-1", "h03", "h04") == {Outcome.JOINED}
    assert outcomes(other, "gw-east-1-2", "h03", "h04") == {Outcome.DONE}
    assert other.ringing() == {"h03", "h04"}


@pytest.mark.parametrize("between", ["nothing", "restart", "silence", "restart in silence"])
def test_a_button_held_through_a_stand_down_calls_anew_when_pressed_again(between: str) -> None:
    """Its latch goes when it is let go, whatever came between; the next press is a new cause and rings."""
    house = east()
    first = press(house, held=True)
    stand_down(first, house)
    events = house.events
    if "silence" in between:
        house.later(5_000)
    if "restart" in between:
        values, house = house.values, house.restarted()
        house.values, house.events = values, events
    house.look()
    house.watch(MINUTE_MS)
    assert house.ringing() == set()
    house.look(h01_panic=False)
    assert house.told()[-1] == ("panic", "restore", "h01-panic")
    assert house.memory.latched == {}
    house.watch(2_000)
    assert press(house) != first
    assert house.ringing() == {"h02"}


def test_a_button_held_through_a_stand_down_shows_no_call() -> None:
    """The call is over, so its lamp is dark, and late word of somebody coming does not light it."""
    house = east()
    first = press(house, held=True)
    house.order(Action.COMING, "h01", keys=[first])
    stand_down(first, house)
    house.order(Action.COMING, "h01", keys=[first])
    house.watch(2_000)
    assert not house.on["h01-lamp"]
    assert house.memory.lamps == {}


def test_a_press_after_a_reset_calls_anew() -> None:
    """A reset at the house ends the cause as well."""
    house = east()
    first = press(house)
    house.order(Action.SILENCE, "h01", "h02", keys=[first])
    house.order(Action.RESET, "h01")
    house.watch(MINUTE_MS)
    assert press(house) != first
    assert house.ringing() == {"h02"}


@pytest.mark.parametrize("restart", [False, True])
def test_a_press_that_crosses_the_stand_down_is_called_by_its_new_incident(restart: bool) -> None:
    """The gateway could not know that the call was over and gave the press the old cause; to the hub it is another
    incident, and its order rings, once."""
    mine, other = east(), west()
    key = press(mine)
    outcomes(other, key, "h03", "h04", incident="i-1")
    mine.watch(MINUTE_MS)
    assert press(mine) == key
    stand_down(key, mine, other, incident="i-1")
    if restart:
        mine, other = mine.restarted(), other.restarted()
    before = [mine.rang("h02"), other.rang("h03")]
    assert outcomes(other, key, "h03", "h04", incident="i-1") == {Outcome.JOINED}
    assert outcomes(other, key, "h03", "h04", incident="i-2") == {Outcome.DONE}
    assert outcomes(mine, key, "h02", incident="i-2") == {Outcome.DONE}
    assert (mine.ringing(), other.ringing()) == ({"h02"}, {"h03", "h04"})
    assert outcomes(other, key, "h03", "h04", incident="i-2") == {Outcome.JOINED}
    assert [mine.rang("h02") - before[0], other.rang("h03") - before[1]] == [1, 1]
    stand_down(key, mine, other, incident="i-2")
    assert (mine.ringing(), other.ringing()) == (set(), set())
    assert outcomes(other, key, "h03", "h04", incident="i-2") == {Outcome.JOINED}


@pytest.mark.parametrize("action", [Action.STAND_DOWN, Action.RESET])
@pytest.mark.parametrize("held", [False, True])
def test_word_that_a_call_is_over_does_not_darken_the_press_made_after_it(action: Action, held: bool) -> None:
    """The hub closed the call before it could know of the second press: that one still stands, lamp and all, until
    the next word. Whatever clock the gateway has, the hub's own hours are compared."""
    house = east()
    house.quality = ClockQuality.UNSET
    key = press(house)
    house.watch(MINUTE_MS)
    issued_ms = house.now.wall_ms
    house.watch(800)
    assert press(house, held=held) == key
    house.watch(400)
    [late] = house.order(action, "h01", keys=[key], issued_ms=issued_ms)
    assert "pressed again since: h01-panic" in late.reason
    assert (house.memory.latched, house.memory.lamps) == ({"h01-panic": key}, {"h01-panic": Stage.PRESSED})
    house.look(h01_panic=False)
    assert house.memory.latched == {"h01-panic": key}
    house.order(action, "h01", keys=[key])
    assert (house.memory.latched, house.memory.lamps) == ({}, {})


@pytest.mark.parametrize("action", [Action.STAND_DOWN, Action.RESET])
@pytest.mark.parametrize("restart", [False, True])
def test_a_press_on_its_way_when_the_call_is_closed_keeps_its_lamp(action: Action, restart: bool) -> None:
    """Pressed before the hub closed the call, and not there yet: to the hub it is another call, so the lamp goes on
    from stored to received, until that one is closed too."""
    house = east()
    key = press(house)
    house.watch(MINUTE_MS)
    house.step(Receipted((len(house.events),)))
    assert press(house) == key
    pressed = (len(house.events), house.instance)
    if restart:
        house = house.restarted()
    house.watch(400)
    house.unheard = True
    [late] = house.order(action, "h01", keys=[key])
    assert "pressed again since: h01-panic" in late.reason
    assert house.memory.lamps["h01-panic"] in (Stage.PRESSED, Stage.STORED)
    house.step(Receipted((pressed[0],), pressed[1]))
    assert (house.memory.latched, house.memory.lamps) == ({"h01-panic": key}, {"h01-panic": Stage.RECEIVED})
    house.look(h01_panic=False)
    house.order(action, "h01", keys=[key])
    assert (house.memory.latched, house.memory.lamps) == ({}, {})


@pytest.mark.parametrize("restart", [False, True])
def test_a_stand_down_that_names_the_cause_has_its_first_press(restart: bool) -> None:
    """The hub can only have it from that press, whose receipt was lost with the link: it is over, and the lamp dark."""
    house = east()
    key = press(house)
    if restart:
        house = house.restarted()
    house.look(h01_panic=False)
    house.watch(MINUTE_MS)
    house.unheard = True
    [done] = house.order(Action.STAND_DOWN, "h01", keys=[key])
    assert (Outcome.DONE, "") == (done.outcome, done.reason)
    assert (house.memory.latched, house.memory.lamps) == ({}, {})


def test_an_order_for_an_old_and_a_new_cause_rings_for_the_new_one() -> None:
    """The incident has the press that crossed the stand-down and the one after it."""
    mine, other = east(), west()
    first = press(mine)
    stand_down(first, mine, other, incident="i-1")
    [result] = other.order(Action.SIREN, "h03", keys=[first, press(mine)], incident="i-2")
    assert result.outcome is Outcome.DONE
