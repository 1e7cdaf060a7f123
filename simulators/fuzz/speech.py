"""Valid messages of every channel, as plain values: what true gateways say, and what is garbled before it is said."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from simulators.fuzz.place import AREA, OTHER, STILL
from simulators.fuzz.reader import CONDITIONS, INT64

Json: TypeAlias = Any
HOMES = {
    (AREA, "gw-1"): [(zone[:2], zone, "g1") for zone in ("h1-panic", "h1-door", "h2-panic", "h2-door")],
    (AREA, "gw-2"): [("h3", "h3-panic", "g1"), ("works", "works-door", "g1")],
    (OTHER, "gw-o"): [("o1", "o1-panic", "go")],
    (AREA, STILL): [("yard", "yard-door", "g1")],
}
SELF = ("self/temperature_c", "self/mains", "meter/voltage_v")
POINTS = {
    (AREA, "gw-1"): [*SELF, "zone/h1-door/health", "zone/h2-door/condition"],
    (AREA, "gw-2"): [*SELF, "zone/works-door/condition", "zone/h3-panic/health", "premises/works/armed"],
    (OTHER, "gw-o"): [*SELF, "zone/o1-panic/health"],
    (AREA, STILL): [*SELF, "zone/yard-door/condition"],
}
KINDS = (
    *("panic", "panic", "duress", "silent_holdup", "fire", "gas", "water", "intrusion", "tamper", "zone_fault"),
    *("mains_lost", "battery_low", "chatter", "cancel", "bypass", "test", "walk_test", "clock", "gateway_fault"),
)
URGENT = {"panic": 1, "duress": 1, "silent_holdup": 1, "fire": 1, "gas": 1, "intrusion": 2, "cancel": 2}
WALL_MS = 1_767_225_605_000
CHANNELS = ("alarm", "alarm", "alarm", "telemetry", "telemetry", "session", "birth", "reply")


class Said(NamedTuple):
    """One message as it comes from the broker."""

    topic: str
    data: bytes
    retain: bool = False


def written(value: Json) -> bytes:
    """JSON without white space, in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


@dataclass(slots=True)
class Voice:
    """One process of one gateway. Its numbers go on by lane; every message is a new one."""

    area: str
    gateway: str
    instance: str
    boot: int
    rng: random.Random
    seqs: dict[str, int] = field(default_factory=lambda: {"alarm": 0, "telemetry": 0})
    connection: int = 1
    orders: list[str] = field(default_factory=list)

    def topic(self, channel: str) -> str:
        """Where it says that."""
        return f"lf/1/{self.area}/{self.gateway}/{channel}"

    def message(self, channel: str) -> dict[str, Json]:
        """The next message of a channel, valid."""
        made: dict[str, Json] = getattr(self, f"_{channel}")()
        return made

    def _who(self) -> dict[str, Json]:
        return {"v": 1, "instance": self.instance, "boot": self.boot}

    def _lane(self) -> dict[str, Json]:
        return {**self._who(), "kboot": self.instance}

    def _next(self, lane: str) -> int:
        self.seqs[lane] += 1
        return self.seqs[lane]

    def _stamp(self) -> list[Json]:
        n = self.seqs["alarm"] + self.seqs["telemetry"]
        quality = self.rng.choice(("synced", "synced", "holdover", "unset"))
        return [1_000_000 * n + self.rng.randrange(1_000_000), WALL_MS + n, quality]

    def _age(self) -> int | None:
        return self.rng.choice((0, 5, 140, 45_000, 7_200_000, None))

    def _alarm(self) -> dict[str, Json]:
        items = [[self._age(), self.event()] for _ in range(self.rng.choice((1, 1, 1, 2)))]
        made = {**self._lane(), "items": items}
        if self.rng.random() < 0.05:
            first = self._next("alarm")
            made["gaps"] = [{"first": first, "last": first, "reason": "repeats of a zone were merged"}]
        return made

    def event(self) -> dict[str, Json]:
        """The next event."""
        rng, seq = self.rng, self._next("alarm")
        kind = rng.choice(KINDS)
        premises, zone, group = rng.choice(HOMES[self.area, self.gateway])
        event: dict[str, Json] = {
            "seq": seq,
            "kind": kind,
            "qualifier": rng.choice(("new", "new", "new", "restore", "present")),
            "priority": URGENT.get(kind, 4),
            "at": self._stamp(),
            "key": f"{self.gateway}-{self.boot}-{seq}",
        }
        if rng.random() < 0.9:
            event |= {"premises": premises, "zone": zone, "group": group}
        if rng.random() < 0.1:
            event |= {"count": rng.choice((2, 18, INT64)), "first": self._stamp()}
        if rng.random() < 0.1:
            event["detail"] = {"fault": rng.choice(("disk", "temperature")), "ratio": 0.25, "n": -3, "seen": True}
        return event

    def _telemetry(self) -> dict[str, Json]:
        points = POINTS[self.area, self.gateway]
        items = [[self._age(), self._reading(self.rng.choice(points))] for _ in range(self.rng.randint(1, 4))]
        made = {**self._lane(), "items": items}
        if self.rng.random() < 0.05:
            first = self._next("telemetry")
            made["gaps"] = [{"first": first, "last": first, "reason": "outbox full"}]
        return made

    def _reading(self, point: str) -> list[Json]:
        values = (230.1, 1204331, True, False, -11.5, 0.0, INT64, -INT64 - 1, 1e300, self.rng.choice(CONDITIONS), "")
        return [self._next("telemetry"), point, self.rng.choice(values), self._stamp()]

    def _session(self) -> dict[str, Json]:
        self.connection += self.rng.random() < 0.1
        made = {**self._who(), "connection": self.connection, "online": self.rng.random() < 0.9, "at": self._stamp()}
        return {**made, "beat": self.rng.randrange(1000), "queued": {"alarm": 2, "telemetry": 1840}}

    def _birth(self) -> dict[str, Json]:
        zones = [
            {"id": zone, "premises": premises, "kind": "panic", "health": "online"}
            for premises, zone, _ in HOMES[self.area, self.gateway]
        ]
        made = {**self._lane(), "software": "0.1.0", "config": "c" * 64, "heartbeat_ms": 6_000, "profile_ms": 20_000}
        return {**made, "at": self._stamp(), "zones": zones}

    def _reply(self) -> dict[str, Json]:
        order = self.rng.choice(self.orders) if self.orders else "o-1"
        results = [{"premises": self.rng.choice(("h1", "h3", None)), "outcome": self.rng.choice(("done", "joined"))}]
        return {**self._who(), "order": order, "results": results, "at": self._stamp()}
