"""Another registry is in force: the input that says so, and what the desk keeps of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

Changes: TypeAlias = dict[str, dict[str, int]]
"""How many entries by table and what became of them ("added", "moved", "changed", "gone")."""


class Cause(StrEnum):
    """What made the hub read its registry again: an import, a signal, a request, or its own start."""

    IMPORT = "import"
    SIGNAL = "signal"
    REQUEST = "request"
    START = "start"


class Reloaded(msgspec.Struct, frozen=True, tag="reloaded", omit_defaults=True):
    """From this entry on an area is judged by another registry. `before` and `after` are digests of the whole registry
    (equal: only people changed), `changes` are counts of this area, and `gone` its gateways that are not in it any
    more. `by` is an opaque person id, `why` the salted hash of the reason's text; `state` its number in the history."""

    area: str
    cause: Cause
    by: str
    why: str
    before: str
    after: str
    changes: Changes = {}
    gone: list[str] = []
    state: int = 0


class InForce(msgspec.Struct, frozen=True, omit_defaults=True):
    """By which registry an area is judged, since when (hub wall ms), and who made it so, why."""

    digest: str
    since_ms: int
    cause: Cause
    by: str
    why: str
    changes: Changes = {}
    state: int = 0
