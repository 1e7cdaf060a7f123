"""Records: what a gateway observed. Immutable once made; identity is (gateway, instance, lane, seq).

Times of a record are never rewritten: `mono_ns` counts in the gateway's kernel boot `kboot`, `wall_ms` is what its
clock said then and `quality` how far to trust it. How old a record is when sent stands in the message, not here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.ids import ID_ALLOWED
from protocol.kinds import Kind, Priority, Qualifier

INT64_MAX = 2**63 - 1
WALL_MS_MAX = 9_223_372_036_854
"""The last ms that 64-bit ns reach."""
TEXT_MAX = 512

# `$` alone lets a trailing newline pass in Python's regular expressions; the rest of the pattern does not.
Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)", description=ID_ALLOWED)]
Seq = Annotated[int, Meta(ge=1, le=INT64_MAX)]
NonNegative = Annotated[int, Meta(ge=0, le=INT64_MAX)]
Int64 = Annotated[int, Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
WallMs = Annotated[int, Meta(ge=0, le=WALL_MS_MAX, description="ms since 1970 UTC, up to 2262 (64-bit ns)")]
AgeMs = Annotated[int, Meta(ge=0, le=315_360_000_000, description="ms by the monotonic clock, up to ten years")]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
PointName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_./-]{0,127}$(?!\n)")]


class Lane(StrEnum):
    """Two lanes with separate sequences, queues, budgets and connections."""

    ALARM = "alarm"
    TELEMETRY = "telemetry"


class ClockQuality(StrEnum):
    """How far a wall time is to be trusted."""

    SYNCED = "synced"
    HOLDOVER = "holdover"
    UNSET = "unset"


class Condition(StrEnum):
    """A zone's condition; unknown is never normal."""

    NORMAL = "normal"
    ALARM = "alarm"
    TAMPER = "tamper"
    FAULT = "fault"
    UNKNOWN = "unknown"


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """When: monotonic ns of this kernel boot, wall ms since 1970 UTC, and the clock's quality."""

    mono_ns: NonNegative
    wall_ms: WallMs
    quality: ClockQuality


class Event(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One alarm-lane record.

    `key` names the cause: presses and trips the gateway already knows to be one cause share it, and the hub's commands
    carry it back, so that nothing rings twice. `count`, `first` and `at` tell of coalesced repeats.
    """

    seq: Seq
    kind: Kind
    qualifier: Qualifier
    priority: Priority
    at: Stamp
    key: Id
    premises: Id | None = None
    zone: Id | None = None
    group: Id | None = None
    count: Seq = 1
    first: Stamp | None = None
    drill: bool = False
    detail: dict[Name, Text | Int64 | float | bool] = {}


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """One telemetry-lane record: a point of the gateway and its value (a zone's condition as a string)."""

    seq: Seq
    point: PointName
    value: bool | Int64 | float | Text
    at: Stamp


class Gap(msgspec.Struct, frozen=True):
    """Sequences `first` to `last` of a lane were given up by the gateway, with the reason; the loss is itself told."""

    first: Seq
    last: Seq
    reason: Text

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"a gap runs upwards, not from {self.first} to {self.last}")
