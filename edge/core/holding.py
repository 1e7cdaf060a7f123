"""What one lane holds: its records, their share of its bounds, and whose turn it is to go when it is full."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from edge.core.entries import Entry, Key, Limits, State


class Holding:
    """Bounded by number and bytes; of both a share is kept for P1 and P2."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = 0
        self._entries: dict[Key, Entry] = {}
        self._lines: dict[str, dict[int, Entry]] = {}
        self._victims: dict[int, list[tuple[int, int, int, Entry]]] = {}
        self._tickets = count(1)
        self._unsent: dict[str, Entry] = {}
        self._common = 0
        self._common_bytes = 0
        self._extra: dict[Key, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    @property
    def pressed(self) -> bool:
        """Half the common share is used: from here on repeats coalesce."""
        share = (1.0 - self.limits.reserved) / 2
        return self._common > self.limits.records_max * share or self._common_bytes > self.limits.bytes_max * share

    @property
    def extra_left(self) -> int:
        """How many more may be held beyond the bounds."""
        return self.limits.extra_max - len(self._extra)

    def is_extra(self, entry: Entry) -> bool:
        """Whether it is held beyond the bounds, in memory alone."""
        return entry.key in self._extra

    def twin(self, same: str | None) -> Entry | None:
        """The newest record of the same kind and zone that was never sent, if any."""
        found = self._unsent.get(same) if same is not None else None
        return found if found is not None and found.sends == 0 and found.state is not State.GONE else None

    def add(self, entry: Entry, extra: bool = False) -> None:
        """Hold a record, within the bounds or beyond them."""
        self._entries[entry.key] = entry
        self._lines.setdefault(entry.instance, {})[entry.seq] = entry
        self.bytes += entry.size
        if entry.priority > 2:
            self._common += 1
            self._common_bytes += entry.size
        if entry.same is not None:
            self._unsent[entry.same] = entry
        if extra:
            self._extra[entry.key] = entry
        else:
            self._mark_victim(entry)

    def remove(self, entry: Entry) -> None:
        """Hold it no more."""
        del self._entries[entry.key]
        line = self._lines[entry.instance]
        del line[entry.seq]
        if not line:
            del self._lines[entry.instance]
        self.bytes -= entry.size
        if entry.priority > 2:
            self._common -= 1
            self._common_bytes -= entry.size
        entry.state = State.GONE
        self._extra.pop(entry.key, None)
        if entry.same is not None and self._unsent.get(entry.same) is entry:
            del self._unsent[entry.same]

    def within(self, instance: str, first: int, last: int) -> list[Entry]:
        """The records of an instance with these sequences, both ends included."""
        line = self._lines.get(instance, {})
        if last - first < len(line):
            return [line[seq] for seq in range(first, last + 1) if seq in line]
        return [entry for seq, entry in line.items() if first <= seq <= last]

    def fits(self, entry: Entry) -> bool:
        """Whether there is room for it as things are."""
        limits = self.limits
        stored = len(self._entries) - len(self._extra)
        if stored >= limits.records_max or self.bytes + entry.size > limits.bytes_max:
            return False
        if entry.priority <= 2 or limits.reserved == 0.0:
            return True
        share = 1.0 - limits.reserved
        return self._common < limits.records_max * share and self._common_bytes + entry.size <= limits.bytes_max * share

    def taken_in(self) -> list[Entry]:
        """Records held beyond the bounds, the oldest first, that find room within them now; they are extra no more."""
        found: list[Entry] = []
        limits = self.limits
        while self._extra and len(self) - len(self._extra) < limits.records_max and self.bytes <= limits.bytes_max:
            entry = self._extra.pop(next(iter(self._extra)))
            self._mark_victim(entry)
            found.append(entry)
        return found

    def victim(self, entry: Entry) -> Entry | None:
        """Who goes for `entry`: the oldest of the least important, not more important than it; a P1 never goes."""
        for priority in range(4, max(entry.priority, 2) - 1, -1):
            heap = self._victims.get(priority, [])
            while heap and heap[0][3].state is State.GONE:
                heapq.heappop(heap)
            if heap:
                return heapq.heappop(heap)[3]
        return None

    def _mark_victim(self, entry: Entry) -> None:
        heap = self._victims.setdefault(entry.priority, [])
        heapq.heappush(heap, (entry.boot, entry.seq, next(self._tickets), entry))
        if len(heap) > 2 * len(self._entries) + 64:  # what was receipted is still in there
            heap[:] = [item for item in heap if item[3].state is not State.GONE]
            heapq.heapify(heap)
