"""How fresh a device's points are. A look that repeats the last one costs a comparison, however many points it has.

Times are monotonic ns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge.core.bounds import NS_PER_MS
from edge.core.zone import Wire
from edge.port import Reading, Value


@dataclass(slots=True)
class Part:
    """Points that are looked at together (a block of registers, all lines of a chip), when last, and what they were."""

    first: str
    values: Mapping[str, Value]
    at_ns: int


@dataclass(slots=True)
class Watched:
    """One device with its zones by point. Freshness is each part's own: one block may fail while others answer.

    `silent` while nothing of it is fresh; `partial` are zones that are not fresh while the rest of the device answers.
    """

    id: str
    fresh_ms: int
    wires: dict[str, list[Wire]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    answered_ns: int | None = None
    silent: bool = False
    partial: set[str] = field(default_factory=set)
    _parts: dict[str, Part] = field(default_factory=dict)
    _part_of: dict[str, Part] = field(default_factory=dict)

    def look(self, reading: Reading) -> Iterator[tuple[Wire, Value]]:
        """Take a reading; gives the wires to be judged: none where it only repeats what is known."""
        if reading.values:
            self.answered_ns = reading.at_ns
            first = next(iter(reading.values))
            part = self._parts.get(first)
            if part is not None and part.values == reading.values and not reading.failed:
                part.at_ns = reading.at_ns
                return
            yield from self._news(Part(first, dict(reading.values), reading.at_ns))
        for point, reason in reading.failed.items():
            self._invalidate(point)
            self.reasons[point] = reason

    def _news(self, part: Part) -> Iterator[tuple[Wire, Value]]:
        for point, value in part.values.items():
            self._invalidate(point)  # another part that holds it may now hold something older
            self._part_of[point] = part
            self.reasons.pop(point, None)
            for wire in self.wires.get(point, ()):
                yield wire, value
        self._parts[part.first] = part

    def _invalidate(self, point: str) -> None:
        part = self._part_of.get(point)
        if part is not None and self._parts.get(part.first) is part:
            del self._parts[part.first]

    def forget(self, wire: Wire) -> None:
        """The wire is unknown: the next good look at it is news even if the value is the same."""
        self._invalidate(wire.zone.source.partition("/")[2])

    def good_ns(self, point: str) -> int | None:
        """The last good look at a point; None before the first."""
        part = self._part_of.get(point)
        return None if part is None else part.at_ns

    def stale(self, now_ns: int) -> list[Wire]:
        """The wires that nobody looked at in time."""
        return [wire for wire, due_ns in self._limits() if due_ns is None or due_ns <= now_ns]

    def seen_ns(self) -> int | None:
        """The last good look at anything of it that is watched; None before the first."""
        if not self.wires:
            return self.answered_ns
        return max((good_ns for point in self.wires if (good_ns := self.good_ns(point)) is not None), default=None)

    def is_silent(self, now_ns: int) -> bool:
        """Whether nothing of it that is watched has been seen in time."""
        if self.wires:
            return all(due_ns is None or due_ns <= now_ns for _, due_ns in self._limits())
        return self.answered_ns is None or now_ns - self.answered_ns >= self.fresh_ms * NS_PER_MS

    def next_ns(self, now_ns: int) -> int | None:
        """When the next wire (or a device without any) grows stale; None if all are."""
        limits = [due_ns for _, due_ns in self._limits() if due_ns is not None]
        if not self.wires and self.answered_ns is not None:
            limits = [self.answered_ns + self.fresh_ms * NS_PER_MS]
        return min((limit for limit in limits if limit > now_ns), default=None)

    def _limits(self) -> Iterator[tuple[Wire, int | None]]:
        for point, wires in self.wires.items():
            good_ns = self.good_ns(point)
            for wire in wires:
                yield wire, None if good_ns is None else good_ns + wire.zone.fresh_ms * NS_PER_MS
