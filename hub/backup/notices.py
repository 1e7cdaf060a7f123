"""What was told of before a backup is not told of again after its restore."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.notify.notice import Posting, State

WHY = "restored from a backup: it may have left since"


def settle(journal: Path, notices: Path | None) -> int:
    """Withdraw what waited to leave when the backup was made, and forget the pages the journal keeps for a start; what
    is still open climbs by its own limits. How many notices were withdrawn. Raises sqlite3.Error, msgspec errors.
    """
    with contextlib.closing(sqlite3.connect(journal)) as db, db:
        db.execute("DELETE FROM page")
    if notices is None:
        return 0
    with contextlib.closing(sqlite3.connect(notices)) as db, db:
        waiting = db.execute("SELECT body FROM posting WHERE state = ?", (State.WAITING.value,)).fetchall()
        for (body,) in waiting:
            now = replace(msgspec.json.decode(body, type=Posting), state=State.WITHDRAWN, detail=WHY)
            row = (now.state.value, msgspec.json.encode(now), now.id)
            db.execute("UPDATE posting SET state = ?, body = ? WHERE id = ?", row)
    return len(waiting)
