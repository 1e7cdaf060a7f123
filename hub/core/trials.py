"""Inputs of what is tried on purpose, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from protocol.kinds import Kind


class Proved(msgspec.Struct, frozen=True, tag="proved", omit_defaults=True):
    """What became of the notice of a gateway's proof: how many recipients' notices came as far as the last step before
    the outside, and `why` others did not. How long it took, ms: from the record's arrival to its commit, and from
    there to that step (None: a restart lay between)."""

    area: str
    incident: str
    reached: int = 0
    why: str = ""
    commit_ms: int | None = None
    notice_ms: int | None = None


class DrillPlanned(msgspec.Struct, frozen=True, tag="drill_planned", omit_defaults=True):
    """A drill is planned: as if `kind` happened at these premises, and at the head households of these groups, at
    `at_ms` (hub wall ms; None: now), for at most `lasts_ms`. `drill` is its id, `by` an opaque person id, `why` the
    salted hash of the reason's text."""

    area: str
    drill: str
    kind: Kind
    by: str
    why: str
    premises: list[str] = []
    groups: list[str] = []
    at_ms: int | None = None
    lasts_ms: int = 900_000


class DrillMove(StrEnum):
    """What may be done with a drill that is planned or runs."""

    START = "start"
    END = "end"
    ABORT = "abort"


class DrillMoved(msgspec.Struct, frozen=True, tag="drill_moved"):
    """Somebody starts, ends or breaks off a drill. `by` and `why` as in `DrillPlanned`."""

    area: str
    drill: str
    move: DrillMove
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill came to another state, by people, by its time, or (`reason`) because the real thing broke it off. `state`
    is one of `DrillState`."""

    area: str
    drill: str
    state: str
    reason: str
