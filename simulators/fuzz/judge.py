"""What a stream of messages may leave behind, kept as the naive reader goes: records, readings, gaps, and refusals."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeAlias

from simulators.fuzz.place import Town
from simulators.fuzz.reader import EVENT, MESSAGE, Json, Refused, address, parsed

Source: TypeAlias = tuple[str, str, str]
DEFAULTS: dict[str, Json] = {
    "premises": None, "zone": None, "group": None, "count": 1, "first": None, "drill": False, "detail": {},
}  # fmt: skip
KNOWN = ("seq", "kind", "qualifier", "priority", "at", "key", *DEFAULTS)
STAMPS = ("at", "first")


def digest(value: Json) -> bytes:
    """Short for any JSON value: equal for equal values, whatever the order of their keys."""
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).digest()


def event_digest(event: dict[str, Json]) -> bytes:
    """Short for what an event says: known fields only, defaults filled in."""
    said: dict[str, Json] = {name: event.get(name, DEFAULTS.get(name)) for name in KNOWN}
    for name in STAMPS:
        said[name] = said[name][:3] if said[name] is not None else None
    return digest(said)


@dataclass(slots=True)
class Judge:
    """Everything that may stand in the hub after what was told. `at` is the number of the message being told.

    `sessions` and `births` hold every process (instance, boot) that said one, and `presence` counts them and replies:
    which of several processes under one name is believed depends on when each was heard, and is judged elsewhere.
    """

    town: Town
    at: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    records: dict[tuple[Source, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    readings: dict[tuple[Source, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    settled: dict[Source, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    gaps: dict[Source, set[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(set))
    replies: set[bytes] = field(default_factory=set)
    heard: set[tuple[str, str]] = field(default_factory=set)
    sessions: dict[tuple[str, str], set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    births: dict[tuple[str, str], set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    presence: int = 0
    first: dict[bytes, int] = field(default_factory=dict)

    def tell(self, topic: str, data: bytes, retain: bool) -> bool:
        """One message; whether all of it may be taken."""
        self.at += 1
        before = self.refused.total()
        try:
            area, gateway, channel = address(topic, data)
            message = parsed(data)
            if not MESSAGE[channel](message):
                raise Refused("unparsable")
            if (area, gateway) not in self.town.gateways:
                raise Refused("wrong_area" if self.town.areas_of(gateway) else "unknown_gateway")
            getattr(self, f"_{channel}")(area, gateway, message, retain)
        except Refused as cause:
            self.refused[cause.reason] += 1
        return self.refused.total() == before

    def _hear(self, area: str, gateway: str, retain: bool) -> None:
        if not retain:
            self.heard.add((area, gateway))

    def _alarm(self, area: str, gateway: str, message: Json, retain: bool) -> None:
        self._hear(area, gateway, retain)
        source = (area, gateway, message["instance"])
        for item in message["items"]:
            reason = self._event(area, gateway, item[1])
            if reason is not None:
                self.refused[reason] += 1
                continue
            found = event_digest(item[1])
            self.records[source, item[1]["seq"]].add(found)
            self.first.setdefault(found, self.at)
        for gap in message.get("gaps", []):
            self.gaps[source].add((gap["first"], gap["last"], gap["reason"]))

    def _event(self, area: str, gateway: str, event: Json) -> str | None:
        """Why an event may not come in."""
        if not EVENT(event):
            return "unparsable"
        zone, premises, group = (event.get(name) for name in ("zone", "premises", "group"))
        if zone is not None:
            at, house = self.town.zones.get((area, zone), ("", ""))
            if at != gateway or premises not in (None, house):
                return "unknown_zone"
        elif premises is not None and self.town.premises.get((area, premises), ("", False))[0] != gateway:
            return "unknown_zone"
        return "unknown_zone" if group is not None and (area, group) not in self.town.groups else None

    def _telemetry(self, area: str, gateway: str, message: Json, retain: bool) -> None:
        self._hear(area, gateway, retain)
        source = (area, gateway, message["instance"])
        self.settled[source] += [(gap["first"], gap["last"]) for gap in message.get("gaps", [])]
        for item in message["items"]:
            seq, point, value, stamp = item[1][:4]
            reason = self._point(area, gateway, point)
            if reason is None:
                self.readings[source, seq].add(digest([point, float(value) if _number(value) else value, stamp[:3]]))
            else:
                self.refused[reason] += 1
                self.settled[source].append((seq, seq))

    def _point(self, area: str, gateway: str, point: str) -> str | None:
        """Why a reading may not be kept: of a household that did not opt in, only health leaves the house."""
        head, name, last = (*point.split("/", 2), "", "")[:3]
        if head == "zone":
            at, house = self.town.zones.get((area, name), ("", ""))
            if at != gateway:
                return "unknown_zone"
            return "private_point" if last != "health" and self._withheld(area, house) else None
        private = head in ("premises", "household", "partition") and self._withheld(area, name)
        return "private_point" if private else None

    def _withheld(self, area: str, premises: str) -> bool:
        return self.town.premises.get((area, premises), ("", True))[1]

    def _session(self, area: str, gateway: str, message: Json, retain: bool) -> None:
        self.sessions[area, gateway].add((message["instance"], message["boot"]))
        self.presence += 1
        if message["online"]:
            self._hear(area, gateway, retain)

    def _birth(self, area: str, gateway: str, message: Json, retain: bool) -> None:
        for zone in message["zones"]:
            if self.town.zones.get((area, zone["id"])) != (gateway, zone["premises"]):
                self.refused["unknown_zone"] += 1
        self.births[area, gateway].add((message["instance"], message["boot"]))
        self.presence += 1
        self._hear(area, gateway, retain)

    def _reply(self, area: str, gateway: str, message: Json, retain: bool) -> None:
        self._hear(area, gateway, retain)
        self.presence += 1
        results = message.get("results", [])
        if results:
            self.replies.add(reply_digest(area, gateway, message["order"], results))


def reply_digest(area: str, gateway: str, order: str, results: list[dict[str, Any]]) -> bytes:
    """Short for an answer to an order."""
    said = [(one["premises"], one["outcome"], one.get("reason", "")) for one in results]
    return digest([area, gateway, order, said])


def _number(value: Json) -> bool:
    return isinstance(value, bool | int) and abs(value) <= 2**53
