"""A lane's outbox: what waits for the disk, what goes into the next transaction, and what follows when that fails.

Trouble of the disk never stops the gateway: what is not committed stays pending in memory (bounded by the lane), is
tried again with back-off (every second while a P1 or P2 is among it), the important first, and the fault is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edge.core.entries import Entry, Key
from edge.core.gaps import Lost
from edge.store import Change, Loaded, Store, StoreError

GROUP_MAX = 500
"""Records in one transaction."""
RETRY_S = 1.0
RETRY_S_MAX = 30.0


@dataclass(slots=True)
class Pending:
    """What is to be committed together."""

    puts: dict[Key, Entry] = field(default_factory=dict)
    deletes: set[Key] = field(default_factory=set)
    gaps: list[Lost] | None = None
    values: dict[str, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.puts or self.deletes or self.values) or self.gaps is not None


class Outbox:
    """One lane's durable side, without the thread that drives it: that takes a batch, commits it (which blocks), and
    stands back after a failure. Records may be put and deleted meanwhile.

    `on_stored` hears the keys committed, `on_fault` the StoreError that began or None when it ended, `on_loaded` what
    was found on a disk that could not be opened at first, or had to be begun anew.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_stored: Callable[[list[Key]], None],
        on_fault: Callable[[StoreError | None], None],
        on_loaded: Callable[[Loaded], None],
    ) -> None:
        self.on_stored, self.on_fault, self.on_loaded = on_stored, on_fault, on_loaded
        self.urgent = False
        """Whether a P1 or P2 came since the standing back began."""
        self._store = store
        self._on_news: Callable[[], object] = lambda: None
        self._later: Callable[..., object] = lambda what, *words: what(*words)
        self._lock: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        self._pending = Pending()
        self._values: dict[str, bytes] = {}
        self._stored: set[Key] = set()
        self._committing: set[Key] = set()
        self._opened = False
        self._fault: StoreError | None = None
        self._failures = 0

    def driven(
        self,
        *,
        on_news: Callable[[], object],
        later: Callable[..., object],
        lock: contextlib.AbstractContextManager[object] | None = None,
    ) -> None:
        """Its driver: `on_news` hears, under the `lock`, that there is something to commit; `later` calls a function
        with arguments where those who listen live."""
        self._on_news, self._later = on_news, later
        self._lock = lock if lock is not None else self._lock

    @property
    def waiting(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._pending)

    def unstored(self) -> int:
        """Records that are not on the disk yet, those under way among them."""
        return len(self._pending.puts) + len(self._committing)

    def open(self) -> Loaded:
        """What the last process left; a disk in trouble loads nothing, for now. Blocks."""
        try:
            return self._open()
        except StoreError as cause:
            self._fault = cause
            self._later(self.on_fault, cause)
            return Loaded()

    def put(self, entries: Iterable[Entry], values: dict[str, bytes] | None = None) -> None:
        """Commit these records and named values together, soon."""
        with self._lock:
            for entry in entries:
                self._pending.puts[entry.key] = entry
                self.urgent |= entry.priority <= 2
            self._pending.values |= values or {}
            self._values |= values or {}
            self._on_news()

    def delete(self, keys: Iterable[Key]) -> None:
        """Forget these records; what was never committed never will be."""
        with self._lock:
            for key in keys:
                self._pending.puts.pop(key, None)
                if key in self._stored or key in self._committing:
                    self._pending.deletes.add(key)
            self._on_news()

    def gaps(self, spans: Iterable[Lost]) -> None:
        """These are now all the gap statements."""
        copied = [Lost(one.instance, one.first, one.last, one.reason, one.boot, one.kboot) for one in spans]
        with self._lock:
            self._pending.gaps = copied
            self._on_news()

    def stand_back_s(self) -> float:
        """The standing back begins: how long, unless something urgent comes; 0 when the last commit succeeded.

        A P1 or P2 that is not on the disk makes it the shortest.
        """
        with self._lock:
            self.urgent = False
            if not self._failures:
                return 0.0
            if any(entry.priority <= 2 for entry in self._pending.puts.values()):
                return RETRY_S
            return min(RETRY_S_MAX, RETRY_S * 2.0 ** min(self._failures - 1, 6))

    def take(self) -> Pending:
        """The next batch to commit, the important first."""
        with self._lock:
            waiting, self._pending = self._pending, Pending()
            ordered = sorted(waiting.puts.values(), key=lambda entry: entry.priority)
            for entry in ordered[GROUP_MAX:]:
                self._pending.puts[entry.key] = entry
            waiting.puts = {entry.key: entry for entry in ordered[:GROUP_MAX]}
            self._committing = set(waiting.puts)
            return waiting

    def commit(self, batch: Pending) -> None:
        """Commit what was taken; what the disk refuses waits again. Blocks."""
        fault = self._commit(batch)
        self._failures = self._failures + 1 if fault is not None else 0
        if (fault is None) != (self._fault is None):
            self._later(self.on_fault, fault)
        self._fault = fault

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _open(self) -> Loaded:
        loaded = self._store.open()
        self._stored = {entry.key for entry in loaded.entries}
        self._opened = True
        return loaded

    def _commit(self, batch: Pending) -> StoreError | None:
        """Commit all at once; where that fails, part by part, so that a full disk still forgets and takes alarms."""
        urgent = [entry for entry in batch.puts.values() if entry.priority <= 2]
        common = [entry for entry in batch.puts.values() if entry.priority > 2]
        deletes = list(batch.deletes)
        values = dict(batch.values)
        whole = Change([*urgent, *common], deletes, batch.gaps, values)
        parts = [Change([], deletes, batch.gaps), Change(urgent, values=values), Change(common)]
        try:
            if not self._opened or self._fault is not None:
                self._reopen()
            self._apply(whole, batch)
            return None
        except StoreError as cause:
            fault = cause
        if fault.trouble == "full":
            for part in parts:
                try:
                    self._apply(part, batch)
                except StoreError as cause:
                    fault = cause
        self._put_back(batch)
        return fault

    def _reopen(self) -> None:
        if self._opened and self._fault is not None and self._fault.trouble == "full":
            return
        fresh = not self._opened
        loaded = self._open()
        if loaded.set_aside:
            with self._lock:
                self._pending.values = dict(self._values)
        if fresh or loaded.set_aside:
            self._later(self.on_loaded, loaded)

    def _apply(self, change: Change, batch: Pending) -> None:
        self._store.commit(change)
        keys = [entry.key for entry in change.puts]
        with self._lock:
            self._stored.update(keys)
            self._stored.difference_update(change.deletes)
            self._committing.difference_update(keys)
            for key in keys:
                batch.puts.pop(key, None)
            batch.deletes.difference_update(change.deletes)
            if change.gaps is not None:
                batch.gaps = None
            for name in change.values:
                batch.values.pop(name, None)
        if keys:
            self._later(self.on_stored, keys)

    def _put_back(self, batch: Pending) -> None:
        with self._lock:
            now = self._pending
            now.puts = {key: entry for key, entry in batch.puts.items() if key not in now.deletes} | now.puts
            now.deletes |= batch.deletes
            now.deletes &= self._stored
            now.gaps = now.gaps if now.gaps is not None else batch.gaps
            now.values = batch.values | now.values
            self._committing = set()
