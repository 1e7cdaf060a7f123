"""A whole hub in the test's own process on a real broker, and a gateway that says exactly what the test wants."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hub.api.desk import Parts
from hub.app import Hub
from hub.core.incident import Incident
from hub.orders import load_key
from hub.settings_file import load
from protocol.codec import decode, encode
from protocol.ids import is_id
from protocol.kinds import CODES, Kind, Qualifier
from protocol.link import Endpoint, Incoming, Link
from protocol.messages import (
    AlarmItem,
    Alarms,
    Birth,
    Command,
    Config,
    Order,
    Receipt,
    Reply,
    Result,
    Session,
    Telemetry,
    TelemetryItem,
)
from protocol.ranges import Ranges
from protocol.records import ClockQuality, Event, Gap, Lane, Reading, Stamp
from protocol.signing import verify
from protocol.topics import DOWN, Channel, topic
from simulators.broker import Broker
from tests.support.wait import until

AREA = "town"
REGISTRY = """
area = [{ id = "town", town = "t", county = "c" }, { id = "other", town = "t", county = "c" }]
station = [{ id = "st", area = "town" }, { id = "so", area = "other" }]
gateway = [
  { id = "gw-1", area = "town", profile_ms = 20_000 },
  { id = "gw-2", area = "town", profile_ms = 20_000 },
  { id = "gw-o", area = "other", profile_ms = 20_000 },
]
group = [
  { id = "g1", area = "town", station = "st", members = ["h1", "h2", "h3", "works"], head = "h1" },
  { id = "go", area = "other", station = "so", members = ["o1", "o2"] },
]
premises = [
  { id = "h1", area = "town", kind = "household", gateway = "gw-1" },
  { id = "h2", area = "town", kind = "household", gateway = "gw-1", report_every = "yes" },
  { id = "h3", area = "town", kind = "household", gateway = "gw-2" },
  { id = "works", area = "town", kind = "site", gateway = "gw-2" },
  { id = "o1", area = "other", kind = "household", gateway = "gw-o" },
  { id = "o2", area = "other", kind = "household", gateway = "gw-o" },
]
zone = [
  { id = "h1-panic", area = "town", premises = "h1", kind = "panic" },
  { id = "h1-door", area = "town", premises = "h1", kind = "door" },
  { id = "h2-panic", area = "town", premises = "h2", kind = "panic" },
  { id = "h2-door", area = "town", premises = "h2", kind = "door" },
  { id = "h3-panic", area = "town", premises = "h3", kind = "panic" },
  { id = "works-door", area = "town", premises = "works", kind = "door" },
  { id = "o1-panic", area = "other", premises = "o1", kind = "panic" },
]
"""
PEOPLE = {
    "vera": ("viewer", ["*"]),
    "otto": ("operator", ["town"]),
    "olga": ("operator", ["*"]),
    "susi": ("supervisor", ["*"]),
    "anna": ("admin", ["*"]),
    "omar": ("operator", ["other"]),
}


def write_config(folder: Path, broker: Broker | None = None) -> Path:
    """A hub's configuration with its registry, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.toml").write_text(REGISTRY, encoding="utf-8")
    port = broker.port if broker is not None else 1
    lines = [
        *("[hub]", 'id = "hub-1"', 'data_dir = "data"', 'registry = "registry.toml"'),
        *("[mqtt]", 'host = "127.0.0.1"', f"port = {port}", "[api]", "port = 0", "[journal]", "busy_ms = 50"),
    ]
    for name, (role, areas) in PEOPLE.items():
        digest = hashlib.sha256(f"token of {name}".encode()).hexdigest()
        lines += ["[[person]]", f'id = "{name}"', f'role = "{role}"', f"areas = {areas}", f'token_sha256 = "{digest}"']
    path = folder / "hub.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@dataclass
class Running:
    """A hub that runs; `parts` are its insides, `api(name)` its API as a person uses it."""

    hub: Hub
    parts: Parts
    folder: Path

    @property
    def url(self) -> str:
        assert self.hub.address is not None
        return f"http://{self.hub.address[0]}:{self.hub.address[1]}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextlib.asynccontextmanager
    async def api(self, name: str | None = "olga") -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer token of {name}"} if name else {}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=20) as client:
            yield client

    async def counted(self, sample: str) -> float:
        """A sample of /metrics by its name with labels; 0 where there is none."""
        async with self.api(None) as client:
            text = (await client.get("/metrics")).text
        found = [line for line in text.splitlines() if line.startswith(f"{sample} ")]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


@contextlib.asynccontextmanager
async def running(folder: Path, broker: Broker | None = None, *overrides: str) -> AsyncIterator[Running]:
    """A hub, up and (with a broker) connected on both lanes."""
    hub = Hub(load(write_config(folder, broker), overrides))
    task = asyncio.create_task(hub.run(), name="hub")
    listening = asyncio.create_task(hub.listening.wait())
    try:
        await asyncio.wait([task, listening], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert hub.parts is not None
        if broker is not None:
            await until(lambda: hub.parts is not None and set(hub.parts.broker.values()) == {None})
        yield Running(hub, hub.parts, folder)
    finally:
        listening.cancel()
        hub.stop()
        await asyncio.wait_for(task, 20)


@dataclass
class SaidGateway:
    """A gateway's end of the wire. `seq` numbers go on by lane; everything it was told is kept."""

    link: Link
    area: str = AREA
    gateway: str = "gw-1"
    instance: str = "1" * 32
    boot: int = 1
    seqs: dict[Lane, int] = field(default_factory=lambda: {Lane.ALARM: 0, Lane.TELEMETRY: 0})
    receipts: list[Receipt] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)

    async def raw(self, channel: Channel, data: bytes, *, retain: bool = False) -> None:
        """Publish these very bytes."""
        await self.link.publish(topic(self.area, self.gateway, channel), data, retain=retain)

    async def say(self, channel: Channel, message: msgspec.Struct, *, retain: bool = False) -> None:
        """Publish a message."""
        await self.raw(channel, encode(message), retain=retain)

    def event(self, kind: Kind = Kind.PANIC, zone: str = "h1-panic", **more: Any) -> Event:
        """The next event; its premises is what the zone's name begins with."""
        self.seqs[Lane.ALARM] += 1
        seq = self.seqs[Lane.ALARM]
        given = {"premises": zone.partition("-")[0], "zone": zone, "key": f"{self.gateway}-{self.boot}-{seq}"}
        return Event(
            seq=seq, kind=kind, qualifier=Qualifier.NEW, priority=CODES[kind].priority, at=stamp(), **given | more
        )

    async def alarm(self, *events: Event, age_ms: int | None = 5, gaps: list[Gap] | None = None) -> None:
        """Send events in one message."""
        items = [AlarmItem(age_ms, msgspec.Raw(encode(event))) for event in events]
        await self.say(Channel.ALARM, Alarms(1, self.instance, self.boot, "0" * 32, items, gaps or []))

    async def press(self, zone: str = "h1-panic") -> Event:
        """A panic button."""
        event = self.event(zone=zone)
        await self.alarm(event)
        return event

    async def readings(self, *points: tuple[str, Any], age_ms: int | None = 0, gaps: list[Gap] | None = None) -> None:
        """Send telemetry in one message."""
        items = []
        for point, value in points:
            self.seqs[Lane.TELEMETRY] += 1
            items.append(TelemetryItem(age_ms, Reading(self.seqs[Lane.TELEMETRY], point, value, stamp())))
        await self.say(Channel.TELEMETRY, Telemetry(1, self.instance, self.boot, "0" * 32, items, gaps or []))

    async def birth(self, **more: Any) -> None:
        """Be born."""
        given: dict[str, Any] = {
            "software": "test",
            "config": "c" * 64,
            "heartbeat_ms": 6_000,
            "profile_ms": 20_000,
            "zones": [],
        }
        birth = Birth(v=1, instance=self.instance, boot=self.boot, kboot="0" * 32, at=stamp(), **given | more)
        await self.say(Channel.BIRTH, birth, retain=True)

    async def session(self, connection: int = 1, *, online: bool = True, boot: int | None = None, **more: Any) -> None:
        """A heartbeat."""
        boot = self.boot if boot is None else boot
        session = Session(1, self.instance, boot, connection, online, **{"at": stamp()} | more)
        await self.say(Channel.SESSION, session, retain=True)

    async def idle(self, uptime_s: int, *, alarm: int = 0, telemetry: int = 0, **more: Any) -> None:
        """A heartbeat written so long after the kernel's start that says how many records wait, by lane."""
        at = Stamp(uptime_s * 10**9, 1_700_000_000_000, ClockQuality.SYNCED)
        await self.session(at=at, queued={Lane.ALARM: alarm, Lane.TELEMETRY: telemetry}, **more)

    async def reply(self, order: Order, *results: Result) -> None:
        """Answer an order."""
        await self.say(Channel.REPLY, Reply(1, self.instance, self.boot, order.id, list(results)))

    def committed(self, lane: Lane) -> Ranges:
        """What the hub receipted of this instance, by its newest receipt of the lane."""
        newest = [one for one in self.receipts if one.lane is lane][-1:]
        return Ranges(newest[0].committed.get(self.instance, []) if newest else [])

    async def receipted(self, seq: int, lane: Lane = Lane.ALARM) -> Receipt:
        """Wait for the receipt of a sequence."""
        await until(lambda: seq in self.committed(lane))
        return [one for one in self.receipts if one.lane is lane][-1]

    def orders(self, folder: Path) -> list[Order]:
        """Every order received, its signature checked with the hub's key."""
        key = {"hub-1": load_key(folder / "hub.key").public_key()}
        found = [verify(command, key, self.area, self.gateway) for command in self.commands]
        assert all(isinstance(order, Order) for order in found), found
        return [order for order in found if isinstance(order, Order)]

    def take(self, message: Incoming) -> None:
        """Keep what came down."""
        if message.topic.endswith(Channel.RECEIPT):
            self.receipts.append(decode(message.data, Receipt))
        elif message.topic.endswith(Channel.COMMAND):
            self.commands.append(decode(message.data, Command))
        elif message.topic.endswith(Channel.CONFIG):
            self.configs.append(decode(message.data, Config))


@contextlib.asynccontextmanager
async def gateway(broker: Broker, name: str = "gw-1", area: str = AREA, **more: Any) -> AsyncIterator[SaidGateway]:
    """A gateway's end of the wire, connected and listening."""
    assert is_id(name)
    async with Link(Endpoint(host=broker.host, port=broker.port, client_id=f"said-{name}")) as link:
        said = SaidGateway(link, area, name, **more)
        await link.subscribe([topic(area, name, channel) for channel in DOWN])

        async def read() -> None:
            async for message in link.messages():
                said.take(message)

        reading = asyncio.create_task(read())
        try:
            yield said
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def stamp(wall_ms: int = 1_700_000_000_000, quality: ClockQuality = ClockQuality.SYNCED) -> Stamp:
    """A stamp of no interest."""
    return Stamp(1_000_000, wall_ms, quality)


async def pressed(hub: Running, gw: SaidGateway) -> Incident:
    """Somebody presses; the incident the hub shows first once it has that on disk."""
    event = await gw.press()
    await gw.receipted(event.seq)
    return hub.parts.desk.incidents()[0]
