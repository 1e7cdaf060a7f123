"""What arrived on a link and waits for its reader."""

from __future__ import annotations

import asyncio
from collections import deque

import aiomqtt

from protocol.codec import SIZE_MAX
from protocol.link.endpoint import Incoming, LinkCounts, LinkError


class Inbox:
    """The waiting incoming messages, bounded by number and bytes; the newest is the victim."""

    def __init__(self, messages_max: int, bytes_max: int, counts: LinkCounts) -> None:
        self._waiting: deque[Incoming] = deque()
        self._bytes = 0
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._counts = counts
        self._wake = asyncio.Event()
        self.down: str | None = None

    def put(self, message: aiomqtt.Message) -> None:
        data = bytes(message.payload)
        self._counts.received += 1
        if len(data) > SIZE_MAX:
            self._counts.oversized += 1
            data = data[: SIZE_MAX + 1]
        if len(self._waiting) >= self._messages_max or self._bytes + len(data) > self._bytes_max:
            self._counts.discarded += 1
            return
        self._bytes += len(data)
        self._waiting.append(Incoming(str(message.topic), data, bool(message.retain)))
        self._wake.set()

    def fail(self, why: str) -> None:
        self.down = self.down or why
        self._wake.set()

    async def get(self) -> Incoming:
        while not self._waiting:
            if self.down is not None:
                raise LinkError(self.down)
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message.data)
        return message
