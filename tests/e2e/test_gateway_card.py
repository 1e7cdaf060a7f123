"""The gateway's program on a card that fails, as an installer meets it: full, held, read-only, emptied, ruined, old."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from protocol.kinds import Kind, Qualifier
from protocol.records import Event
from simulators.broker import Broker
from tests.e2e.test_gateway import Village, village
from tests.support.wait import until

FAST_NS = 450_000_000
"""A lamp that says "stored" changes every 500 ms, never sooner; one that says "pressed" every 125 ms."""


def db(here: Village) -> Path:
    return here.folder / "data" / "alarm.db"


def stored(here: Village) -> list[tuple[str, int]]:
    """What the outbox's file has, as anybody reads it."""
    with contextlib.closing(sqlite3.connect(f"file:{db(here)}?mode=ro", uri=True)) as file:
        rows = "SELECT name, seq FROM record JOIN instance ON instance = id"
        try:
            return list(file.execute(rows))
        except sqlite3.OperationalError:  # there is no table yet, or it is being written
            return []


def panics(here: Village) -> list[tuple[str, int]]:
    """The presses that reached the hub, by their names."""
    return [name for name, event in here.hub.events.items() if event.kind is Kind.PANIC]


def faults(here: Village, name: str) -> list[Qualifier]:
    """What the hub was told of a fault of the gateway's own."""
    told: list[Event] = [event for event in here.hub.events.values() if event.detail.get("fault") == name]
    return [event.qualifier for event in sorted(told, key=lambda event: event.seq)]


def blinks_fast(here: Village) -> bool:
    """Whether the lamp has shown, since it was lit, that the press is not stored."""
    moves = [move.at_ns for move in here.lines.transitions("lamp_01")]
    return any(after - before < FAST_NS for before, after in pairwise(moves))


@contextlib.contextmanager
def full(here: Village) -> Iterator[None]:
    """No file of the gateway's grows by a byte."""
    assert here.child is not None
    pid = here.child.process.pid
    size = max(path.stat().st_size for path in db(here).parent.glob("alarm.db*") if not path.name.endswith("-shm"))
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def held(here: Village) -> Iterator[None]:
    """The card hangs: nothing is written, and nothing fails for seconds."""
    with contextlib.closing(sqlite3.connect(db(here), isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("means", [full, held])
async def test_press_on_a_card_that_takes_nothing(
    broker: Broker, tmp_path: Path, means: Callable[[Village], contextlib.AbstractContextManager[None]]
) -> None:
    """It rings and reaches the hub from memory, the lamp does not say "stored", the fault is told; with the card well
    again the fault ends by itself and the press, that nobody receipted, is on it."""
    async with village(broker, tmp_path) as here:
        await until(lambda: here.kinds() or stored(here) == [])
        with means(here):
            here.hub.receipting = False
            await here.lines.press("press_01")
            await here.lines.until("siren_02", True)
            await until(lambda: panics(here))
            await until(lambda: blinks_fast(here))
            await until(lambda: faults(here, "disk_alarm") == [Qualifier.NEW], 40)
            assert panics(here)[0] not in stored(here)
        await until(lambda: panics(here)[0] in stored(here), 40)
        here.hub.receipting = True
        await until(lambda: faults(here, "disk_alarm") == [Qualifier.NEW, Qualifier.RESTORE], 40)
        assert (here.hub.conflicts, len(panics(here))) == (0, 1)


@pytest.fixture
def plain_user() -> tuple[str, ...]:
    """What makes a file's mode count for the gateway even where root runs the tests."""
    if os.geteuid():
        return ()
    assert shutil.which("setpriv"), "root writes to any file, and setpriv (util-linux) is not here to prevent it"
    return ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")


async def test_gateway_on_a_read_only_card(broker: Broker, tmp_path: Path, plain_user: tuple[str, ...]) -> None:
    """It starts, rings and tells its hub from memory, and says what the matter is; as the card can be written again
    everything that waits goes onto it."""
    async with village(broker, tmp_path) as here:
        assert here.child is not None
        await here.child.stop()
        folder = db(here).parent
        mode(folder, 0o555, 0o444)
        here.wrap = plain_user
        here.hub.receipting = False
        try:
            await here.start()
            await here.lines.press("press_01")
            await here.lines.until("siren_02", True)
            await until(lambda: panics(here))
            await until(lambda: faults(here, "disk_alarm") == [Qualifier.NEW])
            assert stored(here) == []
        finally:
            mode(folder, 0o755, 0o644)
        await until(lambda: panics(here)[0] in stored(here), 40)
        assert here.hub.conflicts == 0


def mode(folder: Path, of_folder: int, of_files: int) -> None:
    for path in folder.iterdir():
        path.chmod(of_files)
    folder.chmod(of_folder)


async def test_data_folder_emptied_under_a_running_gateway(broker: Broker, tmp_path: Path) -> None:
    """What SQLite would write on nobody would ever read: a new file is begun, the loss is told, the press is in it."""
    async with village(broker, tmp_path) as here:
        here.hub.receipting = False
        for path in db(here).parent.glob("*.db*"):
            path.unlink()
        await here.lines.press("press_01")
        await here.lines.until("siren_02", True)
        await until(lambda: panics(here) and db(here).exists() and panics(here)[0] in stored(here), 40)
        await until(lambda: Kind.RECORDS_LOST in here.kinds())


@pytest.mark.parametrize("how", ["emptied", "ruined", "rolled back"])
async def test_press_after_the_card_was_tampered_with(broker: Broker, tmp_path: Path, how: str) -> None:
    """The next process has a name of its own, so nothing collides whatever its boot number is: what was resent is a
    duplicate, and each press, before and after, is its own record."""
    async with village(broker, tmp_path) as here:
        assert here.child is not None
        here.hub.receipting = False
        await here.lines.press("press_01")
        await until(lambda: panics(here) and panics(here)[0] in stored(here))
        folder, old = db(here).parent, tmp_path / "old"
        await here.child.kill()
        shutil.copytree(folder, old)
        here.hub.receipting = True
        await here.start()
        await until(lambda: panics(here)[0] not in stored(here))  # receipted, and forgotten
        await here.child.kill()
        if how == "ruined":
            for path in folder.glob("alarm.db*"):  # with a whole -wal beside it SQLite would mend it
                path.write_bytes(b"not a database" * 400)
        else:
            shutil.rmtree(folder)
            if how == "rolled back":
                shutil.copytree(old, folder)
        first = panics(here)[0]
        await here.start()
        await here.lines.press("press_02")
        await here.lines.until("siren_01", True)
        await until(lambda: len(panics(here)) == 2)
        await until(lambda: stored(here) == [])
        assert (here.hub.conflicts, panics(here)[0], len(here.hub.births)) == (0, first, 3)
        assert len({birth.instance for birth in here.hub.births}) == 3
        if how == "ruined":
            await until(lambda: Kind.RECORDS_LOST in here.kinds())
