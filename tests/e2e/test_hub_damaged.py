"""A hub whose journal is not what it wrote: it says so by the file's name, and begins no empty one over it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.core.heard import Linked
from hub.journal import Draft, Journal
from hub.mark import Mark
from hub.past import JournalDamaged, verify
from simulators.broker import Broker
from tests.support.centre import gateway, running, write_config

ENTRIES = 600


def _filled(folder: Path) -> Path:
    """The files of a hub that was killed: entries in the database and in its -wal."""
    made = folder / "made"
    made.mkdir()
    with Journal(f"sqlite:///{made / 'journal.db'}", config="c" * 64, rules="1") as journal:
        for at in range(0, ENTRIES, 100):
            journal.append([Draft("town", 1_000 + n, Linked("town", "gw-1", n % 2 == 0, n)) for n in range(100)])
            if at == 300:
                with contextlib.closing(sqlite3.connect(made / "journal.db")) as db:
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        data = folder / "data"
        shutil.copytree(made, data)
    return data / "journal.db"


def _page(path: Path) -> None:
    """A page of the entries' tree that is no page, after a clean end."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096)


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(4096 * 10 + 100)
    path.with_name("journal.db-wal").unlink()


def _no_wal(path: Path) -> None:
    path.with_name("journal.db-wal").unlink()
    path.with_name("journal.db-shm").unlink()


def _gone(path: Path) -> None:
    _no_wal(path)
    path.unlink()


def _empty(path: Path) -> None:
    _no_wal(path)
    path.write_bytes(b"")


def _other(path: Path) -> None:
    _no_wal(path)
    path.write_bytes(b"no journal" * 1000)


def _older(path: Path) -> None:
    """Somebody put a copy of another day in its place."""
    _gone(path)
    with Journal(f"sqlite:///{path.parent / 'other.db'}", config="c" * 64, rules="1") as journal:
        journal.append([Draft("town", 1, Linked("town", "gw-1", True, 1))])
    (path.parent / "other.db").rename(path)


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a malformed page": (_page, "malformed"),
    "a file cut short": (_cut, "malformed"),
    "no SQLite file": (_other, "not a database"),
    "its -wal is missing": (_no_wal, f"entry {ENTRIES} as it was committed is not among them"),
    "the file is gone": (_gone, f"{ENTRIES} entries were committed here, and the file is gone"),
    "the file is empty": (_empty, f"{ENTRIES} entries were committed here, and the file is empty"),
    "an older copy in its place": (_older, "it holds 1 entries"),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_a_damaged_journal_is_named_and_left_alone(what: str, tmp_path: Path) -> None:
    """The hub exits with 2, names the file and the way back without a traceback, and changes no byte of it."""
    config = write_config(tmp_path)
    path = _filled(tmp_path)
    damage, words = DAMAGE[what]
    damage(path)
    before = path.read_bytes() if path.exists() else None
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lianfang", "hub", "run", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await child.communicate()
    said = err.decode()
    assert (2, False) == (child.returncode, "Traceback" in said), said
    assert all(part in said for part in (str(path), words, "lianfang restore")), said
    assert before == (path.read_bytes() if path.exists() else None)


async def test_what_is_left_can_be_gone_on_with(tmp_path: Path) -> None:
    """Without the mark, as the error says, a journal that lost its end opens with the entries it has."""
    path = _filled(tmp_path)
    _no_wal(path)
    url = f"sqlite:///{path}"
    with pytest.raises(JournalDamaged):
        Journal(url, config="c" * 64, rules="1")
    path.with_name("journal.db-mark").unlink()
    with Journal(url, config="c" * 64, rules="1") as journal:
        (entry,) = journal.append([Draft("town", 9_000, Linked("town", "gw-1", True, 1))])
    assert 401 == entry.n
    assert (401, entry.hash) == Mark(path).read()
    assert isinstance(verify(url), list)


async def test_damaged_telemetry_keeps_no_alarm_from_being_taken(broker: Broker, tmp_path: Path) -> None:
    """A telemetry file that cannot be read is put aside, whole, and presses are taken from the start."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "telemetry.db").write_bytes(b"no telemetry" * 1000)
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        event = await gw.press()
        await gw.receipted(event.seq)
        (kept,) = [path for path in hub.data.iterdir() if ".damaged-" in path.name]
        assert b"no telemetry" * 1000 == kept.read_bytes()
        assert 0 == hub.parts.store.count()


async def test_two_hubs_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second hub on a data folder is refused while the first runs, and may start after its end."""
    async with running(tmp_path):
        with pytest.raises(Exception, match="another hub runs"):
            async with running(tmp_path):
                pass
    async with running(tmp_path):
        pass
