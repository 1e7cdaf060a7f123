"""A gateway as the hub hears it: births, heartbeats, readings and records in the wire's own messages, kept until they
are receipted and sent again with their age."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from protocol.codec import decode, encode
from protocol.kinds import CODES, Kind, Qualifier
from protocol.link import Incoming
from protocol.messages import (
    VERSION,
    AlarmItem,
    Alarms,
    Birth,
    Command,
    Order,
    Outcome,
    Receipt,
    Reply,
    Result,
    Session,
    Telemetry,
    TelemetryItem,
    ZoneBorn,
)
from protocol.records import ClockQuality, Event, Lane, Reading, Stamp
from protocol.topics import Channel, topic
from simulators.week.town import Wired, zones_of
from simulators.world.loop import NS_PER_MS, VirtualLoop

BATCH_MAX = 200
CONFIG = "c" * 64
OTHER_CONFIG = "e" * 64
SOFTWARE = "0.1.0"


class Gateway:
    """One gateway. `say` hands a message to the hub; `link_up` and `powered` are the story's to change."""

    def __init__(
        self, loop: VirtualLoop, wired: Wired, start_ms: int, say: Callable[[Incoming], None], seed: str
    ) -> None:
        self.wired, self.loop, self.start_ms = wired, loop, start_ms
        self.rng = random.Random(f"{seed}/{wired.name}")
        self.link_up = True
        self.config = CONFIG
        self.software = SOFTWARE
        self.clock = ClockQuality.SYNCED
        self.ailing: dict[str, str] = {}
        self.boot = self.connection = self.link_failures = 0
        self.waiting: dict[Lane, dict[int, tuple[int, Any]]] = {lane: {} for lane in Lane}
        self._sent: dict[Lane, set[int]] = {lane: set() for lane in Lane}
        self._say = say
        self._done: dict[str, Reply] = {}
        self._machine_ms = 0
        self._zones = zones_of(wired)
        self.start()

    def start(self, power: bool = False) -> None:
        """Its process starts; with `power` its machine did too. What was not receipted is lost with the process: its
        outbox is not what the week is about."""
        self.boot += 1
        self.instance = f"{self.rng.getrandbits(128):032x}"
        if power:
            self._machine_ms = self.loop.now_ms
        self._seq = dict.fromkeys(Lane, 0)
        for lane in Lane:
            self.waiting[lane].clear()
            self._sent[lane].clear()
        self.connect()

    def connect(self) -> None:
        """Its line is there, anew."""
        self.link_up = True
        self.connection += 1
        for sent in self._sent.values():
            sent.clear()
        born = [ZoneBorn(zone, of, kind, self._health(zone)) for zone, (of, kind) in self._zones.items()]
        kboot = f"{self.instance[:8]}-0000-4000-8000-000000000000"
        self.kboot = kboot
        self._publish(
            Channel.BIRTH,
            Birth(
                VERSION,
                self.instance,
                self.boot,
                kboot,
                self.software,
                self.config,
                60_000,
                300_000,
                self.stamp(),
                born,
            ),
        )
        self.beat()

    def cut(self) -> None:
        """Its line is gone."""
        self.link_up = False
        self.link_failures += 1

    def beat(self) -> None:
        """Its heartbeat; what waits goes with it."""
        if self.link_up:
            queued = {lane: len(waiting) for lane, waiting in self.waiting.items()}
            said = Session(VERSION, self.instance, self.boot, self.connection, True, 0, self.stamp(), queued)
            self._publish(Channel.SESSION, said)
            self.flush()

    def read(self, point: str, value: float | int | str) -> None:
        """A reading of now, to be sent with the next flush."""
        self._seq[Lane.TELEMETRY] += 1
        seq = self._seq[Lane.TELEMETRY]
        self.waiting[Lane.TELEMETRY][seq] = (self.loop.now_ms, Reading(seq, point, value, self.stamp()))

    def record(self, kind: Kind, zone: str | None = None, premises: str | None = None, **more: Any) -> Event:
        """An event of now, sent at once."""
        self._seq[Lane.ALARM] += 1
        seq = self._seq[Lane.ALARM]
        of = self._zones[zone][0] if zone is not None else premises
        given = {"qualifier": Qualifier.NEW, "key": f"{self.wired.name}-{self.boot}-{seq}"} | more
        event = Event(
            seq=seq, kind=kind, priority=CODES[kind].priority, at=self.stamp(), premises=of, zone=zone, **given
        )
        self.waiting[Lane.ALARM][seq] = (self.loop.now_ms, msgspec.Raw(encode(event)))
        self.flush()
        return event

    def flush(self) -> None:
        """Send what waits and is not on its way."""
        if not self.link_up:
            return
        for lane in Lane:
            news = [seq for seq in self.waiting[lane] if seq not in self._sent[lane]]
            for at in range(0, len(news), BATCH_MAX):
                self._send(lane, news[at : at + BATCH_MAX])

    def hear(self, topic_: str, data: bytes) -> None:
        """A message of the hub."""
        if not self.link_up:
            return
        channel = topic_.rpartition("/")[2]
        if channel == Channel.RECEIPT:
            self._receipted(decode(data, Receipt))
        elif channel == Channel.COMMAND:
            order = msgspec.json.decode(decode(data, Command).order, type=Order)
            self.loop.after(self.rng.uniform(20, 400), self._obey, order)

    def stamp(self) -> Stamp:
        """Now, as its clocks have it."""
        mono_ns = (self.loop.now_ms - self._machine_ms + 30_000) * NS_PER_MS
        return Stamp(mono_ns, self.start_ms + self.loop.now_ms, self.clock)

    def tell_health(self) -> None:
        """What it says of itself, its bus and its devices, as each minute."""
        hour = self.loop.now_ms / 3_600_000
        warm = 48 + 9 * ((hour % 24) / 24) + self.rng.uniform(-1, 1) + (26 if "hot" in self.ailing else 0)
        health: dict[str, float | int | str] = {
            "temperature_c": round(warm, 1), "undervoltage": int("undervoltage" in self.ailing),
            "disk_free_percent": round(62 - hour / 24 - (48 if "full" in self.ailing else 0), 2),
            "memory_free_percent": round(55 + self.rng.uniform(-3, 3), 1),
            "load_1min": round(self.rng.uniform(0.1, 0.6), 2),
            "sd_wear_percent": round(12 + 70 * ("worn" in self.ailing) + hour / 500, 2), "process_rss_kb": 41_000,
            "clock": self.clock.value, "link_up": int(self.link_up), "link_failures": self.link_failures,
            "alarms_waiting": len(self.waiting[Lane.ALARM]), "telemetry_waiting": len(self.waiting[Lane.TELEMETRY]),
            "messages_refused": 0,
        }  # fmt: skip
        for name, value in health.items():
            self.read(f"health/{name}", value)
        up_min = (self.loop.now_ms - self._machine_ms) // 60_000
        self.read(f"health/bus/{self.wired.bus}/breaks", 3 if "bus" in self.ailing else 0)
        for device in self.wired.devices:
            dead = self.ailing.get("device") == device
            self.read(f"health/device/{device}/online", int(not dead))
            self.read(f"health/device/{device}/polls", 60 * up_min)
            self.read(f"health/device/{device}/failures", (55 * up_min if dead else up_min // 50))
            self.read(f"health/device/{device}/latency_ms", round(self.rng.uniform(8, 20) + 400 * dead, 1))

    def tell_zone(self, zone: str, what: str, value: float | int | str) -> None:
        """A zone's condition (`what` empty), health, value or loop figure."""
        self.read(f"zone/{zone}/{what}" if what else f"zone/{zone}", value)

    def _health(self, zone: str) -> Any:
        return "fault" if self.ailing.get("sensor") == zone else "online"

    def _send(self, lane: Lane, seqs: list[int]) -> None:
        now_ms, waiting = self.loop.now_ms, self.waiting[lane]
        found = [(now_ms - waiting[seq][0] + self.rng.randint(20, 60), waiting[seq][1]) for seq in seqs]
        self._sent[lane].update(seqs)
        if lane is Lane.ALARM:
            items = [AlarmItem(age_ms, event) for age_ms, event in found]
            self._publish(Channel.ALARM, Alarms(VERSION, self.instance, self.boot, self.kboot, items))
        else:
            readings = [TelemetryItem(age_ms, reading) for age_ms, reading in found]
            self._publish(Channel.TELEMETRY, Telemetry(VERSION, self.instance, self.boot, self.kboot, readings))

    def _receipted(self, receipt: Receipt) -> None:
        waiting, sent = self.waiting[receipt.lane], self._sent[receipt.lane]
        for first, last in receipt.committed.get(self.instance, []):
            for seq in [seq for seq in waiting if first <= seq <= last]:
                del waiting[seq]
                sent.discard(seq)

    def _obey(self, order: Order) -> None:
        reply = self._done.get(order.id)
        if reply is None:
            results = [Result(premises, Outcome.DONE) for premises in order.premises]
            reply = self._done[order.id] = Reply(VERSION, self.instance, self.boot, order.id, results, [], self.stamp())
        if self.link_up:
            self._publish(Channel.REPLY, reply)

    def _publish(self, channel: Channel, message: msgspec.Struct) -> None:
        where = topic(self.wired.area, self.wired.name, channel)
        self.loop.after(self.rng.uniform(5, 30), self._say, Incoming(where, encode(message), False))
