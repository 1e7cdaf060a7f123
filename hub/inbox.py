"""The desk's bounded inbox: P1, P2 and people's moves have their own space and go first."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from hub.core.io import Input, Recorded
from hub.journal import Note
from protocol.kinds import Priority

URGENT_MAX = 1_024
CALM_MAX = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One input with when it arrived (hub wall ms, and monotonic ms to measure with).

    `answer` is set for a person's move and gets None, or the exception that tells why not.
    """

    taken: Input
    at_ms: int
    mono_ms: float
    digest: bytes = b""
    note: Note | None = None
    answer: asyncio.Future[None] | None = None


class Inbox:
    """Two queues. When one is full its newest is set aside; a gateway sends it again, a person is told to."""

    def __init__(self) -> None:
        self._urgent: deque[Item] = deque()
        self._calm: deque[Item] = deque()
        self._wake = asyncio.Event()
        self.discarded = 0

    def put(self, item: Item) -> bool:
        """Queue one input; False (and counted) when there is no room."""
        queue, limit = (self._urgent, URGENT_MAX) if _urgent(item.taken) else (self._calm, CALM_MAX)
        if len(queue) >= limit:
            self.discarded += 1
            return False
        queue.append(item)
        self._wake.set()
        return True

    def wake(self) -> None:
        """End a wait without an input."""
        self._wake.set()

    async def wait(self, limit_s: float | None) -> None:
        """Until there is something, or for `limit_s` seconds."""
        if self._urgent or self._calm:
            return
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), limit_s)
        except TimeoutError:
            return

    def take(self, limit: int) -> list[Item]:
        """Up to `limit` inputs, the urgent ones first."""
        taken: list[Item] = []
        for queue in (self._urgent, self._calm):
            while queue and len(taken) < limit:
                taken.append(queue.popleft())
        return taken

    def room(self) -> int:
        """How many records of any priority there is certainly room for."""
        return min(URGENT_MAX - len(self._urgent), CALM_MAX - len(self._calm))

    def __len__(self) -> int:
        return len(self._urgent) + len(self._calm)


def _urgent(taken: Input) -> bool:
    return not isinstance(taken, Recorded) or taken.event.priority <= Priority.P2
