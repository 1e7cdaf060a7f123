"""A lane's outbox: a thread of its own commits in groups, so that a slow SD card never keeps the event loop waiting.

Trouble of the disk never stops the gateway: what is not committed stays pending in memory (bounded by the lane), is
tried again with back-off (every second while a P1 or P2 is among it), the important first, and the fault is told.
"""

from __future__ import annotations

import asyncio
import threading
import time
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
class _Pending:
    puts: dict[Key, Entry] = field(default_factory=dict)
    deletes: set[Key] = field(default_factory=set)
    gaps: list[Lost] | None = None
    values: dict[str, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.puts or self.deletes or self.values) or self.gaps is not None


class Outbox:
    """One lane's durable side. The three callbacks run on the event loop.

    `on_stored` hears the keys committed, `on_fault` the StoreError that began or None when it ended, `on_loaded` what
    was found on a disk that could not be opened at first, or had to be begun anew.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        *,
        on_stored: Callable[[list[Key]], None],
        on_fault: Callable[[StoreError | None], None],
        on_loaded: Callable[[Loaded], None],
    ) -> None:
        self.name = name
        self._store = store
        self._on_stored = on_stored
        self._on_fault = on_fault
        self._on_loaded = on_loaded
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._pending = _Pending()
        self._values: dict[str, bytes] = {}
        self._stored: set[Key] = set()
        self._committing: set[Key] = set()
        self._urgent = False
        self._closing = False
        self._opened = False
        self._fault: StoreError | None = None
        self._commits_since_s: float | None = None
        self._took_s = 0.0
        self._idle = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name=f"outbox {name}", daemon=True)

    async def open(self) -> Loaded:
        """Load what the last process left and start the thread; a disk in trouble loads nothing, for now."""
        loaded = Loaded()
        try:
            loaded = await asyncio.to_thread(self._open)
        except StoreError as cause:
            self._fault = cause
            self._on_fault(cause)
        self._thread.start()
        return loaded

    def put(self, entries: Iterable[Entry], values: dict[str, bytes] | None = None) -> None:
        """Commit these records and named values together, soon."""
        with self._wake:
            for entry in entries:
                self._pending.puts[entry.key] = entry
                self._urgent |= entry.priority <= 2
            self._pending.values |= values or {}
            self._values |= values or {}
            self._wake.notify()

    def delete(self, keys: Iterable[Key]) -> None:
        """Forget these records; what was never committed never will be."""
        with self._wake:
            for key in keys:
                self._pending.puts.pop(key, None)
                if key in self._stored or key in self._committing:
                    self._pending.deletes.add(key)
            self._wake.notify()

    def gaps(self, spans: Iterable[Lost]) -> None:
        """These are now all the gap statements."""
        copied = [Lost(one.instance, one.first, one.last, one.reason, one.boot, one.kboot) for one in spans]
        with self._wake:
            self._pending.gaps = copied
            self._wake.notify()

    async def close(self, limit_s: float = 1.0) -> bool:
        """Commit what is pending and end the thread; False when the disk did not take it, or not within `limit_s`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if not self._thread.is_alive():
            return True
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return not self._pending

    def slow_s(self) -> float:
        """How long the disk has been at the transaction under way, or was at the last one; seconds."""
        since_s = self._commits_since_s
        return self._took_s if since_s is None else time.monotonic() - since_s

    def _open(self) -> Loaded:
        loaded = self._store.open()
        self._stored = {entry.key for entry in loaded.entries}
        self._opened = True
        return loaded

    def _work(self) -> None:
        failures = 0
        while True:
            batch = self._next_batch(self._pause_s(failures) if failures else 0.0)
            if batch is None:
                break
            self._commits_since_s = began_s = time.monotonic()
            fault = self._commit(batch)
            self._took_s, self._commits_since_s = time.monotonic() - began_s, None
            failures = failures + 1 if fault is not None else 0
            if (fault is None) != (self._fault is None):
                self._tell(self._on_fault, fault)
            self._fault = fault
        self._store.close()
        self._tell(self._idle.set)

    def _pause_s(self, failures: int) -> float:
        """How long to wait after so many failures; a P1 or P2 that is not on the disk makes it the shortest."""
        with self._wake:
            if any(entry.priority <= 2 for entry in self._pending.puts.values()):
                return RETRY_S
        return min(RETRY_S_MAX, RETRY_S * 2.0 ** min(failures - 1, 6))

    def _next_batch(self, pause_s: float) -> _Pending | None:
        """Wait for work (after a failure also out the pause, unless a P1 or P2 came); None when closing and done."""
        with self._wake:
            if pause_s and not self._closing:
                self._urgent = False
                self._wake.wait_for(lambda: self._urgent or self._closing, pause_s)
            self._wake.wait_for(lambda: bool(self._pending) or self._closing)
            if self._closing and (not self._pending or pause_s):
                return None
            waiting, self._pending = self._pending, _Pending()
            ordered = sorted(waiting.puts.values(), key=lambda entry: entry.priority)
            for entry in ordered[GROUP_MAX:]:
                self._pending.puts[entry.key] = entry
            waiting.puts = {entry.key: entry for entry in ordered[:GROUP_MAX]}
            self._committing = set(waiting.puts)
            return waiting

    def _commit(self, batch: _Pending) -> StoreError | None:
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
            with self._wake:
                self._pending.values = dict(self._values)
        if fresh or loaded.set_aside:
            self._tell(self._on_loaded, loaded)

    def _apply(self, change: Change, batch: _Pending) -> None:
        self._store.commit(change)
        keys = [entry.key for entry in change.puts]
        with self._wake:
            self._stored.update(keys)
            self._stored.difference_update(change.deletes)
            for key in keys:
                batch.puts.pop(key, None)
            batch.deletes.difference_update(change.deletes)
            if change.gaps is not None:
                batch.gaps = None
            for name in change.values:
                batch.values.pop(name, None)
        if keys:
            self._tell(self._on_stored, keys)

    def _put_back(self, batch: _Pending) -> None:
        with self._wake:
            now = self._pending
            now.puts = {key: entry for key, entry in batch.puts.items() if key not in now.deletes} | now.puts
            now.deletes |= batch.deletes
            now.deletes &= self._stored
            now.gaps = now.gaps if now.gaps is not None else batch.gaps
            now.values = batch.values | now.values
            self._committing = set()

    def _tell(self, what: Callable[..., None], *words: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *words)
        except RuntimeError:
            return  # the loop is gone: so is everybody who would listen
