"""Postings on disk beside the journal: what was told, what still waits, and which pages were taken up.

Nothing waits for it: a posting is sent from memory, and a page that this file lost is found in the journal again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from hub.beginning import put_aside
from hub.notify.notice import Posting

T = TypeVar("T")

NAME = "notices.db"
PENDING_MAX = 100_000
"""Changes kept while the disk takes none; then the oldest goes, and is found in the journal at the next start."""
RETRY_S = 2.0
PRUNE_S = 6 * 3_600.0
KEPT_MS = 90 * 24 * 3_600_000
"""How long it is known who was told."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS posting (
  id TEXT PRIMARY KEY, area TEXT NOT NULL, incident TEXT NOT NULL, at_ms INTEGER NOT NULL, state TEXT NOT NULL,
  channel TEXT NOT NULL, theirs TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS posting_of ON posting (area, incident, at_ms);
CREATE INDEX IF NOT EXISTS posting_theirs ON posting (channel, theirs) WHERE theirs <> '';
CREATE INDEX IF NOT EXISTS posting_age ON posting (at_ms);
CREATE TABLE IF NOT EXISTS page (key TEXT PRIMARY KEY, at_ms INTEGER NOT NULL);
"""
_DECODER = msgspec.json.Decoder(Posting)


class Outbox:
    """`keep` and `took` return at once; `run` writes. Raises sqlite3.Error from what reads."""

    def __init__(self, path: Path | None) -> None:
        """Open the file; without one all is forgotten at the end. Raises sqlite3.Error, OSError."""
        self.trouble: str | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="notices")
        self._postings: dict[str, Posting] = {}
        self._pages: dict[str, int] = {}
        self._news = asyncio.Event()
        self._log = structlog.get_logger("hub.notices")
        self._db = sqlite3.connect(path or ":memory:", timeout=0.5, isolation_level=None, check_same_thread=False)
        if path is not None:
            path.chmod(0o600)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)

    def keep(self, posting: Posting) -> None:
        """A posting as it is now."""
        self._postings.pop(posting.id, None)
        self._postings[posting.id] = posting
        if len(self._postings) > PENDING_MAX:
            del self._postings[next(iter(self._postings))]
        self._news.set()

    def took(self, page: str, at_ms: int) -> None:
        """A page of the journal was made into the postings kept since."""
        self._pages[page] = at_ms
        if len(self._pages) > PENDING_MAX:
            del self._pages[next(iter(self._pages))]
        self._news.set()

    def since(self, at_ms: int) -> tuple[list[Posting], set[str]]:
        """Postings and pages (keys) from then on, in their order."""
        rows = self._db.execute("SELECT body FROM posting WHERE at_ms >= ? ORDER BY at_ms", (at_ms,))
        postings = [_DECODER.decode(body) for (body,) in rows]
        return postings, {key for (key,) in self._db.execute("SELECT key FROM page WHERE at_ms >= ?", (at_ms,))}

    async def prune(self, now_ms: Callable[[], int]) -> None:
        """Forget what is older than it is kept, for ever; a disk that takes nothing is told by who writes."""
        while True:
            with contextlib.suppress(sqlite3.Error):
                before_ms = now_ms() - KEPT_MS
                for table in ("posting", "page"):
                    await self._called(partial(self._forget, table, before_ms))
            await asyncio.sleep(PRUNE_S)

    def _forget(self, table: str, before_ms: int) -> None:
        self._db.execute(f"DELETE FROM {table} WHERE at_ms < ?", (before_ms,))

    async def of(self, area: str, incident: str) -> list[Posting]:
        """Every posting of an incident, oldest first."""
        wanted = "SELECT body FROM posting WHERE area = ? AND incident = ? ORDER BY at_ms, id"
        found = {one.id: one for one in await self._read(wanted, (area, incident))}
        found |= {one.id: one for one in self._postings.values() if (one.area, one.incident) == (area, incident)}
        return sorted(found.values(), key=lambda one: (one.at_ms, one.id))

    async def named(self, channel: str, name: str) -> Posting | None:
        """The posting of a channel that a far end calls so: by our key, or by its own name."""
        own = name.rpartition("-")[0] or name
        for one in self._postings.values():
            if one.channel == channel and (one.id == own or (one.theirs and one.theirs == name)):
                return one
        wanted = "SELECT body FROM posting WHERE id = ? AND channel = ?"
        by_theirs = "SELECT body FROM posting WHERE channel = ? AND theirs = ? ORDER BY at_ms DESC LIMIT 1"
        found = await self._read(wanted, (own, channel)) or await self._read(by_theirs, (channel, name))
        return found[0] if found else None

    async def run(self) -> None:
        """Write what changed, for ever; while the disk takes nothing it is kept and tried again."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not await self._flush():
                await asyncio.sleep(RETRY_S)
                self._news.set()

    async def _flush(self) -> bool:
        postings, pages = list(self._postings.values()), list(self._pages.items())
        try:
            await self._called(lambda: self._write(postings, pages))
        except sqlite3.Error as cause:
            if self.trouble is None:
                self._log.error("what came of notices cannot be written", why=str(cause))
            self.trouble = str(cause)
            return False
        self.trouble = None
        for one in postings:
            if self._postings.get(one.id) is one:
                del self._postings[one.id]
        for key, _ in pages:
            self._pages.pop(key, None)
        return True

    def close(self) -> None:
        """Write what is left, if the disk takes it, and close."""
        with contextlib.suppress(sqlite3.Error):
            self._thread.submit(self._write, list(self._postings.values()), list(self._pages.items())).result()
        self._thread.shutdown()
        self._db.close()

    def _write(self, postings: Sequence[Posting], pages: Iterable[tuple[str, int]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            rows = [
                (
                    one.id,
                    one.area,
                    one.incident,
                    one.at_ms,
                    one.state,
                    one.channel,
                    one.theirs,
                    msgspec.json.encode(one),
                )
                for one in postings
            ]
            self._db.executemany("INSERT OR REPLACE INTO posting VALUES (?,?,?,?,?,?,?,?)", rows)
            self._db.executemany("INSERT OR IGNORE INTO page VALUES (?,?)", pages)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    async def _read(self, wanted: str, values: tuple[Any, ...]) -> list[Posting]:
        return await self._called(
            lambda: [_DECODER.decode(body) for (body,) in self._db.execute(wanted, values).fetchall()]
        )

    async def _called(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def opened(path: Path) -> Outbox:
    """The outbox. A damaged file is put aside, one that cannot be opened is gone without: alarms come first."""
    log = structlog.get_logger("hub.notices")
    try:
        try:
            return Outbox(path)
        except sqlite3.DatabaseError as cause:
            if type(cause) is not sqlite3.DatabaseError:
                raise
            kept = put_aside(path, "damaged")
            log.error("what came of notices is damaged and was put aside", why=str(cause), kept=str(kept))
            return Outbox(path)
    except (sqlite3.Error, OSError) as cause:
        log.error("what came of notices cannot be kept: a restart will not know it", why=str(cause))
        return Outbox(None)
