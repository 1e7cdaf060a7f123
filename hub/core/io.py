"""Every input of the desk's fold: what the journal keeps. All times are hub wall ms."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from hub.core.acts import Answered, Moved
from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Replied, Twinned
from hub.core.hold import PutBack, Shelved, TakenOut
from hub.core.instruction import Instructed
from hub.core.plan import Levelled
from hub.core.reloaded import Reloaded
from hub.core.trials import DrillMoved, DrillPlanned, Proved


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


class NotAllowed(Exception):
    """A move that the incident's state or the mover's part in it does not allow. Nothing was changed."""


class NoSuchIncident(NotAllowed):
    """A move on an incident that the desk does not have (any more)."""
