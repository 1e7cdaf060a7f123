"""The hub's journal in memory: on a disk that survives every crash once it has said that it has a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from hub.chain import Entry, Head, link
from hub.core.desk import RULES_VERSION
from hub.core.io import Input
from hub.journal import Draft
from hub.past import JournalError, input_of

if TYPE_CHECKING:
    from simulators.world.world import World


class Book:
    """The journal's entries, in the chain they would have on disk."""

    def __init__(self, world: World, config: str) -> None:
        self.world = world
        self.written: list[Entry] = []
        self.down = self.slow = False
        self._config = config
        self._heads: dict[str, Head] = {}

    def under(self, config: str) -> None:
        """What is written from now on was made under the configuration of this digest."""
        self._config = config

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """All durably, or none."""
        self.probe()
        heads = dict(self._heads)
        entries = [self._entry(heads, len(self.written) + at, draft) for at, draft in enumerate(drafts, 1)]
        self.written += entries
        self._heads = heads
        self.world.witness.committed(drafts)
        return entries

    def probe(self) -> None:
        """Whether it would take anything."""
        if self.down:
            raise JournalError("disk is full")

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after`, in order."""
        return iter(self.written[after:])

    def hash_at(self, n: int) -> bytes | None:
        """The hash of the entry numbered `n`."""
        return self.written[n - 1].hash if 0 < n <= len(self.written) else None

    def inputs(self) -> Iterator[tuple[int, Input]]:
        """Every input with its time."""
        for entry in self.written:
            yield entry.at_ms, input_of(entry)

    def _entry(self, heads: dict[str, Head], n: int, draft: Draft) -> Entry:
        kind, body = str(draft.taken.__struct_config__.tag), msgspec.json.encode(draft.taken)
        return link(heads, n, draft.area, draft.at_ms, kind, body, draft.config or self._config, RULES_VERSION)
