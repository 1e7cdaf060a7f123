"""What a hub opens at its start: its data folder, the journal, the telemetry store, its key; and why it may not."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.checkpoint import NAME, Checkpoint, read
from hub.core.desk import RULES_VERSION
from hub.core.registry import Registry
from hub.journal import Journal
from hub.mark import SUFFIX
from hub.measures.places import Places
from hub.orders import load_key, make_key
from hub.past import JournalDamaged, JournalError, sqlite_path
from hub.settings import Settings
from hub.store.beside import Beside
from hub.store.influx import InfluxStore
from hub.store.port import StoreError, TelemetryStore
from hub.store.server import InfluxServer
from hub.store.sqlite import SqliteStore
from hub.store.table import StoreKind, access
from protocol import lock
from protocol.faults import Fault, Refused

T = TypeVar("T")
TELEMETRY = "telemetry.db"
"""The embedded store; or what a server's store keeps here: marks, the newest of each point, the write under way."""
SIDE_FILES = ("-wal", "-shm", "-journal", SUFFIX)
"""What may stand beside an SQLite file and belongs to it; a file without its own, or with another's, is damaged."""


def held(settings: Settings) -> lock.Held:
    """The data folder, ours alone. Raises Refused while another hub runs on it."""
    folder = settings.hub.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # notes and names are in it
    if (found := lock.take(folder)) is None:
        raise Refused([Fault("hub", "hub.data_dir", f"{folder}, on which another hub runs", "a folder of its own")])
    return found


def key(settings: Settings) -> Ed25519PrivateKey:
    """The signing key; made where there is none. Raises Refused."""
    path = settings.key_path
    if path.exists():
        return load_key(path)
    structlog.get_logger("hub").warning(
        "made a new signing key: gateways obey it once they are given its public half", path=str(path)
    )
    return make_key(path)


def journal(settings: Settings, config: str) -> Journal:
    """The journal, opened. Raises JournalError."""
    return Journal(settings.journal_url, config=config, rules=RULES_VERSION, busy_ms=settings.journal.busy_ms)


@contextlib.contextmanager
def readable(settings: Settings) -> Iterator[None]:
    """A journal that cannot be opened or read to its end is refused by its name, with what to do about it."""
    try:
        yield
    except JournalError as cause:
        path = sqlite_path(settings.journal_url)
        allowed = "a database this hub may read and write"
        if isinstance(cause, JournalDamaged):
            allowed = "a journal that is whole: keep this one, and put back a backup (lianfang restore, operating.md)"
            if path is not None and path.with_name(path.name + SUFFIX).exists():
                allowed += f"; to go on with what is left of it instead, remove {path.name}{SUFFIX}"
        fault = Fault("hub", "journal", f"{path or settings.journal_url}: {cause}", allowed)
        raise Refused([fault]) from cause


def checkpoint(settings: Settings) -> Checkpoint | None:
    """The checkpoint, if there is one that can be read; it is a short cut, and going without takes only longer."""
    try:
        return read(settings.hub.data_dir / NAME)
    except (OSError, ValueError) as cause:
        structlog.get_logger("hub").warning("the checkpoint cannot be read", why=str(cause))
        return None


def store(settings: Settings, registry: Registry, wall_ms: Callable[[], int]) -> TelemetryStore:
    """The telemetry store; `registry` says where gateways are, `wall_ms` the hub's time. Raises Refused."""
    table, folder = settings.telemetry, settings.hub.data_dir
    if table.store is StoreKind.SQLITE:
        return _whole(folder / TELEMETRY, partial(SqliteStore, kept=table.kept))
    reached = access(table)
    server = InfluxServer
    if table.store is StoreKind.INFLUXDB2:
        from hub.store.bucket import BucketServer  # here: its library takes a third of a second to import

        server = BucketServer
    beside = _whole(folder / TELEMETRY, Beside)
    places = Places(registry)
    return InfluxStore(server(reached), beside, places, wall_ms, kept=table.kept, write_only=table.write_only)


def _whole(path: Path, opened: Callable[[Path], T]) -> T:
    """A database of telemetry. A damaged one is put aside: it must keep no alarm from being taken. Raises Refused."""
    try:
        try:
            return opened(path)
        except StoreError as cause:
            if type(cause.__cause__) is not sqlite3.DatabaseError:
                raise
            kept = put_aside(path, "damaged")
            structlog.get_logger("hub").error("telemetry is damaged and was put aside", why=str(cause), kept=str(kept))
            return opened(path)
    except (StoreError, OSError) as cause:
        raise Refused([Fault("hub", "hub.data_dir", f"{path}: {cause}", "a folder this hub may write to")]) from cause


def put_aside(path: Path, why: str) -> Path:
    """Rename a database and what belongs to it, so that it can still be looked into; where it is now."""
    kept = path.with_name(f"{path.name}.{why}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
    for suffix in ("", *SIDE_FILES):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + suffix))
    return kept
