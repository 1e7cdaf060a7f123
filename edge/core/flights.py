"""When each record of a lane may be sent: *ready*, *in flight* for the silence time after each sending, then *cooling*
until its back-off ends and it is ready again. All times are monotonic ns.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Sized
from itertools import count

from edge.core.entries import NS, STORE_MS, Entry, Limits, State


class Flights:
    """Records leave it by turning GONE: what is left of them in the heaps is passed over, and cleared now and then.

    `flying` counts those in flight, `urgent` the P1 and P2 among them.
    """

    def __init__(self, limits: Limits, held: Sized) -> None:
        self.flying = 0
        self.urgent = 0
        self._limits, self._held = limits, held
        self._tickets = count(1)
        self._ready: list[tuple[tuple[int, int, int, int], int, Entry]] = []
        self._timed: list[tuple[int, int, Entry]] = []

    def make_ready(self, entry: Entry) -> None:
        """It may be sent from now on."""
        self.land(entry)
        entry.state = State.READY
        entry.ticket = next(self._tickets)
        # P1, then P2, then the rest; what was sent less often first, so that nothing refused blocks what follows it
        order = (min(entry.priority, 3), entry.sends, entry.boot, entry.seq)
        heapq.heappush(self._ready, (order, entry.ticket, entry))
        if self._stuffed(self._ready):  # what left while nothing could be sent is still in there
            self._ready = [item for item in self._ready if item[1] == item[2].ticket and item[2].state is State.READY]
            heapq.heapify(self._ready)

    def await_disk(self, entry: Entry) -> None:
        """It may be sent once the disk has it, or when that takes too long."""
        entry.state = State.COOLING
        entry.until_ns = entry.mono_ns + STORE_MS * NS
        self._time(entry)

    def next_ready(self) -> Entry | None:
        """The next to be sent; it stays first until it is launched or gone."""
        while self._ready:
            _, ticket, entry = self._ready[0]
            if ticket == entry.ticket and entry.state is State.READY:
                return entry
            heapq.heappop(self._ready)
        return None

    def launch(self, entry: Entry, now_ns: int) -> None:
        """It is sent now."""
        entry.state = State.FLYING
        entry.sends += 1
        entry.until_ns = now_ns + self._limits.silence_ms * NS
        self.flying += 1
        self.urgent += entry.priority <= 2
        self._time(entry)

    def land(self, entry: Entry) -> None:
        """It is in flight no more, if it was; whoever calls gives it its next state."""
        if entry.state is State.FLYING:
            self.flying -= 1
            self.urgent -= entry.priority <= 2

    def expire(self, now_ns: int) -> None:
        """Silence ends the flight and starts the back-off; the back-off's end makes ready."""
        while self._timed and (self._timed[0][0] <= now_ns or self._timed[0][1] != self._timed[0][2].ticket):
            _, ticket, entry = heapq.heappop(self._timed)
            if ticket != entry.ticket or entry.state in (State.GONE, State.READY):
                continue
            if entry.state is State.COOLING:
                self.make_ready(entry)
                continue
            self.land(entry)
            entry.state = State.COOLING
            entry.until_ns += self.backoff_ns(entry)
            self._time(entry)

    def next_ns(self) -> int | None:
        """When the next one changes by itself, after `expire`."""
        return self._timed[0][0] if self._timed else None

    def _time(self, entry: Entry) -> None:
        entry.ticket = next(self._tickets)
        heapq.heappush(self._timed, (entry.until_ns, entry.ticket, entry))
        if self._stuffed(self._timed):  # what was receipted in flight is still in there
            self._timed = [
                item for item in self._timed if item[1] == item[2].ticket and item[2].state is not State.GONE
            ]
            heapq.heapify(self._timed)

    def _stuffed(self, heap: Sized) -> bool:
        return len(heap) > 2 * len(self._held) + 64

    def backoff_ns(self, entry: Entry) -> int:
        """Doubling, capped, between half and whole; the jitter comes from the record's identity, so it replays."""
        whole_ns = min(self._limits.backoff_max_ms, self._limits.backoff_ms << min(entry.sends - 1, 20)) * NS
        spread = zlib.crc32(f"{entry.instance}{entry.seq}/{entry.sends}".encode()) / 2**32
        return int(whole_ns * (0.5 + spread / 2))
