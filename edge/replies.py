"""Answers on their way to the hub: bounded in number and each in size, sent in their order, kept over a lost link."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from protocol.codec import SIZE_MAX, encode
from protocol.faults import Fault
from protocol.link import Link
from protocol.messages import Outcome, Reply, Result

T = TypeVar("T")
WAITING_MAX = 500
BYTES_MAX = SIZE_MAX // 4
"""Of one reply: enough for hundreds of faults, and no longer than a slow link bears."""


class Replies:
    """What waits to be said. `lost` counts the oldest, given up when too many waited for a connection."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[Reply] = deque()
        self._wake = asyncio.Event()

    def put(self, reply: Reply) -> None:
        """Send a reply, now or when next connected; beyond the bound the oldest waiting is given up."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(fitting(reply))
        self._wake.set()

    async def send(self, link: Link, topic: str) -> None:
        """Send what waits, until the link fails."""
        while True:
            self._wake.clear()
            while self._waiting:
                reply = self._waiting[0]
                await link.publish(topic, encode(reply))
                with contextlib.suppress(ValueError):  # given up meanwhile
                    self._waiting.remove(reply)
            await self._wake.wait()


def fitting(reply: Reply) -> Reply:
    """The reply as it may be sent: where it says too much, the first of it and how much more there was."""
    kept, said = max(len(reply.faults), len(reply.results)), reply
    while kept and len(msgspec.json.encode(said)) > BYTES_MAX:
        kept //= 2
        faults = _first(reply.faults, kept, lambda more: Fault("reply", "faults", f"{more} more", "none"))
        results = _first(reply.results, kept, lambda more: Result(None, Outcome.REFUSED, f"{more} more, not told"))
        said = msgspec.structs.replace(reply, faults=faults, results=results)
    return said


def _first(said: list[T], kept: int, more: Callable[[int], T]) -> list[T]:
    return said if len(said) <= kept else [*said[:kept], more(len(said) - kept)]
