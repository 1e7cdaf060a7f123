"""What became of notices, counted by channel from the hub's own file of them while the hub may go on writing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from hub.notify.notice import State

KNOWN = frozenset(State) - {State.DRILL}


def counted(path: Path, area: str, start_ms: int, end_ms: int) -> dict[str, Counter[State]] | None:
    """Notices of an area in [start, end) by channel and state, drills apart; None where there is no such file, or what
    is in it cannot be read."""
    if not path.exists():
        return None
    wanted = (
        "SELECT channel, state, COUNT(*) FROM posting "
        "WHERE area = ? AND at_ms >= ? AND at_ms < ? "
        "AND NOT COALESCE(json_extract(CAST(body AS TEXT), '$.drill'), 0) GROUP BY channel, state"
    )
    found: dict[str, Counter[State]] = {}
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)) as file:
            for channel, state, count in file.execute(wanted, (area, start_ms, end_ms)):
                if state in KNOWN:
                    found.setdefault(channel, Counter())[State(state)] += count
    except sqlite3.Error:
        return None
    return found
