"""What must be done once a batch is committed; the shell performs it. All times are hub wall ms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from hub.core.acts import Answered
from hub.core.load import Flooded
from hub.core.trials import Drilled
from protocol.kinds import Kind
from protocol.messages import Action


@dataclass(frozen=True, slots=True)
class Send:
    """Send an order to a gateway; the shell adds nothing but the signature. Order ids are made by the desk."""

    area: str
    gateway: str
    order: str
    action: Action
    issued_ms: int
    expires_ms: int
    premises: tuple[str, ...] = ()
    incident: str | None = None
    keys: tuple[str, ...] = ()
    pressed: str | None = None
    kind: Kind | None = None
    duration_ms: int = 0
    drill: bool = False
    mode: Literal["armed_home", "armed_away"] | None = None
    zone: str | None = None
    force: bool = False


class Rung(StrEnum):
    """The four rungs of escalation, in order."""

    GROUP = "group"
    STATION = "station"
    TOWN = "town"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Page:
    """Tell the operators of a rung; `why` is a named reason ("raised", "pressed again", "not accepted in 60 s").

    `premises`: of a group these alone, whether they were told before or not; without, all who are called, each once.
    """

    area: str
    incident: str
    rung: Rung
    why: str
    premises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """The incident looks different now; the live stream and the projections take its present view."""

    area: str
    incident: str
    what: str


class Milestone(StrEnum):
    """What neighbours are measured by: the first siren that rings at another member, the first who says "going"."""

    RINGING = "ringing"
    GOING = "going"


@dataclass(frozen=True, slots=True)
class Reached:
    """An incident came to a milestone, `after_ms` after its event."""

    area: str
    incident: str
    milestone: Milestone
    after_ms: int
    drill: bool = False


@dataclass(frozen=True, slots=True)
class StoodDown:
    """It is over: word to everyone who was called, by every way they were called (sirens have orders of their own)."""

    area: str
    incident: str
    premises: tuple[str, ...]
    why: str
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """What came from one area is another's matter too: `taken` is stepped in the same batch, as an input of its own."""

    taken: Answered


Effect: TypeAlias = Send | Page | Changed | Reached | StoodDown | Flooded | Drilled | Handed
