"""An uplink with its lanes, as the application wires them, for the tests of the way to the hub."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.clock import Clock
from edge.committer import Committer
from edge.connections import Connections
from edge.core.delivery import Delivery
from edge.core.entries import Limits
from edge.core.io import Ordered
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.store import MemoryStore, SqliteStore, Store
from edge.uplink import Uplink
from protocol.faults import Fault
from protocol.kinds import Kind, Priority, Qualifier
from protocol.link import Backoff, Endpoint
from protocol.records import Event, Lane, Reading

AREA, GATEWAY = "350102", "gw-1"
QUICK = Limits(records_max=20_000, bytes_max=8_000_000, silence_ms=300, backoff_ms=50, backoff_max_ms=200)


def _open() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Side:
    """One gateway process's way up; `again` makes the next process on the same disk."""

    host: str
    port: int
    keys: dict[str, Ed25519PublicKey]
    folder: Path | None = None
    instance: str = "1" * 32
    boot: int = 1
    kboot: str = "0" * 32
    stored: list[int] = field(default_factory=list)
    receipted: list[int] = field(default_factory=list)
    orders: list[Ordered] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)
    config_faults: list[Fault] = field(default_factory=list)
    config_gate: threading.Event = field(default_factory=_open)
    faults: list[str] = field(default_factory=list)
    limits: Limits = QUICK
    area: str = AREA
    gateway: str = GATEWAY
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.seqs = {Lane.ALARM: 0, Lane.TELEMETRY: 0}
        self.me = Identity(
            self.area,
            self.gateway,
            self.instance,
            self.boot,
            self.kboot,
            "test",
            "c" * 64,
            heartbeat_ms=200,
            profile_ms=1_000,
        )
        self.committers: list[Committer] = []
        self.alarm = self._box(Lane.ALARM)
        self.telemetry = self._box(Lane.TELEMETRY)
        self.inward = Inward(
            self.me,
            self.clock,
            self.keys,
            on_order=self.orders.append,
            on_config=self._config,
            on_alarm_receipt=self._receipted,
            on_behind=self._behind,
        )
        endpoint = Endpoint(host=self.host, port=self.port, client_id="-", keepalive_s=2, publish_timeout_s=20)
        self.uplink = Uplink(self.me, self.alarm, self.telemetry, self.inward, self.clock, list)
        self.connections = Connections(self.uplink, endpoint, backoff=Backoff(0.05, 0.2), rng=random.Random(5))

    async def open(self) -> Side:
        for box in (self.alarm, self.telemetry):
            box.me = self.me
            self.committers.append(committer := Committer(box.lane, box.outbox))
            box.take_up(await committer.open())
        return self

    async def close(self) -> None:
        for committer in self.committers:
            await committer.close()

    def press(
        self,
        priority: Priority = Priority.P1,
        kind: Kind = Kind.PANIC,
        zone: str | None = None,
        qualifier: Qualifier = Qualifier.NEW,
    ) -> int:
        """One alarm record."""
        self.seqs[Lane.ALARM] += 1
        seq = self.seqs[Lane.ALARM]
        where = f"z{seq}" if zone is None else zone
        self.alarm.emit([Event(seq, kind, qualifier, priority, self.clock.now(), f"key-{seq}", zone=where)])
        self.uplink.alarm_made()
        return seq

    def measure(self, count: int = 1) -> None:
        """Some telemetry records."""
        for _ in range(count):
            self.seqs[Lane.TELEMETRY] += 1
            seq = self.seqs[Lane.TELEMETRY]
            self.telemetry.report(Reading(seq, "meter/total_kwh", 1234.5 + seq, self.clock.now()))

    def _heard(self, instance: str, seqs: tuple[int, ...]) -> None:
        if instance == self.instance:
            self.receipted.extend(seqs)

    def _behind(self, boot: int) -> None:
        self.uplink.lead(boot)

    def _receipted(self) -> None:
        self.uplink.alarm_receipted()

    def _config(self, text: str) -> list[Fault]:
        self.configs.append(text)
        self.config_gate.wait(30)
        return self.config_faults

    def _box(self, lane: Lane) -> LaneBox:
        store: Store = MemoryStore()
        if self.folder is not None:
            store = SqliteStore(self.folder / f"{lane}.db", "FULL", 16_000_000)
        return LaneBox(
            lane,
            Delivery(self.limits),
            store,
            on_stored=self.stored.extend if lane is Lane.ALARM else _ignore,
            on_receipted=self._heard if lane is Lane.ALARM else _ignore,
            on_fault=lambda name, active, detail: self.faults.append(name),
        )


def _ignore(*words: object) -> None:
    """Telemetry lights no lamp."""
