"""The way to the hub: two connections, one a lane, each with its own back-off and neither waiting for the other.

The alarm connection also carries birth, session, commands and replies. A record leaves its lane only on the hub's
receipt; the broker's acknowledgement merely paces telemetry.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from edge.clock import Clock
from edge.core.entries import Batch
from edge.core.pacing import Pacing
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from protocol.codec import encode
from protocol.link import Backoff, Endpoint, Incoming, Link, LinkError, Will, keep_linked
from protocol.messages import VERSION, Birth, Reply, Session, ZoneBorn
from protocol.records import Lane
from protocol.topics import Channel, topic

URGENT_BYTES = 4 * 1024
COMMON_BYTES = 2 * 1024
"""Size of a message of P3 and P4 records, so that a panic behind it waits a fraction of a second on a slow link."""
URGENT_MAX = 8
"""Messages of P1 and P2 on their way at once."""
REPLIES_MAX = 500
FAREWELL_S_MAX = 0.5
BACKOFF = Backoff(first_s=0.5, cap_s=30.0)

log = structlog.get_logger("lianfang.uplink")


@dataclass(slots=True)
class UplinkCounts:
    """Since process start. `replies_lost`: the oldest replies, given up when too many waited for a connection."""

    connections: int = 0
    failures: int = 0
    replies_lost: int = 0


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
        self._me = me
        self._endpoint = endpoint
        self._alarm = alarm
        self._telemetry = telemetry
        self._inward = inward
        self._clock = clock
        self._zones = zones
        self._backoff = backoff
        self._rng = random.Random() if rng is None else rng
        self._pacing = Pacing()
        self._replies: deque[Reply] = deque()
        self._reply_wake = asyncio.Event()
        self._common_free = asyncio.Event()
        self._common_free.set()
        self._beat = 0
        self._connection = 0
        self.counts = UplinkCounts()
        self.down_since_ns: int | None = clock.mono_ns()

    async def run(self) -> None:
        """Keep both connections."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(Lane.ALARM, self._alarm_link, self._serve_alarm), name="uplink alarm")
            tasks.create_task(
                self._keep(Lane.TELEMETRY, self._telemetry_link, self._serve_telemetry), name="uplink telemetry"
            )

    def alarm_made(self) -> None:
        """An alarm record was just offered: telemetry stands back for a while."""
        self._pacing.alarm(self._clock.mono_ns())

    def alarm_receipted(self) -> None:
        """A receipt of alarm records came; when none waits any more, telemetry goes on."""
        if not len(self._alarm.delivery):
            self._pacing.alarms_receipted()
            self._telemetry.wake.set()

    def reply(self, reply: Reply) -> None:
        """Send a reply, now or when next connected; beyond the bound the oldest waiting is given up."""
        if len(self._replies) >= REPLIES_MAX:
            self._replies.popleft()
            self.counts.replies_lost += 1
        self._replies.append(reply)
        self._reply_wake.set()

    async def _keep(self, lane: Lane, connect: Callable[[], Link], serve: Callable[[Link], Awaitable[None]]) -> None:
        def down(why: str, wait_s: float) -> None:
            self.counts.failures += 1
            log.warning("link down", lane=lane, why=why, again_in_s=round(wait_s, 2))

        await keep_linked(connect, serve, backoff=self._backoff, rng=self._rng, on_down=down)

    def _alarm_link(self) -> Link:
        self._connection += 1
        will = Will(self._topic(Channel.SESSION), encode(self._session(online=False)))
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
        await link.publish(self._topic(Channel.BIRTH), encode(self._birth()), retain=True)
        await self._say_session(link, online=True)
        self.counts.connections += 1
        self.down_since_ns = None
        log.info("connected", lane=Lane.ALARM, connection=self._connection)
        self._alarm.delivery.resend()
        self._common_free.set()
        try:
            async with _together() as tasks:
                tasks.create_task(self._hear(link, self._alarm), name="alarm hear")
                tasks.create_task(self._send_alarms(link, tasks), name="alarm send")
                tasks.create_task(self._send_replies(link), name="alarm replies")
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
        async with _together() as tasks:
            tasks.create_task(self._hear(link, self._telemetry), name="telemetry hear")
            tasks.create_task(self._send_telemetry(link), name="telemetry send")

    async def _hear(self, link: Link, box: LaneBox) -> None:
        async for message in link.messages():
            self._take_in(message, box)

    def _take_in(self, message: Incoming, box: LaneBox) -> None:
        for reply in self._inward.take(message, box):
            self.reply(reply)

    async def _send_alarms(self, link: Link, tasks: asyncio.TaskGroup) -> None:
        box, free = self._alarm, asyncio.Semaphore(URGENT_MAX)
        while True:
            box.wake.clear()
            now_ns = self._clock.mono_ns()
            if not free.locked() and (batch := box.delivery.take(now_ns, URGENT_BYTES, rank_max=2)) is not None:
                await free.acquire()
                tasks.create_task(self._publish_urgent(link, batch, free), name="alarm publish urgent")
            elif self._common_free.is_set() and (batch := box.delivery.take(now_ns, COMMON_BYTES)) is not None:
                self._common_free.clear()
                tasks.create_task(self._publish_common(link, batch), name="alarm publish common")
            else:
                await self._wait(box)

    async def _wait(self, box: LaneBox, no_longer_ns: int | None = None) -> None:
        """Until the lane has news, or what is due by itself is due."""
        now_ns = self._clock.mono_ns()
        due_ns = box.delivery.next_due_ns(now_ns)
        if due_ns is not None and due_ns <= now_ns:
            due_ns = None  # it waits for a message to be acknowledged, which is news
        times = [ns for ns in (due_ns, no_longer_ns) if ns is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout((min(times) - now_ns) / 1e9 if times else None):
                await box.wake.wait()

    async def _publish_urgent(self, link: Link, batch: Batch, free: asyncio.Semaphore) -> None:
        try:
            await self._publish(link, self._alarm, batch)
        finally:
            free.release()
            self._alarm.wake.set()

    async def _publish_common(self, link: Link, batch: Batch) -> None:
        try:
            await self._publish(link, self._alarm, batch)
        finally:
            self._common_free.set()
            self._alarm.wake.set()

    async def _publish(self, link: Link, box: LaneBox, batch: Batch) -> int:
        data = box.message(batch, self._clock.mono_ns())
        channel = Channel.ALARM if box.lane is Lane.ALARM else Channel.TELEMETRY
        await link.publish(self._topic(channel), data)
        return len(data)

    async def _send_telemetry(self, link: Link) -> None:
        box, pacing = self._telemetry, self._pacing
        while True:
            box.wake.clear()
            now_ns = self._clock.mono_ns()
            hold_ns = pacing.wait_ns(now_ns)
            if hold_ns:
                await self._wait(box, now_ns + hold_ns)
                continue
            batch = box.delivery.take(now_ns, pacing.size)
            if batch is None:
                await self._wait(box)
                continue
            pacing.sent(now_ns)
            size = await self._publish(link, box, batch)
            pacing.acked(size, self._clock.mono_ns() - now_ns)

    async def _send_replies(self, link: Link) -> None:
        while True:
            self._reply_wake.clear()
            while self._replies:
                reply = self._replies[0]
                await link.publish(self._topic(Channel.REPLY), encode(reply))
                with contextlib.suppress(ValueError):
                    self._replies.remove(reply)
            await self._reply_wake.wait()

    async def _heartbeat(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._me.heartbeat_ms / 1000)
            self._beat += 1
            await self._say_session(link, online=True)

    async def _say_session(self, link: Link, *, online: bool) -> None:
        await link.publish(self._topic(Channel.SESSION), encode(self._session(online=online)), retain=True)

    def _session(self, *, online: bool) -> Session:
        queued = {Lane.ALARM: len(self._alarm.delivery), Lane.TELEMETRY: len(self._telemetry.delivery)}
        return Session(
            VERSION,
            self._me.instance,
            self._me.boot,
            self._connection,
            online,
            beat=self._beat,
            at=self._clock.now() if online else None,
            queued=queued if online else {},
        )

    def _birth(self) -> Birth:
        me = self._me
        return Birth(
            VERSION,
            me.instance,
            me.boot,
            me.kboot,
            me.software,
            me.config,
            me.heartbeat_ms,
            me.profile_ms,
            self._clock.now(),
            self._zones(),
        )

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
