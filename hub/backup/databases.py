"""SQLite files of a backup: copied while their hub writes to them, and looked through before anybody relies on them."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from hub import migrations
from hub.backup.manifest import JOURNAL, NOTICES, TELEMETRY
from hub.chain import Broken
from hub.past import JournalError, verify
from protocol.faults import Fault

TELEMETRY_VERSION = 0
"""SQLite's user_version of the telemetry store as this software writes it."""


@dataclass(frozen=True, slots=True)
class JournalFound:
    """A journal that is whole. `heads`: area to (entries, hash of the last in hex); `last_ms` is hub wall ms."""

    schema: str
    entries: int
    last_ms: int
    heads: dict[str, tuple[int, str]]


def copy(source: Path, to: Path) -> None:
    """Copy a database as of one moment, with writers going on; the copy is one file. Raises sqlite3.Error."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as live,
        contextlib.closing(sqlite3.connect(to)) as made,
    ):
        live.backup(made)
        made.execute("PRAGMA journal_mode=DELETE").fetchall()


def journal(path: Path, where: str) -> JournalFound | list[Fault]:
    """Look through a journal: its pages, the version of its tables, and every chain."""
    try:
        with _opened(path) as db:
            if (broken := _pages(db)) is not None:
                return [Fault(where, JOURNAL, broken, "a database that is whole")]
            (schema,) = db.execute("SELECT version_num FROM alembic_version").fetchone() or ("none",)
            if schema not in (known := _schemas()):
                return [
                    Fault(where, JOURNAL, f"tables of version {schema}", f"{', '.join(known)}, or a newer lianfang")
                ]
            entries, last_ms = db.execute("SELECT count(*), coalesce(max(at_ms), 0) FROM entry").fetchone()
        found = verify(f"sqlite:///{path}")
    except (sqlite3.Error, JournalError) as cause:
        return [Fault(where, JOURNAL, str(cause), "a journal that can be read")]
    if isinstance(found, Broken):
        return [Fault(where, JOURNAL, f"a broken chain: {found}", "a chain that is whole")]
    return JournalFound(schema, entries, last_ms, {head.area: (head.area_n, head.hash.hex()) for head in found})


def telemetry(path: Path, where: str) -> list[Fault]:
    """Look through a telemetry store."""
    try:
        with _opened(path) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > TELEMETRY_VERSION:
                allowed = f"at most {TELEMETRY_VERSION}, or a newer lianfang"
                return [Fault(where, TELEMETRY, f"tables of version {version}", allowed)]
            broken = _pages(db)
            db.execute("SELECT count(*) FROM mark").fetchone()
    except sqlite3.Error as cause:
        broken = str(cause)
    return [] if broken is None else [Fault(where, TELEMETRY, broken, "a database that is whole")]


def notices(path: Path, where: str) -> list[Fault]:
    """Look through the notices."""
    try:
        with _opened(path) as db:
            broken = _pages(db)
            db.execute("SELECT count(*) FROM posting").fetchone()
    except sqlite3.Error as cause:
        broken = str(cause)
    return [] if broken is None else [Fault(where, NOTICES, broken, "a database that is whole")]


def _opened(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def _pages(db: sqlite3.Connection) -> str | None:
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return None if said == "ok" else str(said)


def _schemas() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return sorted(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())
