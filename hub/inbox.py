"""The desk's bounded inbox: P1, P2, people's moves and replies have their own space and go first."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Twinned
from hub.core.io import Input
from hub.core.trials import Proved
from hub.journal import Note
from protocol.kinds import Priority

URGENT_MAX = 1_024
CALM_MAX = 4_096
ROOM_MIN = 16
"""Room told even while the calm queue is full: a credit of zero would hold back the P1s, which have their own space."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One input with when it arrived (hub wall ms, and exact monotonic ms to measure with).

    `answer` is set for a person's move and is told None once it is committed, or the exception that tells why not.
    `handed`: it follows from another of the same batch, and comes again with that one.
    """

    taken: Input
    at_ms: int
    exact_ms: float
    digest: bytes = b""
    note: Note | None = None
    answer: Callable[[Exception | None], None] | None = None
    handed: bool = False


class Inbox:
    """Two queues. When one is full its newest is set aside; a gateway sends it again, a person is told to.

    `on_news` hears of each input; unless somebody else listens it ends a `wait`.
    """

    def __init__(self) -> None:
        self._urgent: deque[Item] = deque()
        self._calm: deque[Item] = deque()
        self._wake = asyncio.Event()
        self.on_news: Callable[[], None] = self._wake.set
        self.discarded = 0

    def put(self, item: Item) -> bool:
        """Queue one input; False (and counted) when there is no room."""
        queue, limit = (self._urgent, URGENT_MAX) if _urgent(item.taken) else (self._calm, CALM_MAX)
        if len(queue) >= limit:
            self.discarded += 1
            return False
        queue.append(item)
        self.on_news()
        return True

    async def wait(self, limit_s: float | None) -> None:
        """Until there is something, or for `limit_s` seconds."""
        if self._urgent or self._calm:
            return
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._wake.wait()

    def take_urgent(self, limit: int) -> list[Item]:
        """Up to `limit` of what goes first, in order of arrival."""
        return _taken(self._urgent, limit)

    def take_calm(self, limit: int) -> list[Item]:
        """Up to `limit` of the rest, in order of arrival."""
        return _taken(self._calm, limit)

    def back(self, items: Iterable[Item]) -> None:
        """Put items that were taken, and not done, in front again; they had their place and need no other."""
        for item in reversed(list(items)):
            (self._urgent if _urgent(item.taken) else self._calm).appendleft(item)

    def room(self) -> int:
        """How many records of any priority there is room for; the calm may be set aside, the urgent find theirs."""
        return max(0, min(URGENT_MAX - len(self._urgent), max(CALM_MAX - len(self._calm), ROOM_MIN)))

    def __len__(self) -> int:
        return len(self._urgent) + len(self._calm)

    def depths(self) -> tuple[int, int]:
        """How many urgent and how many calm inputs wait."""
        return len(self._urgent), len(self._calm)


def _taken(queue: deque[Item], limit: int) -> list[Item]:
    return [queue.popleft() for _ in range(min(limit, len(queue)))]


def _urgent(taken: Input) -> bool:
    """A gateway may declare thousands of gaps in one message, and a broker lose thousands of gateways at once."""
    if isinstance(taken, Recorded | Conflicted):
        return taken.event.priority <= Priority.P2
    return not isinstance(taken, Gapped | Linked | Twinned | Proved)
