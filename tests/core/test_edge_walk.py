"""The walk past every sensor."""

from __future__ import annotations

from edge.core.site import Band, ZoneKind
from edge.core.walk import Walk
from edge.port import Reading
from protocol.records import Condition
from tests.support.house import village, zone

LOOP = (Band(0.0, 1.0, Condition.TAMPER), Band(1.0, 2.0, Condition.NORMAL), Band(2.0, 3.0, Condition.ALARM))


def walk() -> Walk:
    return Walk(village(zone("h01-door", ZoneKind.DOOR), zone("h02-window", ZoneKind.WINDOW, LOOP)))


def looked(one: Walk, door: bool | None, window: float | None = None) -> list[tuple[str, str, str]]:
    values = {"h01_door": door, "h02_window": window}
    seen = {point: value for point, value in values.items() if value is not None}
    failed = {point: "no answer" for point, value in values.items() if value is None}
    return [(moved.zone.id, moved.now.value, moved.reason) for moved in one.look(Reading("gpio", 1, 1, seen, failed))]


def test_each_change_is_shown_once() -> None:
    """Armed or not: what the wire says, and why it says nothing."""
    one = walk()
    first = looked(one, False, 1.5)
    assert first == [("h01-door", "normal", ""), ("h02-window", "normal", "")]
    assert looked(one, False, 1.5) == []
    assert looked(one, True, None) == [("h01-door", "alarm", ""), ("h02-window", "unknown", "no answer")]


def test_a_zone_is_proved_by_normal_and_alarm() -> None:
    """Until then it is named with what it has not shown."""
    one = walk()
    assert one.unproved()["h01-door"] == "never normal nor alarm; now unknown (gpio/h01_door)"
    looked(one, False, 0.5)
    looked(one, True, 1.5)
    assert one.unproved() == {"h02-window": "never alarm; now normal (gpio/h02_window)"}
    looked(one, True, 2.5)
    assert one.unproved() == {}
