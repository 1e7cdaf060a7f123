"""What of one lane is sent next, what is in flight, and what is given up when the lane is full.

A record leaves only by the hub's receipt or by a declared gap. It is *ready*, then *in flight* for the silence time
after each sending, then *cooling* until its back-off ends and it is ready again. No more is in flight than the hub
gave credit for; credit 0 means hold, save one probe in a while, in case the message that lifts it was lost.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from edge.core.entries import NS, Batch, Entry, Key, Limits, Offered, State
from edge.core.gaps import Gaps


class Delivery:
    """The sending side of one lane. All times are monotonic ns."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.credit = limits.credit_first
        self.gaps = Gaps()
        self.bytes = 0
        self._entries: dict[Key, Entry] = {}
        self._lines: dict[str, dict[int, Entry]] = {}
        self._tickets = count(1)
        self._ready: list[tuple[tuple[int, int, int, int], int, Entry]] = []
        self._timed: list[tuple[int, int, Entry]] = []
        self._victims: dict[int, list[tuple[int, int, int, Entry]]] = {}
        self._unsent: dict[str, Entry] = {}
        self._flying = 0
        self._common = 0
        self._common_bytes = 0
        self._extra: set[Key] = set()
        self._held_ns: int | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def is_extra(self, entry: Entry) -> bool:
        """Whether it is held beyond the bounds, in memory alone."""
        return entry.key in self._extra

    @property
    def in_flight(self) -> int:
        """Records sent and inside their silence time."""
        return self._flying

    @property
    def pressed(self) -> bool:
        """Half the common share is used: from here on repeats coalesce."""
        share = (1.0 - self.limits.reserved) / 2
        return self._common > self.limits.records_max * share or self._common_bytes > self.limits.bytes_max * share

    def twin(self, same: str | None) -> Entry | None:
        """The newest record of the same kind and zone that was never sent, if any."""
        found = self._unsent.get(same) if same is not None else None
        return found if found is not None and found.sends == 0 and found.state is State.READY else None

    def offer(self, entry: Entry) -> Offered:
        """Take a new record, making room by the lane's rule: the least important, of those the oldest, goes first.

        P1 and P2 never go for P3 and P4, nor P1 for P2; a P1 that finds only P1 is held beyond the bounds, unstored.
        """
        assert entry.key not in self._entries, f"{entry.key} was offered before"
        outcome = Offered()
        while not self._fits(entry):
            victim = self._victim(entry)
            if victim is None:
                outcome.full = True
                outcome.stored = False
                if entry.priority > 1 or len(self._extra) >= self.limits.extra_max:
                    self.gaps.add(
                        entry.instance, entry.seq, "lane full of more important records", entry.boot, entry.kboot
                    )
                    entry.state = State.GONE
                    outcome.dropped.append(entry)
                    return outcome
                self._extra.add(entry.key)
                break
            self.give_up(victim, "oldest of the least important; the lane was full")
            outcome.dropped.append(victim)
        self._add(entry)
        return outcome

    def give_up(self, entry: Entry, reason: str) -> None:
        """Drop a record and declare the gap."""
        self._remove(entry)
        self._declare(entry, reason)

    def _declare(self, entry: Entry, reason: str) -> None:
        entry.state = State.GONE
        self.gaps.add(entry.instance, entry.seq, reason, entry.boot, entry.kboot)

    def take(self, now_ns: int, bytes_max: int, records_max: int = 500, rank_max: int = 4) -> Batch | None:
        """The next message's worth, now in flight; None when nothing may go.

        At least one record goes however large; `rank_max` 2 takes P1 and P2 only.
        """
        self._expire(now_ns)
        room = min(records_max, self._room(now_ns))
        batch: list[Entry] = []
        size = 0
        while len(batch) < room and (entry := self._next_ready()) is not None:
            if entry.priority > rank_max or (batch and entry.instance != batch[0].instance):
                break
            if batch and size + len(entry.data) > bytes_max:
                break
            heapq.heappop(self._ready)
            size += len(entry.data)
            self._launch(entry, now_ns)
            batch.append(entry)
        lost = (
            self.gaps.due(now_ns, self.limits.silence_ms * NS, batch[0].instance if batch else None) if room > 0 else []
        )
        if batch:
            return Batch(batch[0].instance, batch[0].boot, batch[0].kboot, batch, lost)
        return Batch(lost[0].instance, lost[0].boot, lost[0].kboot, [], lost) if lost else None

    def unsent(self, batch: Batch, now_ns: int) -> None:
        """The message could not be handed to the broker: its records are ready again at once, and not counted."""
        for entry in batch.entries:
            if entry.state is State.FLYING:
                self._flying -= 1
                entry.sends -= 1
                self._make_ready(entry)
        self.gaps.undo(batch.gaps)

    def receipt(self, committed: Mapping[str, Iterable[tuple[int, int]]], credit: int) -> list[Entry]:
        """The hub has these on disk: they leave. Returns those that left."""
        left: list[Entry] = []
        for instance, spans in committed.items():
            for first, last in spans:
                left += self._covered(instance, first, last)
                self.gaps.covered(instance, first, last)
        for entry in left:
            self._remove(entry)
        self.credit = credit
        if credit > 0:
            self._held_ns = None
        return left

    def resend(self, fresh_credit: bool = False) -> None:
        """A new connection or a new hub session: everything unreceipted is ready now."""
        if fresh_credit:
            self.credit = self.limits.credit_first
            self._held_ns = None
        for entry in self._entries.values():
            if entry.state is not State.READY:
                self._flying -= entry.state is State.FLYING
                self._make_ready(entry)
        self.gaps.undo()

    def next_due_ns(self, now_ns: int) -> int | None:
        """When `take` may have something to give; None when only an offer or a receipt can change that."""
        self._expire(now_ns)
        times = [self._timed[0][0]] if self._timed else []
        if self._room(now_ns) > 0:
            if self._next_ready() is not None:
                return now_ns
            if self.gaps:
                times.append(max(now_ns, self.gaps.next_ns(self.limits.silence_ms * NS)))
        elif self._held_ns is not None and (self._entries or self.gaps):
            times.append(self._held_ns + self.limits.probe_ms * NS)
        return min(times, default=None)

    def _next_ready(self) -> Entry | None:
        while self._ready:
            _, ticket, entry = self._ready[0]
            if ticket == entry.ticket and entry.state is State.READY:
                return entry
            heapq.heappop(self._ready)
        return None

    def _room(self, now_ns: int) -> int:
        """Credit not yet used. When held, one record each probe time, for a lifting receipt may have been lost."""
        if self.credit > 0:
            return self.credit - self._flying
        if self._held_ns is None:
            self._held_ns = now_ns
        return 1 if self._flying == 0 and now_ns - self._held_ns >= self.limits.probe_ms * NS else 0

    def _launch(self, entry: Entry, now_ns: int) -> None:
        entry.state = State.FLYING
        entry.sends += 1
        entry.until_ns = now_ns + self.limits.silence_ms * NS
        entry.ticket = next(self._tickets)
        self._flying += 1
        heapq.heappush(self._timed, (entry.until_ns, entry.ticket, entry))
        if self.credit == 0:
            self._held_ns = now_ns
        if len(self._timed) > 2 * len(self._entries) + 64:  # what was receipted in flight is still in there
            self._timed = [
                item for item in self._timed if item[1] == item[2].ticket and item[2].state is not State.GONE
            ]
            heapq.heapify(self._timed)

    def _expire(self, now_ns: int) -> None:
        """Silence ends the flight and starts the back-off; the back-off's end makes ready."""
        while self._timed and (self._timed[0][0] <= now_ns or self._timed[0][1] != self._timed[0][2].ticket):
            _, ticket, entry = heapq.heappop(self._timed)
            if ticket != entry.ticket or entry.state in (State.GONE, State.READY):
                continue
            if entry.state is State.COOLING:
                self._make_ready(entry)
                continue
            self._flying -= 1
            entry.state = State.COOLING
            entry.until_ns += self._backoff_ns(entry)
            entry.ticket = next(self._tickets)
            heapq.heappush(self._timed, (entry.until_ns, entry.ticket, entry))

    def _backoff_ns(self, entry: Entry) -> int:
        """Doubling, capped, between half and whole; the jitter comes from the record's identity, so it replays."""
        whole_ns = min(self.limits.backoff_max_ms, self.limits.backoff_ms << min(entry.sends - 1, 20)) * NS
        spread = zlib.crc32(f"{entry.instance}{entry.seq}/{entry.sends}".encode()) / 2**32
        return int(whole_ns * (0.5 + spread / 2))

    def _make_ready(self, entry: Entry) -> None:
        entry.state = State.READY
        entry.ticket = next(self._tickets)
        # P1, then P2, then the rest; what was sent less often first, so that nothing refused blocks what follows it
        order = (min(entry.priority, 3), entry.sends, entry.boot, entry.seq)
        heapq.heappush(self._ready, (order, entry.ticket, entry))
        if len(self._ready) > 2 * len(self._entries) + 64:  # what left while nothing could be sent is still in there
            self._ready = [item for item in self._ready if item[1] == item[2].ticket and item[2].state is State.READY]
            heapq.heapify(self._ready)

    def _add(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._lines.setdefault(entry.instance, {})[entry.seq] = entry
        self.bytes += entry.size
        if entry.priority > 2:
            self._common += 1
            self._common_bytes += entry.size
        if entry.same is not None:
            self._unsent[entry.same] = entry
        self._make_ready(entry)
        if entry.key not in self._extra:
            self._mark_victim(entry)

    def _mark_victim(self, entry: Entry) -> None:
        heap = self._victims.setdefault(entry.priority, [])
        heapq.heappush(heap, (entry.boot, entry.seq, next(self._tickets), entry))
        if len(heap) > 2 * len(self._entries) + 64:  # what was receipted is still in there
            heap[:] = [item for item in heap if item[3].state is not State.GONE]
            heapq.heapify(heap)

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.key]
        line = self._lines[entry.instance]
        del line[entry.seq]
        if not line:
            del self._lines[entry.instance]
        self.bytes -= entry.size
        if entry.priority > 2:
            self._common -= 1
            self._common_bytes -= entry.size
        self._flying -= entry.state is State.FLYING
        entry.state = State.GONE
        self._extra.discard(entry.key)
        if entry.same is not None and self._unsent.get(entry.same) is entry:
            del self._unsent[entry.same]

    def _covered(self, instance: str, first: int, last: int) -> list[Entry]:
        line = self._lines.get(instance, {})
        if last - first < len(line):
            return [line[seq] for seq in range(first, last + 1) if seq in line]
        return [entry for seq, entry in line.items() if first <= seq <= last]

    def _fits(self, entry: Entry) -> bool:
        limits = self.limits
        stored = len(self._entries) - len(self._extra)
        if stored >= limits.records_max or self.bytes + entry.size > limits.bytes_max:
            return False
        if entry.priority <= 2 or limits.reserved == 0.0:
            return True
        share = 1.0 - limits.reserved
        return self._common < limits.records_max * share and self._common_bytes + entry.size <= limits.bytes_max * share

    def _victim(self, entry: Entry) -> Entry | None:
        """The oldest of the least important, not more important than `entry`; a P1 never goes."""
        for priority in range(4, max(entry.priority, 2) - 1, -1):
            heap = self._victims.get(priority, [])
            while heap and heap[0][3].state is State.GONE:
                heapq.heappop(heap)
            if heap:
                return heapq.heappop(heap)[3]
        return None
