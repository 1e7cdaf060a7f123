"""The journal on disk: all or nothing, chained, never rewritten, and forgetful only where it may be."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.chain import GENESIS, Broken, Head, hash_of
from hub.core.acts import Move, Moved
from hub.core.heard import Gapped, Linked
from hub.journal import Alias, Draft, Journal, Note
from hub.past import JournalError, verify


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'journal.db'}"


def opened(folder: Path) -> Journal:
    return Journal(url(folder), config="c" * 64, rules="1", busy_ms=20)


def drafts(*areas: str) -> list[Draft]:
    return [Draft(area, 1_000 + at, Linked(area, "gw", at % 2 == 0, at)) for at, area in enumerate(areas)]


def test_what_was_written_is_read_back_in_order_by_another_process(tmp_path: Path) -> None:
    """Inputs and their times come back as they went in, across a reopening, more than one read batch of them."""
    given = drafts(*["a", "b", "a"] * 500)
    with opened(tmp_path) as journal:
        for at in range(0, len(given), 100):
            journal.append(given[at : at + 100])
    with opened(tmp_path) as journal:
        assert [(one.at_ms, one.taken) for one in given] == list(journal.inputs())
        (entry,) = journal.append(drafts("b"))
        assert (1_501, 501) == (entry.n, entry.area_n)


def test_each_area_has_its_own_chain(tmp_path: Path) -> None:
    """Every entry names the hash of the one before it in its area, the first of an area names none."""
    with opened(tmp_path) as journal:
        a1, b1, a2 = journal.append(drafts("a", "b", "a"))
    assert (GENESIS, GENESIS, a1.hash) == (a1.prev_hash, b1.prev_hash, a2.prev_hash)
    assert all(one.hash == hash_of(one) for one in (a1, b1, a2))
    assert [Head("a", 2, a2.hash), Head("b", 1, b1.hash)] == verify(url(tmp_path))


TAMPERED: dict[str, tuple[str, int, str]] = {
    "a byte of a body": ("UPDATE entry SET body = CAST(replace(body, 'gw', 'gx') AS BLOB) WHERE n = 3", 3, "not those"),
    "a body that is no bytes": ("UPDATE entry SET body = 'text' WHERE n = 3", 3, "not those"),
    "a time": ("UPDATE entry SET at_ms = at_ms + 1 WHERE n = 2", 2, "not those"),
    "the rules it was made under": ("UPDATE entry SET rules = '2' WHERE n = 4", 4, "not those"),
    "an entry taken out": ("DELETE FROM entry WHERE n = 3", 4, "is missing before it"),
    "an area's entry taken out, the rest moved up": (
        "DELETE FROM entry WHERE n = 3; UPDATE entry SET n = n - 1 WHERE n > 3",
        3,
        "not those",
    ),
    "a hash": ("UPDATE entry SET hash = zeroblob(32) WHERE n = 1", 1, "not those"),
    "the hash before": ("UPDATE entry SET prev_hash = zeroblob(32) WHERE n = 5", 5, "does not follow"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found_at_the_first_broken_entry(what: str, tmp_path: Path) -> None:
    """Whatever was changed by hand, verifying names the entry where it first shows, and how."""
    with opened(tmp_path) as journal:
        journal.append(drafts("a", "b", "a", "b", "a", "b"))
    statement, n, why = TAMPERED[what]
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.executescript(f"DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; {statement};")
    found = verify(url(tmp_path))
    assert isinstance(found, Broken)
    assert n == found.n
    assert why in found.why


def test_a_flipped_byte_in_the_file_is_found(tmp_path: Path) -> None:
    """One byte of one entry changed in the file itself, and the walk stops at that entry."""
    with opened(tmp_path) as journal:
        journal.append([Draft("a", at, Gapped("a", "gw", "1" * 32, 1, 2, f"reason-{at:04d}")) for at in range(200)])
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    at = data.index(b"reason-0123")
    data[at] ^= 1
    path.write_bytes(data)
    found = verify(url(tmp_path))
    assert isinstance(found, Broken)
    assert 124 == found.n


@pytest.mark.parametrize("statement", ["UPDATE entry SET at_ms = 0", "DELETE FROM entry"])
def test_the_database_itself_refuses_to_rewrite(statement: str, tmp_path: Path) -> None:
    """An update or delete of entries is refused by the database, by accident or otherwise."""
    with opened(tmp_path) as journal:
        journal.append(drafts("a"))
    db = contextlib.closing(sqlite3.connect(tmp_path / "journal.db"))
    with db as opened_by_hand, pytest.raises(sqlite3.IntegrityError, match="only appended to"):
        opened_by_hand.execute(statement)


def _full(journal: Journal) -> Callable[[], None]:
    """Let the file grow no more; the answer undoes it."""

    def pages(most: int) -> None:
        journal._connection.execute(text(f"PRAGMA max_page_count = {most}"))
        journal._connection.rollback()

    pages(1)  # it cannot be less than what is there
    return lambda: pages(2**30)


def test_a_full_disk_takes_all_or_nothing(tmp_path: Path) -> None:
    """A batch that does not fit is refused whole; with room again the chain goes on as if it had never been tried."""
    with opened(tmp_path) as journal:
        journal.append(drafts("a"))
        room = _full(journal)
        big = [Draft("a", 2, Gapped("a", "gw", "1" * 32, 1, 2, "x" * 512)) for _ in range(200)]
        with pytest.raises(JournalError, match="full"):
            journal.append([*drafts("b"), *big])
        assert 1 == len(list(journal.inputs()))
        room()
        journal.append(drafts("a", "b"))
    heads = verify(url(tmp_path))
    assert isinstance(heads, list)
    assert [2, 1] == [head.area_n for head in heads]


def test_a_probe_learns_of_a_locked_file_and_leaves_nothing(tmp_path: Path) -> None:
    """While another holds the file the probe is refused; afterwards it passes and has written no entry."""
    with opened(tmp_path) as journal:
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="locked"):
                journal.probe()
        journal.probe()
        assert ([], {}) == (list(journal.inputs()), journal.aliases())


def test_texts_and_names_can_be_erased_and_the_chain_stays_whole(tmp_path: Path) -> None:
    """The chain holds salted hashes only; erasing text and person takes both away and breaks nothing."""
    note, who = Note("a", "i-1", "the gate was open"), Alias("wang")
    with opened(tmp_path) as journal:
        journal.name(who)
        moved = Moved("a", "i-1", Move.NOTE, who.alias, note=note.hash)
        (entry,) = journal.append([Draft("a", 1, moved, (note,))])
        assert ({note.hash: "the gate was open"}, {"wang": who.alias}) == (journal.notes("i-1"), journal.aliases())
        assert b"gate" not in entry.body
        assert b"wang" not in entry.body
        assert (1, True) == (journal.erase_notes("i-1"), journal.erase_person("wang"))
        assert ({}, {}) == (journal.notes("i-1"), journal.aliases())
    assert [Head("a", 1, entry.hash)] == verify(url(tmp_path))


def test_the_same_text_twice_has_two_hashes() -> None:
    """A hash in the chain cannot be found by guessing texts: each has a salt of its own."""
    assert Note("a", "i", "yes").hash != Note("a", "i", "yes").hash


def test_a_commit_survives_power_and_readers_do_not_block_it(tmp_path: Path) -> None:
    """The file is in WAL mode and every commit is synced in full."""
    with opened(tmp_path) as journal:
        found = [
            journal._connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
        ]
    assert ["wal", 2] == found


def test_verifying_what_is_not_there_says_so(tmp_path: Path) -> None:
    """No journal is not a whole journal."""
    with pytest.raises(JournalError, match="unable to open"):
        verify(url(tmp_path))
    assert [] == list(tmp_path.iterdir())
