"""What is noted of windows as points are written costs one wait for the disk, however many there are."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from hub.store.windows import Windows


def test_windows_that_are_touched_together_are_one_transaction(tmp_path: Path) -> None:
    """A snapshot touches dozens; each by itself would wait for the disk."""
    with contextlib.closing(sqlite3.connect(tmp_path / "w.db", isolation_level=None)) as db:
        windows, said = Windows(db), list[str]()
        db.set_trace_callback(said.append)
        windows.touch([(at * 3_600_000, "a", "desk") for at in range(20)])
        assert 1 == said.count("COMMIT")
        assert 40 == len(windows.over(2**62, 1_000))
