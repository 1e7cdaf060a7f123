"""What goes into the desk's fold and what comes out. Inputs are what the journal keeps; all times are hub wall ms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from hub.core.hold import PutBack, Shelved, TakenOut
from hub.core.load import Flooded
from hub.core.reloaded import Reloaded
from hub.core.trials import Drilled, DrillMoved, DrillPlanned, Proved
from protocol.kinds import Kind
from protocol.messages import Action, Result
from protocol.records import Event


class Recorded(msgspec.Struct, frozen=True, tag="recorded", omit_defaults=True):
    """An alarm record arrived. `age_ms` is its age when it arrived as the gateway stated it; None where unknown.

    `kboot` is the kernel boot its monotonic time counts in; empty in entries of a journal that does not say it yet.
    """

    area: str
    gateway: str
    instance: str
    boot: int
    event: Event
    age_ms: int | None = None
    kboot: str = ""


class Conflicted(msgspec.Struct, frozen=True, tag="conflicted"):
    """A record came with a known identity and other bytes; both are kept, and somebody must look."""

    area: str
    gateway: str
    instance: str
    boot: int
    event: Event
    age_ms: int | None = None
    kboot: str = ""


class Gapped(msgspec.Struct, frozen=True, tag="gapped", omit_defaults=True):
    """Alarm sequences are lost: the gateway gave them up, or (`by_hub`) it holds nothing more of the holes among them.

    What the hub closes is never receipted, so a gateway that has it all the same goes on sending it.
    """

    area: str
    gateway: str
    instance: str
    first: int
    last: int
    reason: str
    boot: int | None = None
    by_hub: bool = False


class Linked(msgspec.Struct, frozen=True, tag="linked"):
    """A gateway was heard again (`up`), or not heard for its reporting time. `heard_ms`: last heard before."""

    area: str
    gateway: str
    up: bool
    heard_ms: int


class Twinned(msgspec.Struct, frozen=True, tag="twinned"):
    """Two gateways speak under one name: `rightful` is the process that is obeyed, `seconds` are the others. None of
    these: there is one again."""

    area: str
    gateway: str
    rightful: str
    seconds: list[str]


class Replied(msgspec.Struct, frozen=True, tag="replied"):
    """A gateway answered an order."""

    area: str
    gateway: str
    order: str
    results: list[Result]


class Move(StrEnum):
    """What an operator, responder or supervisor may do to an incident."""

    ACCEPT = "accept"
    ASSIGN = "assign"
    RESPOND = "respond"
    NOTE = "note"
    RESOLVE = "resolve"
    REVIEW = "review"
    SEND_BACK = "send_back"
    ARCHIVE = "archive"
    SILENCE = "silence"
    SPLIT = "split"


class Stage(StrEnum):
    """A responder's progress, stamped per person."""

    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"


class Disposition(StrEnum):
    """How an incident ended."""

    GENUINE = "genuine"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    CANCELLED = "cancelled"


class Moved(msgspec.Struct, frozen=True, tag="moved", omit_defaults=True):
    """Somebody acted on an incident. `by` is an opaque person id; names and note texts live in an erasable table.

    `to` is to whom an incident is assigned, or who responds where that is somebody else than `by`, who says so.
    `note` and `cause` are salted hashes of texts there. A false alarm has `false_cause`, one of the hub's list, or a
    `cause` in words, or both; `zones` are those that set it off (None: all of the incident).
    """

    area: str
    incident: str
    move: Move
    by: str
    to: str | None = None
    stage: Stage | None = None
    disposition: Disposition | None = None
    cause: str | None = None
    note: str | None = None
    false_cause: str | None = None
    zones: list[str] | None = None
    record: str | None = None


class Answer(StrEnum):
    """What a member who was called says."""

    GOING = "going"
    ON_SCENE = "on_scene"
    CANNOT = "cannot"


class How(StrEnum):
    """By which way a member answered: a button of their own panel, a web link, or an operator who has them on the
    phone."""

    PANEL = "panel"
    LINK = "link"
    PHONE = "phone"


class Answered(msgspec.Struct, frozen=True, tag="answered", omit_defaults=True):
    """A member of the groups that are called answered. `by` is an opaque person id: the operator who wrote it down.

    `turn` is that of the link it came by: how many answers of this premises that link knows of; it acts once.
    """

    area: str
    incident: str
    premises: str
    answer: Answer
    how: How
    by: str = ""
    turn: int | None = None


class Instructed(msgspec.Struct, frozen=True, tag="instructed", omit_defaults=True):
    """An operator orders something of one premises, apart from any incident. `by` is an opaque person id, `why` the
    salted hash of the reason's text. `order` is new, and is the order's id on the wire."""

    area: str
    order: str
    premises: str
    action: Action
    by: str
    why: str
    mode: Literal["armed_home", "armed_away"] | None = None
    zone: str | None = None
    duration_ms: int = 0
    force: bool = False


class Level(StrEnum):
    """Response levels (等级防控)."""

    NORMAL = "normal"
    ENHANCED = "enhanced"
    CRITICAL = "critical"


class Levelled(msgspec.Struct, frozen=True, tag="levelled", omit_defaults=True):
    """A supervisor set the response level of an area from one time (hub wall ms; None: now) until another, in place of
    what was set for that time; `normal` may be for good (None). `by` is an opaque person id, `why` the salted hash of
    the reason's text."""

    area: str
    level: Level
    by: str
    why: str
    from_ms: int | None = None
    until_ms: int | None = None


class Due(msgspec.Struct, frozen=True, tag="due"):
    """A deadline of the desk's own came: `timer` is as `Desk.due` gave it."""

    area: str
    timer: str


Input: TypeAlias = (
    Recorded
    | Conflicted
    | Gapped
    | Linked
    | Twinned
    | Replied
    | Moved
    | Answered
    | Instructed
    | Levelled
    | Shelved
    | TakenOut
    | PutBack
    | Proved
    | DrillPlanned
    | DrillMoved
    | Reloaded
    | Due
)


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


class NotAllowed(Exception):
    """A move that the incident's state or the mover's part in it does not allow. Nothing was changed."""


class NoSuchIncident(NotAllowed):
    """A move on an incident that the desk does not have (any more)."""
