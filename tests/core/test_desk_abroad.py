"""Adjacent groups of another area of the same hub: called, answering, stood down; the incident's area has it all."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from hub.core.acts import Answer, Answered, Disposition, How, Move
from hub.core.desk import Desk
from hub.core.effects import Handed, Send
from hub.core.heard import Recorded, Replied
from hub.core.io import Input, NotAllowed
from hub.core.registry import Area, ByArea, GatewayEntry, Group, Premises, PremisesKind, Registry, Station, ZoneEntry
from protocol.kinds import CODES, Kind, Qualifier
from protocol.messages import Action, Outcome, Result
from protocol.records import ClockQuality, Event, Stamp
from tests.support.desk import AREA, DEFAULTS, MIN, REGISTRY, START_MS, DeskAtWork, S, sends

THERE = "lianjiang"


def two_areas(here: bool = True) -> Registry:
    """The village, and beyond its group west a group of another area: of this hub, or not."""
    groups = ByArea(REGISTRY.groups)
    groups[AREA, "west"] = msgspec.structs.replace(groups[AREA, "west"], beyond=((THERE, "shore"),))
    made = replace(REGISTRY, groups=groups, areas=dict(REGISTRY.areas), stations=ByArea(REGISTRY.stations))
    made = replace(made, premises=ByArea(made.premises), gateways=ByArea(made.gateways), zones=ByArea(made.zones))
    if here:
        made.areas[THERE] = Area(THERE, "t", "c")
        made.stations[THERE, "s"] = Station("s", THERE)
        made.gateways[THERE, "gw-east"] = GatewayEntry("gw-east", THERE)  # the same name as one of ours
        made.groups[THERE, "shore"] = Group("shore", THERE, "s", ("h03", "b2"), beyond=((AREA, "west"),))
        for one in ("h03", "b2"):
            made.premises[THERE, one] = Premises(one, THERE, PremisesKind.HOUSEHOLD, "gw-east", ("shore",))
            made.zones[THERE, f"{one}-panic"] = ZoneEntry(f"{one}-panic", THERE, one, "gw-east", "panic")
    return made


def widened(registry: Registry) -> tuple[DeskAtWork, list[Send]]:
    """Two households of group west press within a minute: the adjacent groups are called."""
    village = DeskAtWork(registry)
    village.press("h11", 0)
    effects = village.press("h12", 30 * S)
    return village, [order for order in sends(effects, Action.SIREN) if order.area == THERE]


def test_the_adjacent_group_of_another_area_is_called() -> None:
    """One order to its gateway, under the incident's own key; the incident names its members with their area."""
    village, orders = widened(two_areas())
    (order,) = orders
    incident = village.only()
    assert (THERE, "gw-east", ("h03", "b2")) == (order.area, order.gateway, order.premises)
    assert ((incident.id,), None) == (order.keys, order.pressed)
    assert {f"{THERE}/h03", f"{THERE}/b2"} == {member for member in incident.calls if "/" in member}


def test_the_ladder_reaches_it_too() -> None:
    """Nobody goes: the head, then the adjacent groups, those of the other area among them."""
    village = DeskAtWork(two_areas())
    village.press("h11", 0)
    assert {"h03", "b2"} <= {
        one for order in sends(village.wait(2 * MIN), Action.SIREN) if order.area == THERE for one in order.premises
    }


def test_its_reply_is_the_incidents() -> None:
    """The shell hands a reply to the area that owns the order; the call has its outcome, and nothing is sent again."""
    village, (order,) = widened(two_areas())
    owner = village.desk.owner_of(THERE, order.order)
    assert AREA == owner
    assert village.desk.owner_of(AREA, order.order) is None
    assert order in village.desk.resume(START_MS + village.now, (THERE, "gw-east"))
    village.take(
        Replied(AREA, f"{THERE}/gw-east", order.order, [Result("h03", Outcome.DONE), Result("b2", Outcome.DONE)])
    )
    calls = village.only().calls
    assert {Outcome.DONE} == {calls[f"{THERE}/{one}"].outcome for one in order.premises}
    assert order not in village.desk.resume(START_MS + village.now)


def test_a_gateway_of_the_same_name_here_cannot_answer_for_it() -> None:
    """The reply of our own gw-east to that order counts for nothing."""
    village, (order,) = widened(two_areas())
    village.take(Replied(AREA, "gw-east", order.order, [Result("h03", Outcome.DONE)]))
    assert village.only().calls[f"{THERE}/h03"].outcome is None


def test_no_answer_is_told_with_its_area() -> None:
    """The order expires unanswered: the call failed, and operators hear which gateway of which area."""
    village, (order,) = widened(two_areas())
    village.wait(order.expires_ms - START_MS)
    assert Outcome.FAILED is village.only().calls[f"{THERE}/b2"].outcome
    assert any(f"{THERE}/gw-east did not answer" in line.why for line in village.only().history)


def test_everybody_there_is_stood_down() -> None:
    """Silence and stand-down go to the other area's gateway too."""
    village, _ = widened(two_areas())
    village.move(village.only(), Move.ACCEPT)
    effects = village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    for action in (Action.SILENCE, Action.STAND_DOWN):
        assert [("h03", "b2")] == [order.premises for order in sends(effects, action) if order.area == THERE]


def test_a_member_there_may_answer() -> None:
    """By phone or link under its name with the area; one who was not called, and is no neighbour, may not."""
    village, _ = widened(two_areas())
    incident = village.only().id
    village.take(Answered(AREA, incident, f"{THERE}/b2", Answer.GOING, How.PHONE, "op-1"))
    assert {f"{THERE}/b2"} == set(village.only().answers)
    with pytest.raises(NotAllowed):
        village.take(Answered(AREA, incident, f"{THERE}/nobody", Answer.GOING, How.PHONE, "op-1"))


def test_a_panel_there_is_handed_on() -> None:
    """Its button is a record of its own area, and an answer of the incident's: both are journaled."""
    village, _ = widened(two_areas())
    at = Stamp(0, START_MS + village.now, ClockQuality.UNSET)
    priority, key = CODES[Kind.ANSWER].priority, village.only().id
    event = Event(1, Kind.ANSWER, Qualifier.NEW, priority, at, key, "h03", None, detail={"answer": "going"})
    effects = village.take(Recorded(THERE, "gw-east", "b" * 32, 1, event, 0))
    (handed,) = [effect for effect in effects if isinstance(effect, Handed)]
    assert Answered(AREA, key, f"{THERE}/h03", Answer.GOING, How.PANEL) == handed.taken
    village.take(handed.taken)
    assert Answer.GOING is village.only().answers[f"{THERE}/h03"].answer


def test_the_group_there_sees_that_it_is_called() -> None:
    """Its own area's operators see who of their group is being called, and not the incident of the other area."""
    village, _ = widened(two_areas())
    view = village.desk.group(THERE, "shore")
    assert view is not None
    assert ({"h03": None, "b2": None}, []) == (view.calling, view.incidents)


def test_a_group_of_another_hub_is_said_not_to_be_called() -> None:
    """The area is not of this hub: nobody is called there, and the incident says so once, with the reason."""
    village, orders = widened(two_areas(here=False))
    village.press("h13", 40 * S)
    lines = [line for line in village.only().history if "not called" in line.what]
    assert ([], [f"adjacent group {THERE}/shore not called"]) == (orders, [line.what for line in lines])
    assert "is not of this hub" in lines[0].why


def test_it_replays_to_the_same() -> None:
    """The journal alone rebuilds both areas to the last byte."""
    village, (order,) = widened(two_areas())
    village.take(Replied(AREA, f"{THERE}/gw-east", order.order, [Result(None, Outcome.DONE)]))
    village.wait(10 * MIN)
    again = Desk(village.registry, DEFAULTS)
    for at_ms, body in village.journal:
        again.begin()
        again.step(msgspec.json.decode(body, type=Input), at_ms, replayed=True)
        again.commit()
    assert village.desk.snapshot() == again.snapshot()
