"""The journal on disk: appended to by one writer, a batch a transaction; what reads it is hub.past.

All methods block; the hub calls them in its one writer thread and never in the event loop.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, select, update

from hub import migrations, tables
from hub.chain import Entry, Head, link
from hub.core.effects import Page, Rung
from hub.core.io import Input
from hub.mark import Mark
from hub.past import JournalDamaged, entries_of, hash_of, heads_of, input_of, sqlite_path, told

PAGES_KEPT_MS = 24 * 3_600_000
"""How long a page can be found in the journal; its incident says for ever that it was asked for."""


class JournalMoved(Exception):
    """The journal holds entries this hub does not know: a commit that failed came through after all, or another hub
    writes there. Only a start anew, from what the journal holds, is sure to agree with it."""


@dataclass(frozen=True, slots=True)
class Note:
    """A text that may be erased; the chain holds only `hash`, salted, so that the text cannot be guessed from it."""

    area: str
    incident: str
    text: str
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def hash(self) -> str:
        """SHA-256 of salt and text, in hex."""
        return hashlib.sha256(self.salt + self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Alias:
    """What the chain calls a person: a salted hash, told apart but not told who once the row is erased."""

    person: str
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def alias(self) -> str:
        """The name in the chain: "p-" and 32 hex digits."""
        return "p-" + hashlib.sha256(self.salt + self.person.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Draft:
    """What will be an entry: the input and when the desk took it, with the erasable text that belongs to it, and the
    pages it asks for. `config` is what it was judged under; "": as the entry before."""

    area: str
    at_ms: int
    taken: Input
    aside: tuple[Note, ...] = ()
    pages: tuple[Page, ...] = ()
    config: str = ""


class Journal:
    """One open journal. Raises JournalError from everything that touches the disk."""

    def __init__(self, url: str, *, config: str, rules: str, busy_ms: int = 2_000) -> None:
        self._config = config
        self._rules = rules
        self._doubtful = False
        path = sqlite_path(url)
        self._mark = Mark(path) if path is not None else None
        if self._mark is not None and (missing := self._mark.missing()):
            raise JournalDamaged(missing)  # SQLite would make an empty database in its place
        with told():
            self._engine = open_engine(url, busy_ms)
            with self._engine.begin() as connection:
                migrations.upgrade(connection)
            self._connection = self._engine.connect()
            self._n, self._heads = heads_of(self._connection)
            if self._mark is not None:
                _reaches(self._connection, self._n, self._mark)
            self._connection.rollback()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._connection.close()
        self._engine.dispose()
        if self._mark is not None:
            self._mark.close()

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Write all drafts in one durable transaction, or none. Gives the entries. Raises JournalMoved."""
        self._settle_doubt()
        heads = dict(self._heads)
        entries = [self._entry(heads, self._n + at, draft) for at, draft in enumerate(drafts, 1)]
        notes = [
            {"hash": note.hash, "area": note.area, "incident": note.incident, "salt": note.salt, "text": note.text}
            | {"at_ms": draft.at_ms}
            for draft in drafts
            for note in draft.aside
        ]
        pages = [
            {"n": entry.n, "at": at, "at_ms": draft.at_ms, "area": page.area, "incident": page.incident}
            | {"rung": page.rung.value, "why": page.why}
            for draft, entry in zip(drafts, entries, strict=True)
            for at, page in enumerate(draft.pages)
        ]
        self._doubtful = True
        with told(), self._connection.begin():
            if notes:
                self._connection.execute(insert(tables.note), notes)
            if pages:
                old = tables.page.c.at_ms < drafts[-1].at_ms - PAGES_KEPT_MS
                self._connection.execute(delete(tables.page).where(old))
                self._connection.execute(insert(tables.page), pages)
            if entries:
                self._connection.execute(insert(tables.entry), [msgspec.structs.asdict(entry) for entry in entries])
        self._doubtful = False
        self._n += len(entries)
        self._heads = heads
        self._config = entries[-1].config if entries else self._config
        if self._mark is not None and entries:
            self._mark.note(self._n, entries[-1].hash)
        return entries

    def _settle_doubt(self) -> None:
        """After a failure: does the journal still end where we think it does?"""
        if not self._doubtful:
            return
        with told(), self._connection.begin():
            n, heads = heads_of(self._connection)
        if (n, heads) != (self._n, self._heads):
            raise JournalMoved(f"the journal ends with entry {n}, and this hub wrote up to {self._n}")
        self._doubtful = False

    def _entry(self, heads: dict[str, Head], n: int, draft: Draft) -> Entry:
        kind, body = str(draft.taken.__struct_config__.tag), msgspec.json.encode(draft.taken)
        return link(heads, n, draft.area, draft.at_ms, kind, body, draft.config or self._config, self._rules)

    def inputs(self) -> Iterator[tuple[int, Input]]:
        """Every input with the time (hub wall ms) the desk took it, in order, read in batches."""
        for entry in self.entries():
            yield entry.at_ms, input_of(entry)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after`, in order of `n`, read in batches."""
        return entries_of(self._engine, after)

    def hash_at(self, n: int) -> bytes | None:
        """The hash of entry `n`; None where there is none."""
        return hash_of(self._engine, n)

    @property
    def n(self) -> int:
        """The number of the last entry."""
        return self._n

    @property
    def heads(self) -> tuple[Head, ...]:
        """The end of each area's chain."""
        return tuple(self._heads.values())

    def pages(self, since_ms: int) -> list[tuple[int, Page]]:
        """Pages asked for since then, with when (hub wall ms), in order."""
        row = tables.page.c
        wanted = select(tables.page).where(row.at_ms >= since_ms).order_by(row.n, row.at)
        with told(), self._engine.connect() as connection:
            found = connection.execute(wanted).all()
        return [(one.at_ms, Page(one.area, one.incident, Rung(one.rung), one.why)) for one in found]

    def aliases(self) -> dict[str, str]:
        """Person to alias, for everybody not erased."""
        with told(), self._engine.connect() as connection:
            rows = connection.execute(select(tables.person.c.person, tables.person.c.alias))
            return {row.person: row.alias for row in rows}

    def probe(self) -> None:
        """Write and commit something of no meaning, to learn whether the disk takes anything.

        Raises JournalError, JournalMoved.
        """
        self._settle_doubt()
        row = {"alias": "probe", "salt": b"", "person": "probe"}
        with told(), self._connection.begin():
            self._connection.execute(insert(tables.person), row)
            self._connection.execute(delete(tables.person).where(tables.person.c.alias == "probe"))

    def on_watch(self, began_ms: int, until_ms: int, forget_ms: int) -> None:
        """The hub has been on watch from one time to another; what ended before `forget_ms` is forgotten."""
        row = tables.watch.c
        with told(), self._connection.begin():
            done = self._connection.execute(
                update(tables.watch).where(row.began_ms == began_ms).values(until_ms=until_ms)
            )
            if not done.rowcount:
                self._connection.execute(insert(tables.watch), {"began_ms": began_ms, "until_ms": until_ms})
            self._connection.execute(delete(tables.watch).where(row.until_ms < forget_ms))

    def name(self, alias: Alias) -> None:
        """Keep who an alias is."""
        row = {"alias": alias.alias, "salt": alias.salt, "person": alias.person}
        with told(), self._connection.begin():
            self._connection.execute(insert(tables.person), row)

    def notes(self, incident: str) -> dict[str, str]:
        """Hash to text of an incident's notes; an erased one is not there."""
        wanted = select(tables.note.c.hash, tables.note.c.text).where(tables.note.c.incident == incident)
        with told(), self._engine.connect() as connection:
            return {row.hash: row.text for row in connection.execute(wanted)}

    def newest_notes(self, limit: int) -> dict[str, str]:
        """Hash to text of the newest notes, oldest first."""
        newest = select(tables.note.c.hash, tables.note.c.text).order_by(tables.note.c.at_ms.desc()).limit(limit)
        with told(), self._engine.connect() as connection:
            return {row.hash: row.text for row in reversed(connection.execute(newest).all())}

    def erase_person(self, person: str) -> bool:
        """Forget who an alias was; says whether there was one. The chain stays whole."""
        with self._engine.begin() as connection:
            return connection.execute(delete(tables.person).where(tables.person.c.person == person)).rowcount > 0

    def erase_notes(self, incident: str) -> int:
        """Forget the note texts of an incident; says how many. The chain stays whole."""
        with self._engine.begin() as connection:
            return connection.execute(delete(tables.note).where(tables.note.c.incident == incident)).rowcount


def open_engine(url: str, busy_ms: int = 2_000) -> Engine:
    """An engine on `url`; SQLite in WAL mode with synchronous FULL, so that a commit survives a loss of power."""
    engine = create_engine(url, connect_args={"timeout": busy_ms / 1000} if url.startswith("sqlite") else {})
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def durable(connection: Any, _record: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def _reaches(connection: Connection, last: int, mark: Mark) -> None:
    """Raises JournalDamaged when an entry that was committed is not there."""
    n, digest = mark.read() or (0, b"")
    entry = tables.entry.c
    if n and connection.execute(select(entry.hash).where(entry.n == n)).scalar() != digest:
        raise JournalDamaged(f"it holds {last} entries, and entry {n} as it was committed is not among them")
