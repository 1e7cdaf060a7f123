"""The button by which a member answers a call from their own panel."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.called import ANSWER_MS
from edge.core.site import ZoneKind
from protocol.kinds import Kind
from protocol.messages import Action
from protocol.records import ClockQuality
from tests.support.house import House, village, zone

MIN = 60_000


def home(**keys: Any) -> House:
    """h01 has a panic button, h02 a button to answer with; both were seen at rest."""
    house = House(village(zone("h01-panic", ZoneKind.PANIC), zone("h02-answer", ZoneKind.ANSWER, **keys)))
    house.look(h01_panic=False, h02_answer=False)
    return house


def press(house: House, held_ms: int = 200) -> None:
    """Press the answer button and let go."""
    house.look(h02_answer=True)
    house.watch(held_ms)
    house.look(h02_answer=False)


def said(house: House) -> list[tuple[str, object]]:
    """Each answer with the cause it is for."""
    return [(event.key, event.detail["answer"]) for event in house.events if event.kind is Kind.ANSWER]


def called(**keys: Any) -> tuple[House, str]:
    """The panic button of h01 was pressed, so h02 rings; the house, and the cause."""
    house = home(**keys)
    house.look(h01_panic=True)
    return house, house.events[-1].key


def test_with_no_call_it_says_nothing() -> None:
    """Whoever plays with it tells nobody."""
    house = home()
    press(house)
    assert [] == house.events


def test_a_press_says_going_for_the_call_it_rings_for() -> None:
    """At once, as a record of its own premises with the key of the call; letting go says nothing more."""
    house, key = called()
    press(house)
    assert [(key, "going")] == said(house)
    event = house.events[-1]
    assert ("h02", "h02-answer", 2) == (event.premises, event.zone, event.priority)


def test_held_it_says_on_scene_too() -> None:
    """Three seconds, once."""
    house, key = called()
    press(house, 5_000)
    assert [(key, "going"), (key, "on_scene")] == said(house)


@pytest.mark.parametrize("answer", ["going", "on_scene", "cannot"])
def test_a_button_with_a_meaning_says_just_that(answer: str) -> None:
    """However long it is held."""
    house, key = called(answer=answer)
    press(house, 5_000)
    assert [(key, answer)] == said(house)


def test_the_hubs_call_is_answered_by_the_hubs_cause() -> None:
    """Of a household at another gateway; by the incident where the order names no cause; a drill is answered as one."""
    house = home()
    house.order(Action.SIREN, "h02", keys=["gw-west-1"], drill=True)
    press(house)
    house.order(Action.SIREN, "h02", incident="hengjie-panic-x")
    press(house)
    assert [("gw-west-1", "going"), ("hengjie-panic-x", "going")] == said(house)
    assert [True, False] == [event.drill for event in house.events]


def test_a_call_joined_by_the_hub_keeps_its_cause() -> None:
    """The gateway rang for it first; the hub's order names it among others."""
    house, key = called()
    house.order(Action.SIREN, "h02", keys=["gw-west-1", key])
    press(house)
    assert [(key, "going")] == said(house)


def test_a_call_that_fell_silent_can_be_answered_for_a_while() -> None:
    """After the siren's time, and silenced; not when half an hour has passed."""
    house, key = called()
    house.watch(6 * MIN, 60_000)
    assert set() == house.ringing()
    house.order(Action.SILENCE, "h02", keys=[key])
    press(house)
    assert [(key, "going")] == said(house)
    house.later(ANSWER_MS)
    press(house)
    assert [(key, "going")] == said(house)


def test_a_call_that_was_stood_down_is_over() -> None:
    """There is nothing to answer."""
    house, key = called()
    house.order(Action.STAND_DOWN, "h02", keys=[key])
    press(house)
    assert [] == said(house)


def test_a_test_of_the_siren_is_no_call() -> None:
    """Nor is what sounds for the house's own sake."""
    house = home()
    house.order(Action.TEST, "h02", duration_ms=5_000)
    press(house)
    assert [] == said(house)


def test_a_restart_remembers_the_call() -> None:
    """Within its time; where no clock says how long the process was gone, it does not."""
    house, key = called()
    again = house.restarted(5_000)
    again.look(h01_panic=True, h02_answer=False)
    press(again)
    assert [(key, "going")] == said(again)
    for late in (house.restarted(ANSWER_MS + MIN), house.restarted(5_000, "another", ClockQuality.UNSET)):
        late.look(h01_panic=True, h02_answer=False)
        press(late)
        assert [] == said(late)


def test_a_button_held_at_the_start_answers_nothing() -> None:
    """It may be stuck; let go and pressed it answers."""
    house, key = called()
    again = house.restarted(5_000)
    again.look(h01_panic=True, h02_answer=True)
    again.watch(5_000)
    assert [] == said(again)
    again.look(h02_answer=False)
    press(again)
    assert [(key, "going")] == said(again)
