"""What people do about an incident, as inputs of the desk: moves of operators and responders, answers of members."""

from __future__ import annotations

from enum import StrEnum

import msgspec


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
