"""A call and its answer, through the cores of both ends: two gateways and the desk, with nothing in between."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.core.site import Output, Premises, Role, ZoneKind
from hub.core.effects import Effect, Send
from hub.core.heard import Recorded
from hub.core.registry import ByArea, ZoneEntry
from hub.orders import command
from protocol.codec import decode
from protocol.kinds import Kind
from protocol.messages import Action, Command, Order
from tests.support.desk import AREA, REGISTRY, START_MS, DeskAtWork
from tests.support.house import House, village, zone

EAST = (Premises("h03", True, ("east",)), Premises("h05", True, ("east",)))
WEST = (Premises("h09", True, ("east",)),)
BUTTON = ZoneEntry("h09-answer", AREA, "h09", "gw-west", "answer")
KNOWN = replace(REGISTRY, zones=ByArea({**REGISTRY.zones, (AREA, "h09-answer"): BUTTON}))


class Both:
    """The desk with gw-east (h03's panic button with its lamp, h05) and gw-west (h09's answer button)."""

    def __init__(self) -> None:
        self.desk = DeskAtWork(KNOWN)
        lamp = Output("h03-lamp", "h03", Role.LAMP, "gpio/h03_lamp", "h03-panic")
        pressing = village(zone("h03-panic", ZoneKind.PANIC), homes=EAST, outputs=(lamp,))
        answering = village(zone("h09-answer", ZoneKind.ANSWER), homes=WEST)
        self.east, self.west = House(pressing), House(replace(answering, gateway="gw-west"))
        self.east.look(h03_panic=False)
        self.west.look(h09_answer=False)
        self._private = Ed25519PrivateKey.generate()
        self._told = {"gw-east": 0, "gw-west": 0}

    def carry(self, house: House) -> list[Effect]:
        """What a gateway recorded since goes to the desk, and the desk's orders to the gateways."""
        effects: list[Effect] = []
        gateway = house.site.gateway
        for event in house.events[self._told[gateway] :]:
            record = Recorded(AREA, gateway, gateway[-1] * 32, 1, event, 10)
            effects += self.desk.take(record, self.desk.now + 100)
        self._told[gateway] = len(house.events)
        for order in effects:
            if isinstance(order, Send):
                self.deliver(order)
        return effects

    def deliver(self, send: Send) -> None:
        """As signed and read again, with its times on the gateway's clock."""
        house = {"gw-east": self.east, "gw-west": self.west}[send.gateway]
        raw = decode(command(send, "k", self._private), Command).order
        order = msgspec.json.decode(bytes(raw), type=Order)
        wall_ms = house.now.wall_ms
        house.give(msgspec.structs.replace(order, issued_ms=wall_ms, expires_ms=wall_ms + 60_000))


def test_who_is_rung_by_the_hub_answers_and_the_presser_sees_it() -> None:
    """h03 presses at one gateway, h09 rings and answers at another, and the lamp of h03 shows that somebody comes."""
    both = Both()
    both.east.look(h03_panic=True)
    calls = both.carry(both.east)
    assert any(isinstance(order, Send) and order.gateway == "gw-west" for order in calls)
    assert {"h09"} == both.west.ringing()
    both.west.look(h09_answer=True)
    assert [Kind.ANSWER] == [event.kind for event in both.west.events]
    told = both.carry(both.west)
    assert [Action.COMING] == [order.action for order in told if isinstance(order, Send)]
    said = both.desk.only().answers["h09"]
    assert ("going", "panel") == (said.answer, said.how)
    assert "coming" == both.east.memory.lamps["h03-panic"]
    assert both.desk.only().going_ms == START_MS + both.desk.now - 10
