"""A start from a checkpoint ends where a start from the first entry does, and never takes a checkpoint that lies."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.checkpoint import NAME, pack, read, unpack
from hub.checkpointing import Checkpointing, Task, make
from hub.core.acts import Disposition, Move, Moved
from hub.core.heard import Linked
from hub.rebuild import checkpoint, rebuild
from tests.contract.test_journal_rebuild import DAY_ONE_MS, accept, desk, first, opened, press, work
from tests.support.wait import until


def lived(folder: Path) -> None:
    """A journal of two presses, a loss of link, and what an operator did, with the checkpoint made in between."""
    at_work = desk(folder)
    with opened(folder) as journal:
        work(at_work, journal, lambda _: press(1, "h1", "gw-1"), lambda _: press(2, "h2", "gw-1"), accept)
        make(task(folder))
        work(
            at_work,
            journal,
            lambda _: Linked("town", "gw-2", False, DAY_ONE_MS),
            lambda d: Moved("town", first(d), Move.RESOLVE, "p-1", disposition=Disposition.GENUINE),
            lambda _: press(3, "h1", "gw-1"),
        )


def task(folder: Path) -> Task:
    digest, out = desk(folder).config_digest, str(folder / NAME)
    return Task(f"sqlite:///{folder / 'journal.db'}", str(folder / "registry.toml"), None, digest, out)


def test_a_checkpoint_and_the_rest_give_what_the_whole_journal_gives(tmp_path: Path) -> None:
    """The desk byte for byte, the ends of the chains, and what the records looked like."""
    lived(tmp_path)
    whole, short = desk(tmp_path), desk(tmp_path)
    with opened(tmp_path) as journal:
        all_of_it = rebuild(whole, journal)
        rest = rebuild(short, journal, read(tmp_path / NAME))
    assert (0, 6, 3, 3) == (all_of_it.skipped, all_of_it.entries, rest.skipped, rest.entries)
    assert checkpoint(whole, all_of_it) == checkpoint(short, rest)


def test_a_checkpoint_of_another_journal_is_left_aside(tmp_path: Path) -> None:
    """A backup put back holds other entries under the same numbers; all of them are folded."""
    for name, premises in (("one", "h1"), ("two", "h2")):
        (tmp_path / name).mkdir()
        with opened(tmp_path / name) as journal:
            work(desk(tmp_path / name), journal, lambda _, who=premises: press(1, who, "gw-1"))  # type: ignore[misc]
    make(task(tmp_path / "one"))
    with opened(tmp_path / "two") as journal, capture_logs() as logs:
        found = rebuild(desk(tmp_path / "two"), journal, read(tmp_path / "one" / NAME))
    assert (0, 1) == (found.skipped, found.entries)
    assert "entry 1 of the journal is another" in [line.get("why") for line in logs]


@pytest.mark.parametrize("change", ["config", "rules"])
def test_a_checkpoint_folded_under_something_else_is_left_aside(tmp_path: Path, change: str) -> None:
    """What other rules or another registry made of the entries is not what these would."""
    lived(tmp_path)
    made = read(tmp_path / NAME)
    assert made is not None
    fields = {field: getattr(made, field) for field in made.__struct_fields__} | {change: "other"}
    with opened(tmp_path) as journal:
        found = rebuild(desk(tmp_path), journal, type(made)(**fields))
    assert (0, 6) == (found.skipped, found.entries)


def test_what_is_no_checkpoint_says_so(tmp_path: Path) -> None:
    """Cut short or of another kind: an error that its reader can take."""
    lived(tmp_path)
    data = (tmp_path / NAME).read_bytes()
    assert data == pack(unpack(data))
    for broken in (b"", data[:-9], b"?" + data[1:]):
        with pytest.raises(ValueError, match="no checkpoint"):
            unpack(broken)


def test_a_changed_registry_makes_no_checkpoint_for_the_running_hub(tmp_path: Path) -> None:
    """The process reads the files anew; what it would fold is not what the hub has."""
    lived(tmp_path)
    made = read(tmp_path / NAME)
    other = task(tmp_path)
    with pytest.raises(ValueError, match="since the hub started"):
        make(Task(other.url, other.registry, None, "0" * 64, other.out))
    assert made == read(tmp_path / NAME)


async def test_a_running_hub_has_its_checkpoints_made(tmp_path: Path) -> None:
    """A process of its own makes one as soon as enough was written."""
    at_work = desk(tmp_path)
    with opened(tmp_path) as journal:
        work(at_work, journal, lambda _: press(1, "h1", "gw-1"), lambda _: press(2, "h2", "gw-1"))
        making = asyncio.create_task(Checkpointing(lambda: task(tmp_path), journal, 0, every=2).run())
        await until((tmp_path / NAME).exists, limit_s=60.0)
        making.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await making
        found = rebuild(desk(tmp_path), journal, read(tmp_path / NAME))
    assert (2, 0) == (found.skipped, found.entries)
