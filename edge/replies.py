"""Answers on their way to the hub: bounded in number and each in size, sent in their order, kept over a lost link."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from protocol.codec import SIZE_MAX
from protocol.faults import Fault
from protocol.messages import Outcome, Reply, Result

T = TypeVar("T")
WAITING_MAX = 500
BYTES_MAX = SIZE_MAX // 4
"""Of one reply: enough for hundreds of faults, and no longer than a slow link bears."""


class Replies:
    """What waits to be said. `lost` counts the oldest, given up when too many waited; `on_news` hears of each put."""

    def __init__(self) -> None:
        self.lost = 0
        self.on_news: Callable[[], None] = lambda: None
        self._waiting: deque[Reply] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, reply: Reply) -> None:
        """Send a reply, now or when next connected; beyond the bound the oldest waiting is given up."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(fitting(reply))
        self.on_news()

    def first(self) -> Reply | None:
        """What is to be said next; it waits until it was `said`."""
        return self._waiting[0] if self._waiting else None

    def said(self, reply: Reply) -> None:
        """The broker has it. It may have been given up meanwhile."""
        if self._waiting and self._waiting[0] is reply:
            self._waiting.popleft()


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
