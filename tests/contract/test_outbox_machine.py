"""A lane's file under crashes between any two writes: what is said to be stored is there, and nothing by half."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from edge.core.entries import Entry, Key
from edge.core.gaps import Lost
from edge.store import Change, SqliteStore

WRITES_MAX = 10


class Crash(BaseException):
    """The power went."""


class Dying:
    """A connection that dies at its `at`-th statement, with the file left as it is then."""

    def __init__(self, db: sqlite3.Connection, at: int, die: Any) -> None:
        self._db, self._left, self._die = db, at, die

    def execute(self, *words: Any) -> Any:
        self._count()
        return self._db.execute(*words)

    def executemany(self, *words: Any) -> Any:
        self._count()
        return self._db.executemany(*words)

    def _count(self) -> None:
        if self._left == 0:
            self._die()
            raise Crash
        self._left -= 1


class Mortal(SqliteStore):
    """The real store; `dies_at` is the write of the next transaction before which the power goes."""

    dies_at: int | None = None
    left: Path

    def _write(self, db: sqlite3.Connection, change: Change) -> None:
        if self.dies_at is None:
            super()._write(db, change)
        else:
            super()._write(Dying(db, self.dies_at, self.copied), change)  # type: ignore[arg-type]
            self.copied()  # before the commit
            raise Crash

    def copied(self) -> None:
        """The files as the kernel has them now, which is what a process that is killed leaves behind."""
        for suffix in ("", "-wal"):
            if Path(f"{self.path}{suffix}").exists():
                shutil.copy(f"{self.path}{suffix}", f"{self.left}{suffix}")


def entry(seq: int, size: int) -> Entry:
    return Entry("a" * 32, 1, "k" * 32, seq, 1 + seq % 4, seq, bytes([seq % 256]) * size)


class Lane(RuleBasedStateMachine):
    """One lane's file, and what its store said is on it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lf-"))
        self.number = self.seq = 0
        self.records: dict[Key, bytes] = {}
        self.values: dict[str, bytes] = {}
        self.gaps: list[tuple[int, int]] = []
        self.store = self._opened(self.folder / "0.db")

    def _opened(self, path: Path) -> Mortal:
        store = Mortal(path, "FULL", 16_000_000)
        self.number += 1
        store.left = self.folder / f"{self.number}.db"
        loaded = store.open()
        assert self.records == {one.key: one.data for one in loaded.entries}
        assert (self.values, self.gaps) == (loaded.values, [(one.first, one.last) for one in loaded.gaps])
        assert not loaded.set_aside
        return store

    @rule(
        puts=st.lists(st.integers(0, 3_000), max_size=4),
        deletes=st.integers(0, 3),
        gaps=st.one_of(st.none(), st.lists(st.integers(1, 50), max_size=3, unique=True)),
        value=st.one_of(st.none(), st.binary(max_size=40)),
        dies_at=st.one_of(st.none(), st.none(), st.integers(0, WRITES_MAX)),
        then=st.booleans(),
    )
    def commit(
        self,
        puts: list[int],
        deletes: int,
        gaps: list[int] | None,
        value: bytes | None,
        dies_at: int | None,
        then: bool,
    ) -> None:
        """A transaction that is said to be stored, or that the power interrupts; `then`: it goes right after."""
        made = [entry(self.seq + at, size) for at, size in enumerate(puts, 1)]
        self.seq += len(made)
        gone = list(self.records)[:deletes]
        lost = None if gaps is None else [Lost("a" * 32, first, first, "full", 1, "k" * 32) for first in sorted(gaps)]
        change = Change(made, gone, lost, {} if value is None else {"v": value})
        self.store.dies_at = dies_at
        try:
            self.store.commit(change)
        except Crash:
            self._reopen()
            return
        self.records = {key: data for key, data in self.records.items() if key not in gone}
        self.records |= {one.key: one.data for one in made}
        self.values |= change.values
        self.gaps = self.gaps if gaps is None else [(first, first) for first in sorted(gaps)]
        if then:
            self.store.copied()
            self._reopen()

    def _reopen(self) -> None:
        left = self.store.left
        self.store.close()
        self.store = self._opened(left)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


TestLane = Lane.TestCase
TestLane.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, print_blob=True)
