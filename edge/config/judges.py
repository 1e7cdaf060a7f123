"""From a zone's keys to its judge: what a contact or a measured value means."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from edge.config.loops import loop_of
from edge.config.model import ZoneTable
from edge.core.site import Band, Contact, Judge, ZoneKind
from edge.port import Point
from protocol.faults import Fault, shown
from protocol.records import Condition

CONTACT_KEYS = ("normal", "active")
NUMBER_KEYS = ("bands", "above", "below", "hysteresis")
ANY = (Band(-math.inf, math.inf, Condition.NORMAL),)


def judge_of(zone: ZoneTable, point: Point, where: str, key: str) -> Judge | list[Fault]:
    """The judge, or everything wrong with the keys that should say it. `key` is the zone's place in the file."""
    if zone.loop is not None:
        return loop_of(zone, zone.loop, point, where, key)
    contact = [name for name in CONTACT_KEYS if getattr(zone, name) is not None]
    number = [name for name in NUMBER_KEYS if getattr(zone, name) is not None]
    if point.kind == "bool":
        faults = [
            Fault(
                where, f"{key}.{name}", shown(getattr(zone, name)), f"'normal' or 'active': {zone.source} is a contact"
            )
            for name in number
        ]
        if zone.kind is ZoneKind.METER:
            faults.append(Fault(where, f"{key}.source", shown(zone.source), "a measured point for a meter"))
        elif len(contact) != 1 and not number:
            found = " and ".join(contact) or "nothing"
            faults.append(Fault(where, f"{key}.normal", found, "exactly one of 'normal' (open, closed) and 'active'"))
        return faults or _contact(zone)
    faults = [
        Fault(where, f"{key}.{name}", shown(getattr(zone, name)), f"bands, above or below: {zone.source} is a number")
        for name in contact
    ]
    if number in ([], ["hysteresis"]) and not contact and zone.kind is not ZoneKind.METER:
        faults.append(
            Fault(where, f"{key}.bands", "nothing", f"bands, above, below or loop: {zone.source} is a number")
        )
    if zone.bands is not None:
        faults += _band_faults(zone, where, key)
    elif zone.above is not None and zone.below is not None and zone.below > zone.above:
        faults.append(Fault(where, f"{key}.below", shown(zone.below), f"at most above, {zone.above}"))
    return faults or _bands(zone)


def _contact(zone: ZoneTable) -> Contact:
    return Contact(alarm=zone.active if zone.active is not None else zone.normal == "open")


def _bands(zone: ZoneTable) -> tuple[Band, ...]:
    stay = zone.hysteresis or 0.0
    return tuple(replace(band, keep_low=band.low - stay, keep_high=band.high + stay) for band in _edges(zone))


def _edges(zone: ZoneTable) -> tuple[Band, ...]:
    if zone.bands is not None:
        return tuple(Band(b.low, b.high, Condition(b.condition)) for b in sorted(zone.bands, key=lambda b: b.low))
    if zone.above is None and zone.below is None:
        return ANY
    low = -math.inf if zone.below is None else zone.below
    high = math.inf if zone.above is None else math.nextafter(zone.above, math.inf)  # above itself is still normal
    bands = (
        Band(-math.inf, low, Condition.ALARM),
        Band(low, high, Condition.NORMAL),
        Band(high, math.inf, Condition.ALARM),
    )
    return tuple(band for band in bands if band.low < band.high)


def _band_faults(zone: ZoneTable, where: str, key: str) -> list[Fault]:
    faults = [
        Fault(where, f"{key}.{name}", shown(getattr(zone, name)), "bands, or above and below, not both")
        for name in ("above", "below")
        if getattr(zone, name) is not None
    ]
    bands = sorted(zone.bands or [], key=lambda b: b.low)
    for lower, upper in pairwise(bands):
        if upper.low < lower.high:
            found = f"[{lower.low:g}, {lower.high:g}) and [{upper.low:g}, {upper.high:g})"
            faults.append(Fault(where, f"{key}.bands", found, "bands that do not overlap"))
    for wanted in ("normal", "alarm"):
        if zone.kind is not ZoneKind.METER and all(band.condition != wanted for band in bands):
            found = ", ".join(band.condition for band in bands)
            faults.append(Fault(where, f"{key}.bands", found, f"at least one band for {wanted}"))
    return faults
