"""Tables of immutable values with an overlay, so that a batch can be taken back to the last byte."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=tuple[str, ...])
V = TypeVar("V")


class Table(Generic[K, V]):
    """Keyed immutable values. `get` sees the open batch, `committed` does not; a batch costs what it touches."""

    __slots__ = ("_base", "_over")

    def __init__(self) -> None:
        self._base: dict[K, V] = {}
        self._over: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        """The value as the open batch sees it."""
        return self._over[key] if key in self._over else self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        """Set or, with None, remove a value in the open batch."""
        self._over[key] = value

    def committed(self, key: K) -> V | None:
        """The value before the open batch."""
        return self._base.get(key)

    def items(self) -> Iterator[tuple[K, V]]:
        """Every committed key and value, in no promised order."""
        return iter(self._base.items())

    def entries(self) -> Iterator[tuple[K, V]]:
        """Every key and value as the open batch sees them, in no promised order."""
        yield from ((key, value) for key, value in self._base.items() if key not in self._over)
        yield from ((key, value) for key, value in self._over.items() if value is not None)

    def changed(self) -> Iterator[tuple[K, V | None]]:
        """What the open batch did."""
        return iter(self._over.items())

    def replace(self, entries: Iterable[tuple[K, V]]) -> None:
        """Put these in place of everything."""
        self._base = dict(entries)
        self._over = {}

    def commit(self) -> None:
        """Take the open batch over."""
        for key, value in self._over.items():
            if value is None:
                self._base.pop(key, None)
            else:
                self._base[key] = value
        self._over.clear()

    def rollback(self) -> None:
        """Forget the open batch."""
        self._over.clear()


class Timers(Table[tuple[str, str], int]):
    """(area, name) to hub wall ms. A heap over the table finds the next; its stale entries are skipped, and
    swept out when they outnumber the live ones."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[int, str, str]] = []

    def commit(self) -> None:
        """Take the open batch over."""
        for (area, name), due_ms in self._over.items():
            if due_ms is not None and self._base.get((area, name)) != due_ms:
                heapq.heappush(self._heap, (due_ms, area, name))
        super().commit()
        if len(self._heap) > 2 * len(self._base) + 64:
            self._sweep()

    def replace(self, entries: Iterable[tuple[tuple[str, str], int]]) -> None:
        """Put these in place of everything."""
        super().replace(entries)
        self._sweep()

    def _sweep(self) -> None:
        self._heap = [(due_ms, area, name) for (area, name), due_ms in self._base.items()]
        heapq.heapify(self._heap)

    def next_ms(self) -> int | None:
        """When the earliest committed timer comes."""
        while self._heap and self._stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def come(self, at_ms: int) -> list[tuple[int, str, str]]:
        """Every committed timer due by `at_ms` as (due_ms, area, name), earliest first; they stay until removed."""
        found: list[tuple[int, str, str]] = []
        while self._heap and self._heap[0][0] <= at_ms:
            entry = heapq.heappop(self._heap)
            if not self._stale(entry) and (not found or found[-1] != entry):
                found.append(entry)
        for entry in found:
            heapq.heappush(self._heap, entry)
        return found

    def _stale(self, entry: tuple[int, str, str]) -> bool:
        due_ms, area, name = entry
        return self._base.get((area, name)) != due_ms
