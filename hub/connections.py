"""The hub's two MQTT connections: the alarm lane with sessions and replies, and the telemetry lane apart from it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import structlog

from hub.clock import HubClock
from hub.ingest import Ingest
from hub.outgoing import Outgoing
from hub.settings import Mqtt
from protocol.codec import encode
from protocol.faults import Fault, Refused
from protocol.link import Backoff, Endpoint, Link, LinkError, Will, keep_linked
from protocol.messages import VERSION, HubSession
from protocol.records import Lane
from protocol.tls import Tls
from protocol.topics import UP, Channel, filters, hub_topic

BACKOFF = Backoff(first_s=0.2, cap_s=10.0)
LANES = {
    Lane.ALARM: tuple(channel for channel in UP if channel is not Channel.TELEMETRY),
    Lane.TELEMETRY: (Channel.TELEMETRY,),
}
TURN_S = 0.005
"""How long messages are handed on without a pause for the others."""
INBOX_MAX = 4_000
"""Messages of a lane between the broker and the gate; the newest is discarded beyond, and sent again."""


def credentials(mqtt: Mqtt) -> tuple[Tls | None, str | None]:
    """The TLS files, if the connection is TLS, and the password. Raises Refused for a password that cannot be read.

    Whether the TLS files would connect is seen at each connection: they may be renewed while the hub runs.
    """
    tls = Tls(mqtt.ca, mqtt.cert, mqtt.key) if mqtt.ca and mqtt.cert and mqtt.key else None
    if mqtt.password_file is None:
        return tls, None
    try:
        return tls, mqtt.password_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as cause:
        fault = Fault(str(mqtt.password_file), "mqtt.password_file", str(cause), "a readable file in UTF-8")
        raise Refused([fault]) from cause


class Connections:
    """Keeps both connections up. `state` says per lane why it is down, or None."""

    def __init__(self, hub: str, session: str, mqtt: Mqtt, ingest: Ingest, clock: HubClock) -> None:
        self.state: dict[str, str | None] = {lane.value: "not connected yet" for lane in LANES}
        self._hub = hub
        self._session = session
        self._mqtt = mqtt
        self._ingest = ingest
        self._clock = clock
        self._rng = random.Random()
        self._log = structlog.get_logger("hub.broker")
        self._alarm: Link | None = None

    async def run(self, lane: Lane, outgoing: Outgoing) -> None:
        """Keep one lane's connection, for ever."""

        async def serve(link: Link) -> None:
            await self._serve(link, lane, outgoing)

        def down(why: str, wait_s: float) -> None:
            if self.state[lane.value] is None or self.state[lane.value] != why:
                self._log.warning("broker lost", lane=lane.value, why=why, again_in_s=round(wait_s, 2))
            self.state[lane.value] = why

        await keep_linked(self._linker(lane), serve, backoff=BACKOFF, rng=self._rng, on_down=down)

    async def farewell(self) -> None:
        """Say that this hub goes; without it the broker says so for us."""
        if self._alarm is not None and self._alarm.down is None:
            await self._announce(self._alarm, online=False)

    async def _serve(self, link: Link, lane: Lane, outgoing: Outgoing) -> None:
        await link.subscribe(filters(LANES[lane]))
        if lane is Lane.ALARM:
            self._alarm = link
            await self._announce(link, online=True)
        self.state[lane.value] = None
        self._log.info("broker reached", lane=lane.value, broker=str(link.endpoint))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(link), name=f"{lane} in")
                tasks.create_task(outgoing.run(link), name=f"{lane} out")
        except* LinkError as group:
            raise LinkError(str(group.exceptions[0])) from None
        finally:
            if self._alarm is link:
                self._alarm = None

    async def _read(self, link: Link) -> None:
        """Hand on what came, and let others run now and then when there is much of it."""
        clock = asyncio.get_running_loop().time
        turn_s = clock()
        async for message in link.messages():
            self._ingest.take(message)
            if clock() - turn_s > TURN_S:
                await asyncio.sleep(0)
                turn_s = clock()

    async def _announce(self, link: Link, *, online: bool) -> None:
        await link.publish(hub_topic(self._hub), self._session_bytes(online=online), retain=True, timeout_s=2.0)

    def _session_bytes(self, *, online: bool) -> bytes:
        return encode(HubSession(VERSION, self._hub, self._session, online, self._clock.now_ms()))

    def _linker(self, lane: Lane) -> Callable[[], Link]:
        mqtt = self._mqtt
        tls, password = credentials(mqtt)

        def make() -> Link:
            endpoint = Endpoint(
                host=mqtt.host,
                port=mqtt.port,
                client_id=f"hub-{self._hub}-{lane}",
                tls=tls,
                username=mqtt.username,
                password=password,
                inbox_max=INBOX_MAX,
            )
            if lane is not Lane.ALARM:
                return Link(endpoint)
            return Link(endpoint, Will(hub_topic(self._hub), self._session_bytes(online=False)))

        return make
