"""Where a lane's records outlive the process: one SQLite file a lane, or memory behind the same few words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from edge.core.entries import Entry, Key
from edge.core.gaps import Lost

SCHEMA = 1
PAGE_BYTES = 4096
Trouble: TypeAlias = Literal["full", "read_only", "io", "corrupt", "schema"]


class StoreError(Exception):
    """The disk would not: `trouble` is the named reason. What was to be committed is not, and nothing else changed."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        self.trouble: Trouble = trouble
        super().__init__(text)


@dataclass(slots=True)
class Change:
    """One transaction: records put and deleted, all gap statements where they changed, named values."""

    puts: list[Entry] = field(default_factory=list)
    deletes: list[Key] = field(default_factory=list)
    gaps: list[Lost] | None = None
    values: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Loaded:
    """What was found on the disk: records oldest first, gap statements, named values.

    `set_aside`: what was there is no database any more and was put aside; whoever still has records stores them again.
    """

    entries: list[Entry] = field(default_factory=list)
    gaps: list[Lost] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    set_aside: bool = False


class Store(Protocol):
    """One lane's disk. Every method may raise StoreError and may take long."""

    def open(self) -> Loaded: ...

    def commit(self, change: Change) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Disk:
    """What a MemoryStore keeps while processes come and go; `trouble` makes every commit fail."""

    records: dict[Key, Entry] = field(default_factory=dict)
    gaps: list[Lost] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    trouble: Trouble | None = None


class MemoryStore:
    """A store in memory: for gateways that run without a disk, and for simulations."""

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = Disk() if disk is None else disk

    def open(self) -> Loaded:
        self._check()
        entries = sorted(self.disk.records.values(), key=lambda entry: (entry.boot, entry.instance, entry.seq))
        return Loaded([_fresh(entry) for entry in entries], list(self.disk.gaps), dict(self.disk.values))

    def commit(self, change: Change) -> None:
        self._check()
        self.disk.records |= {entry.key: entry for entry in change.puts}
        for key in change.deletes:
            self.disk.records.pop(key, None)
        if change.gaps is not None:
            self.disk.gaps = list(change.gaps)
        self.disk.values |= change.values

    def close(self) -> None:
        """Nothing to close."""

    def _check(self) -> None:
        if self.disk.trouble is not None:
            raise StoreError(self.disk.trouble, f"memory disk: {self.disk.trouble}")


def _fresh(entry: Entry) -> Entry:
    made = (entry.instance, entry.boot, entry.kboot, entry.seq, entry.priority, entry.mono_ns, entry.data, entry.same)
    return Entry(*made)


_TABLES = """
CREATE TABLE instance (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, boot INTEGER NOT NULL, kboot TEXT NOT NULL);
CREATE TABLE record (instance INTEGER NOT NULL, seq INTEGER NOT NULL, priority INTEGER NOT NULL,
  mono_ns INTEGER NOT NULL, same TEXT, data BLOB NOT NULL, PRIMARY KEY (instance, seq)) WITHOUT ROWID;
CREATE TABLE gap (instance INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE value (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
"""
_PUT = "INSERT OR IGNORE INTO record SELECT id, ?, ?, ?, ?, ? FROM instance WHERE name = ?"
_DELETE = "DELETE FROM record WHERE seq = ? AND instance = (SELECT id FROM instance WHERE name = ?)"
_LOAD = (
    "SELECT name, boot, kboot, seq, priority, mono_ns, data, same FROM record JOIN instance ON instance = id"
    " ORDER BY boot, id, seq"
)
_SWEEP = "DELETE FROM instance WHERE id NOT IN (SELECT instance FROM record) AND id NOT IN (SELECT instance FROM gap)"


class SqliteStore:
    """A lane in one SQLite file of at most `bytes_max`. `synchronous` FULL survives a power cut, NORMAL a crash.

    A file that is no database any more is put aside as `.corrupt` (one is kept) and a new one begun; so is a new one
    when the file is no more in its place, for what SQLite goes on writing then, nobody will ever read. A file of an
    unknown schema is refused and left alone.
    """

    def __init__(self, path: Path, synchronous: Literal["FULL", "NORMAL"], bytes_max: int) -> None:
        self.path = path
        self._synchronous = synchronous
        self._pages_max = max(16, bytes_max // PAGE_BYTES)
        self._db: sqlite3.Connection | None = None
        self._suspect = False
        self._file: tuple[int, int] | None = None
        self._gone = False

    def open(self) -> Loaded:
        try:
            loaded = self._open()
            loaded.set_aside, self._gone = self._gone, False
            return loaded
        except StoreError as cause:
            if cause.trouble != "corrupt":
                raise
        with self._named():
            for suffix in ("-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            self.path.replace(f"{self.path}.corrupt")
        self._suspect = False
        loaded = self._open()
        loaded.set_aside, self._gone = True, False
        return loaded

    def _open(self) -> Loaded:
        self.close()
        with self._named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # used by one thread at a time: opened by the starter, then the lane's own
            self._db = db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
            db.execute(f"PRAGMA page_size={PAGE_BYTES}")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"PRAGMA synchronous={self._synchronous}")
            db.execute("PRAGMA journal_size_limit=1048576")
            db.execute(f"PRAGMA max_page_count={self._pages_max}")
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version not in (0, SCHEMA):
                raise StoreError("schema", f"{self.path}: schema version {version}; known here: {SCHEMA}")
            if version == 0:
                db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={SCHEMA}; COMMIT;")
            if self._suspect and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise StoreError("corrupt", f"{self.path}: its pages do not fit together")
            db.execute(_SWEEP)
            self._file = self._in_place()
            return self._load(db)

    def _in_place(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def _load(self, db: sqlite3.Connection) -> Loaded:
        gaps = db.execute("SELECT name, first, last, reason, boot, kboot FROM gap JOIN instance ON instance = id")
        return Loaded(
            [Entry(*row) for row in db.execute(_LOAD)],
            [Lost(*row) for row in gaps],
            dict(db.execute("SELECT name, data FROM value")),
        )

    def commit(self, change: Change) -> None:
        db = self._db
        if db is None:
            raise StoreError("io", f"{self.path}: not open")
        with self._named():
            try:
                self._gone |= self._in_place() != self._file
            except FileNotFoundError:
                self._gone = True
            if self._gone:
                raise StoreError("io", f"{self.path}: the file was taken away, or another put in its place")
            db.execute("BEGIN IMMEDIATE")
            try:
                self._write(db, change)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _write(self, db: sqlite3.Connection, change: Change) -> None:
        db.executemany(_DELETE, [(seq, instance) for instance, seq in change.deletes])
        _know(db, ((entry.instance, entry.boot, entry.kboot) for entry in change.puts))
        rows = [(one.seq, one.priority, one.mono_ns, one.same, one.data, one.instance) for one in change.puts]
        db.executemany(_PUT, rows)
        if change.gaps is not None:
            db.execute("DELETE FROM gap")
            _know(db, ((gap.instance, gap.boot, gap.kboot) for gap in change.gaps))
            db.executemany(
                "INSERT INTO gap SELECT id, ?, ?, ? FROM instance WHERE name = ?",
                [(gap.first, gap.last, gap.reason, gap.instance) for gap in change.gaps],
            )
        db.executemany("INSERT OR REPLACE INTO value VALUES (?, ?)", list(change.values.items()))

    def close(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as cause:
            trouble = _trouble(cause)
            self._suspect |= trouble == "corrupt"
            raise StoreError(trouble, f"{self.path}: {cause}") from cause


def _know(db: sqlite3.Connection, instances: Iterable[tuple[str, int, str]]) -> None:
    db.executemany("INSERT OR IGNORE INTO instance (name, boot, kboot) VALUES (?, ?, ?)", sorted(set(instances)))


def _trouble(cause: sqlite3.Error | OSError) -> Trouble:
    name = getattr(cause, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return "full"
    if name.startswith("SQLITE_READONLY"):
        return "read_only"
    return "corrupt" if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) else "io"
