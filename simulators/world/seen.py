"""What an onlooker writes down: causes, records, counts, and promises broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edge.core.site import ZoneKind
from protocol.records import Event
from simulators.world.village import House

TRAVEL_MS = 45_000
"""How long a message can be under way at most, held by two lines that both ends still believe in."""
EARLY_MS = 1_500


class Violation(NamedTuple):
    """A promise broken: which check saw it, when, at which step, and what."""

    check: str
    at_ms: int
    step: int
    text: str

    def __str__(self) -> str:
        return f"{self.check} at {self.at_ms / 1000:.3f} s, step {self.step}: {self.text}"


@dataclass(slots=True)
class Cause:
    """One activation of a wire. `sure` once somebody looked for long enough while it lasted; `consoled` where a lamp
    that said "somebody is coming" ended it, which says so of the call before too."""

    number: int
    kind: ZoneKind
    house: House
    zone: str
    start_ms: int
    end_ms: int | None = None
    seen_ms: int | None = None
    sure: bool = False
    first: bool = True
    bounced: bool = False
    consoled: bool = False


class Made(NamedTuple):
    """A record as it was made, with the true time of what it tells."""

    event: Event
    true_ms: int
    made_ms: int
    cause: int | None


class Loss(NamedTuple):
    """A gateway told as lost: when a word of its own truly last came to a hub, from when it is said to be silent, and
    when the journal had that (hub wall ms)."""

    gateway: str
    heard_ms: int
    said_ms: int
    known_ms: int


@dataclass
class Counts:
    """What a run had in it."""

    causes: int = 0
    records: int = 0
    commits: int = 0
    entries: int = 0
    receipts: int = 0
    faults: int = 0
    readings: int = 0
    orders: int = 0
    incidents: int = 0
    restarts: int = 0
