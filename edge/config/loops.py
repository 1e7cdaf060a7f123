"""From a loop's resistors to the bands of resistance that mean normal, alarm, tamper short and tamper open."""

from __future__ import annotations

import math

from edge.config.model import LoopTable, ZoneTable
from edge.core.site import Band, Feed, Loop, ZoneKind
from edge.port import Point
from protocol.faults import Fault, shown
from protocol.records import Condition

OFF_MAX = 0.25
"""A calibration further off than this share of the nominal resistance is no drift: the loop is wired otherwise."""
SHORT, OPEN = 0.5, 2.0
"""Below this share of the lower, or above this multiple of the higher resistance a loop is bridged, or cut."""
OHM_UNITS = ("ohm", "Ω")


def loop_of(zone: ZoneTable, table: LoopTable, point: Point, where: str, key: str) -> Loop | list[Fault]:
    """The judge of a supervised loop, or everything wrong with it. `key` is the zone's place in the file."""
    faults = _kind_faults(zone, point, where, key) + _feed_faults(table, point, where, key)
    measured = table.measured_ohm
    least, most = table.normal_ohm * (1 - OFF_MAX), table.normal_ohm * (1 + OFF_MAX)
    if measured is not None and not least <= measured <= most:
        allowed = f"{least:g} to {most:g}: further off than a quarter of normal_ohm it is not the loop of this file"
        faults.append(Fault(where, f"{key}.loop.measured_ohm", shown(measured), allowed))
    wide = (1 + table.tolerance) * (1 + table.hysteresis) / (1 - table.tolerance)
    low, high = sorted((table.normal_ohm, table.alarm_ohm))
    if high < low * wide:
        allowed = (
            f"at most {table.normal_ohm / wide:.0f} or at least {table.normal_ohm * wide:.0f}, "
            "or a lesser tolerance: the bands would overlap"
        )
        faults.append(Fault(where, f"{key}.loop.alarm_ohm", shown(table.alarm_ohm), allowed))
    if faults:
        return faults
    feed = None
    if table.feed_ohm is not None and table.feed_volt is not None:
        feed = Feed(table.feed_ohm, table.feed_volt)
    return Loop(_bands(table), feed)


def _bands(table: LoopTable) -> tuple[Band, ...]:
    scale = 1.0 if table.measured_ohm is None else table.measured_ohm / table.normal_ohm
    stay = table.hysteresis

    def around(ohm: float, condition: Condition) -> Band:
        low, high = ohm * scale * (1 - table.tolerance), ohm * scale * (1 + table.tolerance)
        return Band(low, high, condition, low * (1 - stay), high * (1 + stay))

    low, high = sorted((table.normal_ohm * scale, table.alarm_ohm * scale))
    short, cut = low * SHORT, high * OPEN
    made = (
        Band(-math.inf, short, Condition.TAMPER, -math.inf, short * (1 + stay), "short"),
        around(table.normal_ohm, Condition.NORMAL),
        around(table.alarm_ohm, Condition.ALARM),
        Band(cut, math.inf, Condition.TAMPER, cut * (1 - stay), math.inf, "open"),
    )
    return tuple(sorted(made, key=lambda band: band.low))


def _kind_faults(zone: ZoneTable, point: Point, where: str, key: str) -> list[Fault]:
    faults = [
        Fault(where, f"{key}.{name}", shown(getattr(zone, name)), "loop alone says what its resistance means")
        for name in ("normal", "active", "bands", "above", "below", "hysteresis")
        if getattr(zone, name) is not None
    ]
    if zone.kind is ZoneKind.METER:
        faults.append(Fault(where, f"{key}.loop", "a loop", "no loop for a meter"))
    if point.kind == "bool":
        allowed = f"a measured point: {zone.source} is a contact"
        faults.append(Fault(where, f"{key}.source", shown(zone.source), allowed))
    return faults


def _feed_faults(table: LoopTable, point: Point, where: str, key: str) -> list[Fault]:
    """A voltage says a resistance only with what feeds the loop; a resistance needs no feed."""
    if point.kind == "bool":
        return []
    found = {"feed_ohm": table.feed_ohm, "feed_volt": table.feed_volt}
    if point.unit in OHM_UNITS:
        return [
            Fault(where, f"{key}.loop.{name}", shown(value), "nothing: the point measures ohm itself")
            for name, value in found.items()
            if value is not None
        ]
    if point.unit != "V":
        return [Fault(where, f"{key}.source", f"a point in {point.unit or 'no unit'}", "a point in V or ohm")]
    return [
        Fault(where, f"{key}.loop.{name}", "nothing", "what feeds the loop: the point measures V")
        for name, value in found.items()
        if value is None
    ]
