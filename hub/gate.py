"""What may come in: topic, size, version, form, area, gateway and zone of a message, checked in that order.

Pure. Whatever does not pass raises RemoteError (or stands in `Sifted.refused`) and has changed nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from hub.core.registry import GatewayEntry, PremisesKind, Registry
from hub.refusals import HubReason
from protocol.codec import SIZE_MAX, Reason, RemoteError, decode, decode_event
from protocol.messages import AlarmItem, Alarms, Birth, Telemetry, TelemetryItem
from protocol.records import Event
from protocol.topics import Address, parse

T = TypeVar("T", bound=msgspec.Struct)
QUOTED_MAX = 120


@dataclass(frozen=True, slots=True)
class Sifted:
    """The parts of a message that may come in, and the parts that may not, each with its reason."""

    taken: list[tuple[AlarmItem, Event]] = field(default_factory=list)
    refused: list[RemoteError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SiftedReadings:
    """As `Sifted`, for telemetry. `refused` readings are settled all the same: sending them again helps nobody."""

    taken: list[TelemetryItem] = field(default_factory=list)
    refused: list[tuple[TelemetryItem, Reason | HubReason, str]] = field(default_factory=list)


class Gate:
    """Judges messages by the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._area_of: dict[str, list[str]] = {}
        for area, gateway in registry.gateways:
            self._area_of.setdefault(gateway, []).append(area)

    def address(self, topic: str, data: bytes) -> Address:
        """Whose message it is; only shape of topic and size are judged. Raises RemoteError."""
        address = parse(topic)
        if address is None:
            raise RemoteError(Reason.UNKNOWN_TOPIC, f"topic {topic[:QUOTED_MAX]!r}")
        if len(data) > SIZE_MAX:
            raise RemoteError(Reason.OVERSIZED, f"more than {SIZE_MAX} bytes on {topic}")
        return address

    def read(self, address: Address, data: bytes, kind: type[T]) -> tuple[T, GatewayEntry]:
        """The message, if its form is good and its gateway is one of that area. Raises RemoteError."""
        message = decode(data, kind)
        entry = self._registry.gateways.get((address.area, address.gateway))
        if entry is not None:
            return message, entry
        if areas := self._area_of.get(address.gateway):
            raise RemoteError(Reason.WRONG_AREA, f"{address.gateway} is in area {', '.join(areas)}, not {address.area}")
        raise RemoteError(Reason.UNKNOWN_GATEWAY, f"no gateway {address.gateway} in the registry of {address.area}")

    def alarms(self, address: Address, message: Alarms) -> Sifted:
        """Every event of the message, one by one: an event that may not come in does not keep out its neighbours."""
        sifted = Sifted()
        for item in message.items:
            try:
                event = decode_event(item.event)
                self._check_event(address, event)
            except RemoteError as cause:
                sifted.refused.append(cause)
                continue
            sifted.taken.append((item, event))
        return sifted

    def birth_zones(self, address: Address, birth: Birth) -> list[RemoteError]:
        """What a birth claims against the registry; those zones of it are not taken over."""
        found = []
        for zone in birth.zones:
            try:
                self._check_zone(address, zone.id, zone.premises)
            except RemoteError as cause:
                found.append(cause)
        return found

    def has_zone(self, address: Address, zone: str, premises: str) -> bool:
        """Whether the registry has this zone there."""
        entry = self._registry.zones.get((address.area, zone))
        return entry is not None and (entry.gateway, entry.premises) == (address.gateway, premises)

    def readings(self, address: Address, message: Telemetry) -> SiftedReadings:
        """Every reading, one by one, by its point."""
        sifted = SiftedReadings()
        for item in message.items:
            if (no := self._against(address, item.reading.point)) is None:
                sifted.taken.append(item)
            else:
                sifted.refused.append((item, *no))
        return sifted

    def _check_event(self, address: Address, event: Event) -> None:
        if event.zone is not None:
            self._check_zone(address, event.zone, event.premises)
        elif event.premises is not None:
            premises = self._registry.premises.get((address.area, event.premises))
            if premises is None or premises.gateway != address.gateway:
                raise RemoteError(Reason.UNKNOWN_ZONE, f"{address.gateway} has no premises {event.premises}")
        if event.group is not None and (address.area, event.group) not in self._registry.groups:
            raise RemoteError(Reason.UNKNOWN_ZONE, f"area {address.area} has no group {event.group}")

    def _check_zone(self, address: Address, zone: str, premises: str | None) -> None:
        entry = self._registry.zones.get((address.area, zone))
        if entry is None or entry.gateway != address.gateway:
            raise RemoteError(Reason.UNKNOWN_ZONE, f"{address.gateway} has no zone {zone}")
        if premises is not None and premises != entry.premises:
            raise RemoteError(Reason.UNKNOWN_ZONE, f"zone {zone} is in {entry.premises}, not in {premises}")

    def _against(self, address: Address, point: str) -> tuple[Reason | HubReason, str] | None:
        """Why a point may not be kept. Of a household's zones and arming only health leaves the house (privacy)."""
        head, _, rest = point.partition("/")
        name, _, last = rest.partition("/")
        if head == "zone":
            zone = self._registry.zones.get((address.area, name))
            if zone is None or zone.gateway != address.gateway:
                return Reason.UNKNOWN_ZONE, f"{address.gateway} has no zone {name}"
            if last != "health" and self._withheld(address.area, zone.premises):
                return HubReason.PRIVATE_POINT, f"{point} of a household that did not opt in"
        if head in ("premises", "household", "partition") and self._withheld(address.area, name):
            return HubReason.PRIVATE_POINT, f"{point} of a household that did not opt in"
        return None

    def _withheld(self, area: str, premises: str) -> bool:
        entry = self._registry.premises.get((area, premises))
        return entry is None or (entry.kind is PremisesKind.HOUSEHOLD and not entry.report_every)
