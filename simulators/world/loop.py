"""The one clock and the one queue of events."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

NS_PER_MS = 1_000_000


class Event:
    """Something that will happen, unless it is cancelled."""

    __slots__ = ("args", "call", "live")

    def __init__(self, call: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.call, self.args, self.live = call, args, True

    def cancel(self) -> None:
        """It will not happen."""
        self.live = False


class VirtualLoop:
    """Time moves from event to event; events of one moment happen in the order in which they were made."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.steps = 0
        self._heap: list[tuple[int, int, Event]] = []
        self._made = 0

    @property
    def now_ms(self) -> int:
        """Virtual ms since the world began."""
        return self.now_ns // NS_PER_MS

    def at(self, at_ns: int, call: Callable[..., object], *args: Any) -> Event:
        """Have `call` happen at `at_ns`, at the earliest now."""
        event = Event(call, args)
        self._made += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._made, event))
        return event

    def after(self, wait_ms: float, call: Callable[..., object], *args: Any) -> Event:
        """Have `call` happen in `wait_ms`."""
        return self.at(self.now_ns + int(wait_ms * NS_PER_MS), call, *args)

    def run(self, until_ns: int, halt: Callable[[], bool] = lambda: False) -> None:
        """Let everything happen up to `until_ns`, or until `halt` says so."""
        heap = self._heap
        while heap and heap[0][0] <= until_ns and not halt():
            at_ns, _, event = heapq.heappop(heap)
            if event.live:
                self.now_ns = at_ns
                self.steps += 1
                event.call(*event.args)
        if not halt():
            self.now_ns = max(self.now_ns, until_ns)


def stream(seed: int, *names: object) -> random.Random:
    """Chance for one purpose, so that what happens elsewhere does not change it."""
    return random.Random("/".join(map(str, (seed, *names))))
