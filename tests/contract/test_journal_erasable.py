"""What may be erased is kept in bounds in memory, and named again only while it is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import hub.erasable
from hub.core.acts import Move, Moved
from hub.erasable import Erasable
from hub.journal import Draft, Journal, Note


async def test_reading_old_incidents_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many incidents' texts are looked up, a bounded number stays, those read last among them."""
    monkeypatch.setattr(hub.erasable, "TEXTS_MAX", 10)
    notes = [Note("a", f"i-{at}", f"text {at}") for at in range(50)]
    with (
        Journal(f"sqlite:///{tmp_path / 'journal.db'}", config="c" * 64, rules="1") as journal,
        ThreadPoolExecutor(1) as writer,
    ):
        journal.append(
            [Draft("a", at, Moved("a", one.incident, Move.NOTE, "p-1"), (one,)) for at, one in enumerate(notes)]
        )
        erasable = Erasable(journal, writer)
        for one in notes:
            await erasable.recall(one.incident)
        kept = [one.text for one in notes if one.hash in erasable._texts]
        assert [f"text {at}" for at in range(40, 50)] == kept


async def test_an_erased_person_is_an_alias_to_the_next_hub(tmp_path: Path) -> None:
    """Who somebody was is not known after the erasure, and somebody of that name gets another alias."""
    with (
        Journal(f"sqlite:///{tmp_path / 'journal.db'}", config="c" * 64, rules="1") as journal,
        ThreadPoolExecutor(1) as writer,
    ):
        before = await Erasable(journal, writer).alias("wang")
        assert "accept by wang" == Erasable(journal, writer).words(f"accept by {before}")
        journal.erase_person("wang")
        after = Erasable(journal, writer)
        assert f"accept by {before}" == after.words(f"accept by {before}")
        assert before != await after.alias("wang")
