"""What is told to one person over one channel, how it fares, and what a channel may answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from protocol.kinds import Priority

WATCH = "watch/"
"""How the part begins that an alert from outside is told as."""


class Sort(StrEnum):
    """What is told: a page of an incident, its end, a P1 that waits for the journal, trouble of the hub, a test."""

    PAGE = "page"
    STAND_DOWN = "stand_down"
    WAITING = "waiting"
    TROUBLE = "trouble"
    TROUBLE_OVER = "trouble_over"
    TEST = "test"


class State(StrEnum):
    """How a posting fares. `sent`: the channel took it; only a delivery report makes it `delivered`, `failed` or
    `unknown`. `dropped`: a full queue's victim. `withdrawn`: over before it left. `drill`: came as far as its channel,
    which lets no drill out."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"
    DRILL = "drill"


TOLD = frozenset({State.SENT, State.DELIVERED, State.UNKNOWN})
"""Somebody heard of it, as far as one can know."""


class Posting(msgspec.Struct, frozen=True, omit_defaults=True):
    """One notice to one recipient over one channel, by ids alone. Times are hub wall ms.

    `to` is a contact's id, or the place's own where the channel reaches a room; `of` is the premises, station or centre
    it is for. `count` pages became this one; `presses` are those of the incident when it was last paged; `why` is the
    named reason, `detail` what came of it in words; `theirs` is what the far end calls it.
    """

    id: str
    area: str
    incident: str
    sort: Sort
    rung: str
    channel: str
    to: str
    of: str
    priority: Priority
    why: str
    at_ms: int
    changed_ms: int
    count: int = 1
    presses: int = 0
    state: State = State.WAITING
    tries: int = 0
    detail: str = ""
    theirs: str = ""
    drill: bool = False

    @property
    def key(self) -> str:
        """What the far end tells repeats by: the same for every try of the same words."""
        return f"{self.id}-{self.count}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel carries. `id` is the key by which the far end knows a repeat; a representation shows nobody.

    `to` is the recipient's id, `phone` in E.164 ("" for a room); `at_ms` hub wall ms. A `drill` is made ready to the
    last byte, and no channel lets it out.
    """

    id: str
    to: str
    sort: Sort
    priority: Priority
    title: str = field(repr=False)
    text: str = field(repr=False)
    phone: str = field(repr=False)
    name: str = field(repr=False)
    area: str = ""
    incident: str = ""
    rung: str = ""
    at_ms: int = 0
    link: str = field(default="", repr=False)
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The far end took it; `theirs` is its own name for it, "" where it gives none."""

    theirs: str = ""


@dataclass(frozen=True, slots=True)
class TryLater:
    """It may come through later; `after_s` where the far end asked for so many seconds."""

    after_s: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Trying again cannot help."""

    why: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """It is a drill: made ready, and not let out."""


Outcome: TypeAlias = Sent | TryLater | Refused | Withheld


class Channel(Protocol):
    """A way to people outside."""

    async def send(self, notice: Notice) -> Outcome:
        """Hand one notice over. Expected trouble is a value; `why` names neither a person nor a secret. A drill is
        `Withheld` where the next step would be the far end."""

    async def close(self) -> None:
        """Let go of connections."""
