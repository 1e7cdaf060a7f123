"""Points that no store will have: told, counted, and the last of them remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

KEPT_MAX = 100
"""Refused lines that are remembered; of more the oldest goes. Their count stays."""
QUOTED_MAX = 300


class RefusedLine(msgspec.Struct, frozen=True):
    """A line that no server will have: when that was (hub wall ms), why, and its beginning."""

    at_ms: int
    why: str
    line: str


class RefusedLines:
    """What was refused since the hub began, for the log, the metrics and the API. `told` hears of each."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: deque[RefusedLine] = deque(maxlen=KEPT_MAX)
        self.told: Callable[[RefusedLine], None] = lambda line: None

    def add(self, at_ms: int, why: str, line: bytes) -> None:
        """One more."""
        found = RefusedLine(at_ms, why[:QUOTED_MAX], line[:QUOTED_MAX].decode(errors="replace"))
        self.count += 1
        self.kept.append(found)
        self.told(found)
