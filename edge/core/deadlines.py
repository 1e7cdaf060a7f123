"""What is due when: one deadline a name, cheap to move later, bounded by the number of names."""

from __future__ import annotations

import heapq
from typing import NamedTuple


class Timer(NamedTuple):
    """A deadline's name: what it is about, and whose."""

    what: str
    of: str


class Deadlines:
    """Deadlines in monotonic ns. Moving one later leaves its old place in the heap, which is put right when reached."""

    def __init__(self) -> None:
        self._due: dict[Timer, int] = {}
        self._queued: dict[Timer, int] = {}
        self._heap: list[tuple[int, Timer]] = []

    def set(self, timer: Timer, due_ns: int) -> None:
        """Have `timer` come at `due_ns` (monotonic), and not when it was set before."""
        self._due[timer] = due_ns
        queued_ns = self._queued.get(timer)
        if queued_ns is None or due_ns < queued_ns:
            self._queued[timer] = due_ns
            heapq.heappush(self._heap, (due_ns, timer))

    def clear(self, timer: Timer) -> None:
        """Have `timer` not come."""
        self._due.pop(timer, None)

    def __contains__(self, timer: Timer) -> bool:
        return timer in self._due

    def next_ns(self) -> int | None:
        """When the first one comes, in monotonic ns; None while none is set."""
        while self._heap:
            at_ns, timer = self._heap[0]
            due_ns = self._due.get(timer)
            if due_ns == at_ns:
                return at_ns
            heapq.heappop(self._heap)
            if self._queued.get(timer) == at_ns:
                del self._queued[timer]
                if due_ns is not None:
                    self.set(timer, due_ns)
        return None

    def pop(self, now_ns: int) -> tuple[Timer, int] | None:
        """Take the first one that has come by `now_ns`, with when it was due (monotonic ns); None while none has."""
        due_ns = self.next_ns()
        if due_ns is None or due_ns > now_ns:
            return None
        _, timer = heapq.heappop(self._heap)
        self._queued.pop(timer, None)
        del self._due[timer]
        return timer, due_ns
