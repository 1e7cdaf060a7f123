"""The gateway's two MQTT connections, each with its own back-off: the tasks that carry what the uplink says."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from edge.core.sending import Flight, Sending
from edge.uplink import Uplink
from protocol.link import Backoff, Endpoint, Link, LinkError, Said, keep_linked
from protocol.records import ClockQuality, Lane

FAREWELL_S_MAX = 0.5
BACKOFF = Backoff(first_s=0.5, cap_s=30.0)


class Connections:
    """Both connections of one gateway process; `run` until cancelled, then says goodbye."""

    def __init__(
        self, uplink: Uplink, endpoint: Endpoint, *, backoff: Backoff = BACKOFF, rng: random.Random | None = None
    ) -> None:
        self._uplink, self._endpoint, self._backoff = uplink, endpoint, backoff
        self._rng = random.Random() if rng is None else rng
        self._wakes = {lane: asyncio.Event() for lane in Lane}
        self._replies_wake = asyncio.Event()
        for lane, wake in self._wakes.items():
            uplink.boxes[lane].on_news = wake.set
        uplink.replies.on_news = self._replies_wake.set

    async def run(self) -> None:
        """Keep both connections."""
        async with asyncio.TaskGroup() as tasks:
            for lane in Lane:
                tasks.create_task(self._keep(lane), name=f"connection {lane}")

    async def _keep(self, lane: Lane) -> None:
        up = self._uplink

        def connect() -> Link:
            timed = up.clock.now().quality is not ClockQuality.UNSET
            return Link(replace(self._endpoint, client_id=up.client_id(lane), timed=timed), up.attempt(lane))

        async def serve(link: Link) -> None:
            await self._serve(lane, link)

        def down(why: str, wait_s: float) -> None:
            up.failed(lane, why, wait_s)

        await keep_linked(connect, serve, backoff=self._backoff, rng=self._rng, on_down=down)

    async def _serve(self, lane: Lane, link: Link) -> None:
        up = self._uplink
        await link.subscribe(up.filters(lane))
        for said in up.greeting(lane):
            await _say(link, said)
        sending = up.begin(lane)
        try:
            async with _together() as tasks:
                tasks.create_task(self._hear(lane, link), name=f"{lane} hear")
                tasks.create_task(self._send(lane, link, sending, tasks), name=f"{lane} send")
                if lane is Lane.ALARM:
                    tasks.create_task(self._reply(link), name="alarm replies")
                    tasks.create_task(up.inward.run_configs(up.replies.put), name="alarm configurations")
                    tasks.create_task(self._heartbeat(link), name="alarm heartbeat")
        except asyncio.CancelledError:
            if lane is Lane.ALARM:
                with contextlib.suppress(LinkError, TimeoutError):
                    async with asyncio.timeout(FAREWELL_S_MAX):
                        await _say(link, up.farewell())
            raise
        finally:
            up.end(lane)

    async def _hear(self, lane: Lane, link: Link) -> None:
        async for message in link.messages():
            self._uplink.heard(lane, message)

    async def _send(self, lane: Lane, link: Link, sending: Sending, tasks: asyncio.TaskGroup) -> None:
        """Send until the link fails."""
        up, wake = self._uplink, self._wakes[lane]

        async def publish(flight: Flight) -> None:
            said = up.records(lane, flight)
            await _say(link, said)
            sending.acknowledged(flight, len(said.data), up.clock.mono_ns())
            wake.set()

        while True:
            wake.clear()
            now_ns = up.clock.mono_ns()
            if (flight := sending.take(now_ns)) is not None:
                tasks.create_task(publish(flight), name=f"{lane} publish")
                continue
            next_ns = sending.next_ns(now_ns)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if next_ns is None else (next_ns - now_ns) / 1e9):
                    await wake.wait()

    async def _reply(self, link: Link) -> None:
        """Say what waits, until the link fails."""
        replies = self._uplink.replies
        while True:
            self._replies_wake.clear()
            while (reply := replies.first()) is not None:
                await _say(link, self._uplink.reply(reply))
                replies.said(reply)
            await self._replies_wake.wait()

    async def _heartbeat(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._uplink.me.heartbeat_ms / 1000)
            for said in self._uplink.heartbeat():
                await _say(link, said)


async def _say(link: Link, said: Said) -> None:
    await link.publish(said.topic, said.data, retain=said.retain)


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
