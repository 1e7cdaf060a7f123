"""A lane's records as delivery sees them, the bounds of a lane, and what goes into one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from edge.core.gaps import Lost

NS = 1_000_000
STORE_MS = 100
"""How long after it happened a new alarm record waits for the disk's word before it is sent all the same. Were it sent
and not stored when the power goes, the next process would find the button held and tell of the same press anew."""
Key: TypeAlias = tuple[str, int]


class State(IntEnum):
    """Where a record stands; see edge.core.delivery."""

    READY = 0
    FLYING = 1
    COOLING = 2
    GONE = 3


@dataclass(slots=True, eq=False)
class Entry:
    """One record of a lane: who made it, its bytes, and where it stands in delivery.

    `mono_ns` counts in kernel boot `kboot`. `same` names what it repeats (kind and zone) where repeats may coalesce.
    """

    instance: str
    boot: int
    kboot: str
    seq: int
    priority: int
    mono_ns: int
    data: bytes
    same: str | None = None
    state: State = State.READY
    sends: int = 0
    until_ns: int = 0
    ticket: int = 0

    @property
    def key(self) -> Key:
        return self.instance, self.seq

    @property
    def size(self) -> int:
        """Bytes it takes of the lane's budget, with an allowance for its row and its place in memory."""
        return len(self.data) + 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one lane. Times in ms, sizes in bytes; `reserved` of the bounds is kept for P1 and P2.

    `extra_max` P1 records may be held beyond the bounds, in memory alone.
    """

    records_max: int
    bytes_max: int
    reserved: float = 0.0
    extra_max: int = 0
    credit_first: int = 64
    silence_ms: int = 4_000
    backoff_ms: int = 1_000
    backoff_max_ms: int = 30_000
    probe_ms: int = 20_000


ALARM = Limits(records_max=20_000, bytes_max=8 * 1024 * 1024, reserved=0.25, extra_max=1_000)
TELEMETRY = Limits(
    records_max=50_000, bytes_max=16 * 1024 * 1024, credit_first=500, silence_ms=15_000, backoff_max_ms=120_000
)


class Batch(NamedTuple):
    """What goes into one message: records of one instance, and gaps of that instance."""

    instance: str
    boot: int
    kboot: str
    entries: list[Entry]
    gaps: list[Lost]


@dataclass(slots=True)
class Offered:
    """What became of a record offered: whether it is to be stored, what had to go for it, and whether all is full."""

    stored: bool = True
    dropped: list[Entry] = field(default_factory=list)
    full: bool = False
