"""What sends a lane's records over its link: alarms by rank, telemetry one message at a time."""

from __future__ import annotations

import asyncio
import contextlib

from edge.clock import Clock
from edge.core.entries import Batch
from edge.core.pacing import Pacing
from edge.lane import LaneBox
from protocol.link import Link

URGENT_BYTES = 4 * 1024
COMMON_BYTES = 2 * 1024
"""Size of a message of P3 and P4 records, so that a panic behind it waits a fraction of a second on a slow link."""
URGENT_MAX = 8
"""Messages of P1 and P2 on their way at once."""


class AlarmSender:
    """P1 and P2 several messages at once, the rest one by one, so that those never stand in the way of these."""

    def __init__(self, link: Link, box: LaneBox, topic: str, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        self._link, self._box, self._topic, self._clock, self._tasks = link, box, topic, clock, tasks
        self._urgent = URGENT_MAX
        self._common = 1

    async def run(self) -> None:
        """Send until the link fails."""
        box = self._box
        while True:
            box.wake.clear()
            now_ns = self._clock.mono_ns()
            if self._urgent and (batch := box.delivery.take(now_ns, URGENT_BYTES, rank_max=2)) is not None:
                self._urgent -= 1
                self._tasks.create_task(self._send_urgent(batch), name="alarm publish urgent")
            elif self._common and (batch := box.delivery.take(now_ns, COMMON_BYTES)) is not None:
                self._common -= 1
                self._tasks.create_task(self._send_common(batch), name="alarm publish common")
            else:
                await news(box, now_ns)

    async def _send_urgent(self, batch: Batch) -> None:
        await self._send(batch)
        self._urgent += 1

    async def _send_common(self, batch: Batch) -> None:
        await self._send(batch)
        self._common += 1

    async def _send(self, batch: Batch) -> None:
        await self._link.publish(self._topic, self._box.message(batch, self._clock.mono_ns()))
        self._box.wake.set()


async def send_telemetry(link: Link, box: LaneBox, topic: str, clock: Clock, pacing: Pacing) -> None:
    """Send until the link fails, as much at once as the link takes quickly, and nothing while an alarm waits."""
    while True:
        box.wake.clear()
        now_ns = clock.mono_ns()
        hold_ns = pacing.wait_ns(now_ns)
        if hold_ns:
            await news(box, now_ns, now_ns + hold_ns)
            continue
        batch = box.delivery.take(now_ns, pacing.size)
        if batch is None:
            await news(box, now_ns)
            continue
        pacing.sent(now_ns)
        data = box.message(batch, now_ns)
        await link.publish(topic, data)
        pacing.acked(len(data), clock.mono_ns() - now_ns)


async def news(box: LaneBox, now_ns: int, no_longer_ns: int | None = None) -> None:
    """Wait until the lane has news, or what is due by itself is due."""
    due_ns = box.delivery.next_due_ns(now_ns)
    if due_ns is not None and due_ns <= now_ns:
        due_ns = None  # it waits for a message to be acknowledged, which is news
    times = [ns for ns in (due_ns, no_longer_ns) if ns is not None]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout((min(times) - now_ns) / 1e9 if times else None):
            await box.wake.wait()
