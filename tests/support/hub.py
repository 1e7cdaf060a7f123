"""A hub that only gives receipts: what an uplink needs to be tested against."""

from __future__ import annotations

import asyncio
import random
from types import TracebackType
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.codec import decode, encode
from protocol.link import Backoff, Endpoint, Incoming, Link, keep_linked
from protocol.messages import VERSION, Alarms, Birth, HubSession, Order, Receipt, Reply, Session, Telemetry
from protocol.ranges import Ranges
from protocol.records import Event, Lane, Reading
from protocol.signing import sign
from protocol.topics import UP, Channel, filters, hub_topic, parse, topic

HUB = "h1"
KEY = "hub-key"


class ReceiptingHub:
    """Keeps what arrives in memory and receipts it; `receipting` and `credit` can be changed while it runs.

    `arrived` is the order of first arrival as (lane, seq); `ages` the last age stated of each; `sends` how often each
    came.
    """

    def __init__(self, host: str, port: int, session: str = "0" * 32) -> None:
        self.endpoint = Endpoint(host=host, port=port, client_id="test-hub", keepalive_s=5)
        self.session = session
        self.receipting = True
        self.credit = 1_000
        self.private = Ed25519PrivateKey.generate()
        self.arrived: list[tuple[Lane, int]] = []
        self.events: dict[tuple[str, int], Event] = {}
        self.readings: dict[tuple[str, int], Reading] = {}
        self.ages: dict[tuple[str, int], int | None] = {}
        self.sends: dict[tuple[str, Lane, int], int] = {}
        self.gaps: list[tuple[Lane, int, int]] = []
        self.births: list[Birth] = []
        self.sessions: list[Session] = []
        self.replies: list[Reply] = []
        self.conflicts = 0
        self.hub_ms = 1_000_000
        self.committed: dict[tuple[Lane, str], Ranges] = {}
        self._bytes: dict[tuple[str, Lane, int], bytes] = {}
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        backoff = Backoff(first_s=0.02, cap_s=0.1)
        work = keep_linked(
            lambda: Link(self.endpoint), self._serve, backoff=backoff, rng=random.Random(1), on_down=self._down
        )
        self._task = asyncio.create_task(work, name="test hub")
        async with asyncio.timeout(20):
            await self.ready.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def seqs(self, lane: Lane) -> list[int]:
        """Distinct sequences that arrived in a lane, in order of first arrival."""
        return [seq for found, seq in self.arrived if found is lane]

    async def command(self, order: Order, private: Ed25519PrivateKey | None = None) -> None:
        """Send an order signed with our key, or with another."""
        await self.send(order.area, order.gateway, Channel.COMMAND, encode(sign(order, KEY, private or self.private)))

    async def send(self, area: str, gateway: str, channel: Channel, data: bytes, retain: bool = False) -> None:
        """Publish raw bytes to a gateway."""
        assert self._link is not None
        await self._link.publish(topic(area, gateway, channel), data, retain=retain)

    async def new_session(self, session: str) -> None:
        """Announce another session of this hub, as after a restart that lost nothing committed."""
        self.session = session
        assert self._link is not None
        await self._say(self._link)

    async def receipt(self, area: str, gateway: str, lane: Lane) -> None:
        """Receipt everything of a lane now."""
        spans = {instance: list(ranges) for (found, instance), ranges in self.committed.items() if found is lane}
        message = Receipt(VERSION, HUB, lane, spans, self.credit, self.hub_ms)
        await self.send(area, gateway, Channel.RECEIPT, encode(message))

    def _down(self, why: str, wait_s: float) -> None:
        self.ready.clear()

    async def _say(self, link: Link) -> None:
        session = HubSession(VERSION, HUB, self.session, True, self.hub_ms)
        await link.publish(hub_topic(HUB), encode(session), retain=True)

    async def _serve(self, link: Link) -> None:
        self._link = link
        await link.subscribe(filters(UP))
        await self._say(link)
        self.ready.set()
        async for message in link.messages():
            lane = self._take(message)
            address = parse(message.topic)
            if lane is not None and address is not None and self.receipting:
                await self.receipt(address.area, address.gateway, lane)

    def _take(self, message: Incoming) -> Lane | None:
        address = parse(message.topic)
        assert address is not None
        match address.channel:
            case Channel.BIRTH:
                self.births.append(decode(message.data, Birth))
            case Channel.SESSION:
                self.sessions.append(decode(message.data, Session))
            case Channel.REPLY:
                self.replies.append(decode(message.data, Reply))
            case Channel.ALARM:
                alarms = decode(message.data, Alarms)
                for item in alarms.items:
                    event = msgspec.json.decode(bytes(item.event), type=Event)
                    self.events.setdefault((alarms.instance, event.seq), event)
                    self._note(Lane.ALARM, alarms.instance, event.seq, item.age_ms, bytes(item.event))
                return self._gaps(Lane.ALARM, alarms)
            case Channel.TELEMETRY:
                telemetry = decode(message.data, Telemetry)
                for one in telemetry.items:
                    self.readings.setdefault((telemetry.instance, one.reading.seq), one.reading)
                    raw = msgspec.json.encode(one.reading)
                    self._note(Lane.TELEMETRY, telemetry.instance, one.reading.seq, one.age_ms, raw)
                return self._gaps(Lane.TELEMETRY, telemetry)
        return None

    def _gaps(self, lane: Lane, message: Alarms | Telemetry) -> Lane:
        for gap in message.gaps:
            self.gaps.append((lane, gap.first, gap.last))
            self.committed.setdefault((lane, message.instance), Ranges()).add(gap.first, gap.last)
        return lane

    def _note(self, lane: Lane, instance: str, seq: int, age_ms: int | None, raw: bytes) -> None:
        key = (instance, lane, seq)
        if self._bytes.setdefault(key, raw) != raw:
            self.conflicts += 1
        self.sends[key] = self.sends.get(key, 0) + 1
        if self.sends[key] == 1:
            self.arrived.append((lane, seq))
        self.ages[instance, seq] = age_ms
        self.committed.setdefault((lane, instance), Ranges()).add(seq)
