"""What the hub has to say to gateways: orders before receipts (but for their own gateway's), bounded, published side
by side.

An order that finds no room is sent again by the desk's own retry; a receipt that is lost is asked for by a resend.
"""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from protocol.link import INFLIGHT_MAX, Link, LinkError
from protocol.records import Lane
from protocol.topics import Channel

ORDERS_MAX = 4_096
RECEIPTS_MAX = 4_096


class Outgoing:
    """Waiting publications of one connection. The victim is the newest order, or the oldest receipt."""

    def __init__(self) -> None:
        self._orders: deque[tuple[str, bytes]] = deque()
        self._receipts: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        self._log = structlog.get_logger("hub.outgoing")

    def order(self, topic: str, data: bytes) -> bool:
        """Queue an order; False when there is no room."""
        if len(self._orders) >= ORDERS_MAX:
            return False
        self._orders.append((topic, data))
        self._wake.set()
        return True

    def receipt(self, topic: str, lane: str, data: bytes) -> None:
        """Queue a receipt in place of an older one of the same gateway and lane, which says less."""
        self._receipts.pop(f"{lane} {topic}", None)
        if len(self._receipts) >= RECEIPTS_MAX:
            del self._receipts[next(iter(self._receipts))]
        self._receipts[f"{lane} {topic}"] = data
        self._wake.set()

    async def run(self, link: Link) -> None:
        """Publish over `link` until it fails. Raises LinkError. Never more on the way than the broker takes."""
        free = asyncio.Semaphore(INFLIGHT_MAX)
        failed: list[LinkError] = []

        async def publish(topic: str, data: bytes) -> None:
            try:
                await link.publish(topic, data, qos=1)
            except LinkError as cause:
                failed.append(cause)
                self._wake.set()
            finally:
                free.release()

        async with asyncio.TaskGroup() as tasks:
            while not failed:
                await free.acquire()
                if (found := self._next()) is not None:
                    tasks.create_task(publish(*found))
                    continue
                free.release()
                self._wake.clear()
                await self._wake.wait()
        raise failed[0]

    def _next(self) -> tuple[str, bytes] | None:
        if self._orders:
            # what the hub had before an order is told before it: a stand-down says nothing of presses not receipted
            before = f"{Lane.ALARM} {self._orders[0][0].rpartition('/')[0]}/{Channel.RECEIPT}"
            if before in self._receipts:
                return before.partition(" ")[2], self._receipts.pop(before)
            return self._orders.popleft()
        if self._receipts:
            key = next(iter(self._receipts))
            return key.partition(" ")[2], self._receipts.pop(key)
        return None
