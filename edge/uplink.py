"""The way to the hub: two connections, one a lane, each with its own back-off and neither waiting for the other.

The alarm connection also carries birth, session, commands and replies. A record leaves its lane only on the hub's
receipt; the broker's acknowledgement merely paces telemetry.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from edge.clock import Clock
from edge.core.pacing import Pacing
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.presence import Presence
from edge.replies import Replies
from edge.senders import AlarmSender, send_telemetry
from protocol.codec import encode
from protocol.link import Backoff, Endpoint, Link, LinkError, Will, keep_linked
from protocol.messages import ZoneBorn
from protocol.records import Lane
from protocol.topics import Channel, topic

FAREWELL_S_MAX = 0.5
BACKOFF = Backoff(first_s=0.5, cap_s=30.0)

log = structlog.get_logger("lianfang.uplink")


@dataclass(slots=True)
class UplinkCounts:
    """Since process start."""

    connections: int = 0
    failures: int = 0


class Uplink:
    """Both connections of one gateway process; `run` until cancelled, then says goodbye."""

    def __init__(
        self,
        me: Identity,
        endpoint: Endpoint,
        alarm: LaneBox,
        telemetry: LaneBox,
        inward: Inward,
        clock: Clock,
        zones: Callable[[], list[ZoneBorn]],
        *,
        backoff: Backoff = BACKOFF,
        rng: random.Random | None = None,
    ) -> None:
        self._me, self._endpoint = me, endpoint
        self._alarm, self._telemetry = alarm, telemetry
        self._inward, self._clock = inward, clock
        self._backoff = backoff
        self._rng = random.Random() if rng is None else rng
        self._pacing = Pacing()
        self._presence = Presence(me, clock, (alarm, telemetry), zones)
        self.replies = Replies()
        self.counts = UplinkCounts()
        self.down_since_ns: int | None = clock.mono_ns()

    async def run(self) -> None:
        """Keep both connections."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(Lane.ALARM, self._alarm_link, self._serve_alarm), name="uplink alarm")
            telemetry = self._keep(Lane.TELEMETRY, self._telemetry_link, self._serve_telemetry)
            tasks.create_task(telemetry, name="uplink telemetry")

    def alarm_made(self) -> None:
        """An alarm record was just offered: telemetry stands back for a while."""
        self._pacing.alarm(self._clock.mono_ns())

    def alarm_receipted(self) -> None:
        """A receipt of alarm records came; when none waits any more, telemetry goes on."""
        if not len(self._alarm.delivery):
            self._pacing.alarms_receipted()
            self._telemetry.wake.set()

    async def _keep(self, lane: Lane, connect: Callable[[], Link], serve: Callable[[Link], Awaitable[None]]) -> None:
        def down(why: str, wait_s: float) -> None:
            self.counts.failures += 1
            log.warning("link down", lane=lane, why=why, again_in_s=round(wait_s, 2))

        await keep_linked(connect, serve, backoff=self._backoff, rng=self._rng, on_down=down)

    def _alarm_link(self) -> Link:
        self._presence.connection += 1
        will = Will(self._topic(Channel.SESSION), encode(self._presence.session(online=False)))
        return Link(self._named(Lane.ALARM), will)

    def _telemetry_link(self) -> Link:
        return Link(self._named(Lane.TELEMETRY))

    def _named(self, lane: Lane) -> Endpoint:
        # with the instance in it, a cloned card does not throw its twin off the broker: both are heard, and told apart
        name = f"{self._me.area}.{self._me.gateway}.{lane}.{self._me.instance[:8]}"
        return replace(self._endpoint, client_id=name)

    async def _serve_alarm(self, link: Link) -> None:
        channels = (Channel.RECEIPT, Channel.COMMAND, Channel.CONFIG)
        await link.subscribe([*map(self._topic, channels), Inward.HUBS])
        await link.publish(self._topic(Channel.BIRTH), encode(self._presence.birth()), retain=True)
        await self._say_session(link, online=True)
        self.counts.connections += 1
        self.down_since_ns = None
        log.info("connected", lane=Lane.ALARM, connection=self._presence.connection)
        self._alarm.delivery.resend()
        try:
            async with _together() as tasks:
                sender = AlarmSender(link, self._alarm, self._topic(Channel.ALARM), self._clock, tasks)
                tasks.create_task(self._hear(link, self._alarm), name="alarm hear")
                tasks.create_task(sender.run(), name="alarm send")
                tasks.create_task(self.replies.send(link, self._topic(Channel.REPLY)), name="alarm replies")
                tasks.create_task(self._inward.run_configs(self.replies.put), name="alarm configurations")
                tasks.create_task(self._heartbeat(link), name="alarm heartbeat")
        except asyncio.CancelledError:
            with contextlib.suppress(LinkError, TimeoutError):
                async with asyncio.timeout(FAREWELL_S_MAX):
                    await self._say_session(link, online=False)
            raise
        finally:
            self.down_since_ns = self._clock.mono_ns()

    async def _serve_telemetry(self, link: Link) -> None:
        await link.subscribe([self._topic(Channel.RECEIPT), Inward.HUBS])
        log.info("connected", lane=Lane.TELEMETRY)
        self._telemetry.delivery.resend()
        self._pacing.failed()
        here = self._topic(Channel.TELEMETRY)
        async with _together() as tasks:
            tasks.create_task(self._hear(link, self._telemetry), name="telemetry hear")
            sender = send_telemetry(link, self._telemetry, here, self._clock, self._pacing)
            tasks.create_task(sender, name="telemetry send")

    async def _hear(self, link: Link, box: LaneBox) -> None:
        async for message in link.messages():
            for reply in self._inward.take(message, box):
                self.replies.put(reply)

    async def _heartbeat(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._me.heartbeat_ms / 1000)
            self._presence.beat += 1
            await self._say_session(link, online=True)

    async def _say_session(self, link: Link, *, online: bool) -> None:
        data = encode(self._presence.session(online=online))
        await link.publish(self._topic(Channel.SESSION), data, retain=True)

    def _topic(self, channel: Channel) -> str:
        return topic(self._me.area, self._me.gateway, channel)


@contextlib.asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that ends with the one LinkError that ended it; anything else is a bug and stays a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        links, others = group.split(LinkError)
        if links is None or others is not None:
            raise
        raise _first(links.exceptions) from None


def _first(errors: Sequence[BaseException]) -> BaseException:
    return _first(errors[0].exceptions) if isinstance(errors[0], BaseExceptionGroup) else errors[0]
