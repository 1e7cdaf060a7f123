"""Databases of a real InfluxDB for one test each, and stores on them."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path

from hub.core.registry import Registry
from hub.measures.places import Places
from hub.store.beside import Beside
from hub.store.influx import InfluxStore
from hub.store.init import init
from hub.store.levels import KEPT, Kept
from hub.store.server import Access, InfluxServer, Server, named


def new_database(url: str, duration: str = "") -> Access:
    """A new database there, that keeps everything, or for `duration` ("30d")."""
    access = Access(url, f"t{secrets.token_hex(6)}")
    server = InfluxServer(access)
    server.query(f"CREATE DATABASE {named(access.database)}{f' WITH DURATION {duration}' if duration else ''}")
    server.close()
    return access


def initiated(url: str) -> Access:
    """A new database there, with the retention policies of a hub."""
    access = new_database(url)
    with contextlib.closing(InfluxServer(access)) as server:
        list(init(server, access.database, KEPT))
    return access


def influx_store(access: Access, path: Path, server: Server | None = None, kept: Kept = KEPT) -> InfluxStore:
    """A store on it, with its marks at `path`."""
    beside, places = Beside(path, busy_ms=20), Places(Registry())
    return InfluxStore(server or InfluxServer(access), beside, places, lambda: time.time_ns() // 1_000_000, kept=kept)
