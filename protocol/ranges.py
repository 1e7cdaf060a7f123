"""A set of sequence numbers as few closed ranges: the contiguous mark plus the sparse rest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """Positive integers kept as sorted, disjoint, non-touching closed ranges."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans: list[tuple[int, int]] = []
        for first, last in spans:
            self.add(first, last)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._spans, (number, 2**64)) - 1
        return at >= 0 and self._spans[at][1] >= number

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)

    def __len__(self) -> int:
        """How many spans, not how many numbers."""
        return len(self._spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self._spans == other._spans

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Ranges({self._spans})"

    def copy(self) -> Ranges:
        """Another set with the same numbers."""
        twin = Ranges()
        twin._spans = self._spans.copy()
        return twin

    def union(self, other: Ranges) -> Ranges:
        """The numbers of both, in a set of its own."""
        both: list[tuple[int, int]] = []
        for first, last in sorted([*self._spans, *other._spans]):
            if both and first <= both[-1][1] + 1:
                both[-1] = (both[-1][0], max(both[-1][1], last))
            else:
                both.append((first, last))
        found = Ranges()
        found._spans = both
        return found

    def add(self, first: int, last: int | None = None) -> bool:
        """Add `first` to `last` (both included); says whether anything was new. Raises ValueError."""
        last = first if last is None else last
        if not 0 < first <= last:
            raise ValueError(f"a range runs upwards from 1 or more, not from {first} to {last}")
        at = bisect_right(self._spans, (first, 2**64)) - 1
        if at >= 0 and self._spans[at][1] >= last:
            return False
        start = at if at >= 0 and self._spans[at][1] >= first - 1 else at + 1
        end = start
        while end < len(self._spans) and self._spans[end][0] <= last + 1:
            first = min(first, self._spans[end][0])
            last = max(last, self._spans[end][1])
            end += 1
        self._spans[start:end] = [(first, last)]
        return True

    def total(self) -> int:
        """How many numbers are in the set."""
        return sum(last - first + 1 for first, last in self._spans)

    def top(self) -> int:
        """The highest number (0 when there is none)."""
        return self._spans[-1][1] if self._spans else 0

    def mark(self) -> int:
        """The contiguous mark: every number from 1 to it is in the set (0 when 1 is not)."""
        return self._spans[0][1] if self._spans and self._spans[0][0] == 1 else 0

    def holes(self) -> list[tuple[int, int]]:
        """The missing ranges below the highest number."""
        edges = [0, *(edge for span in self._spans for edge in span)]
        return [(edges[i] + 1, edges[i + 1] - 1) for i in range(0, len(edges) - 1, 2) if edges[i + 1] - edges[i] > 1]
