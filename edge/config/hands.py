"""From a zone's keys to what turning or pressing it does."""

from __future__ import annotations

from edge.config.model import ZoneTable
from edge.core.site import Hand, Mode, ZoneKind
from protocol.faults import Fault, shown

KINDS: dict[str, tuple[ZoneKind, ...]] = {
    "arms": (ZoneKind.KEYSWITCH, ZoneKind.ARM_BUTTON),
    "force": (ZoneKind.KEYSWITCH, ZoneKind.ARM_BUTTON),
    "hold_s": (ZoneKind.ARM_BUTTON,),
    "disarms": (ZoneKind.DURESS,),
}
"""Which kinds a key is for."""


def hand_of(zone: ZoneTable, where: str, key: str) -> Hand | list[Fault]:
    """What a hand does to its partition, or every key that is not for this kind."""
    faults = [
        Fault(where, f"{key}.{name}", shown(value), f"no such key for a {zone.kind}; only for {' and '.join(kinds)}")
        for name, kinds in KINDS.items()
        if (value := getattr(zone, name)) is not None and zone.kind not in kinds
    ]
    if faults:
        return faults
    return Hand(Mode(zone.arms or Mode.ARMED_AWAY), bool(zone.force), round((zone.hold_s or 0) * 1000))
