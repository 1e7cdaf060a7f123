"""An operator's order to one premises: as it is given, and as it is shown."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from protocol.messages import Action, Outcome


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


ALLOWED = (
    Action.ARM,
    Action.DISARM,
    Action.RESET,
    Action.SILENCE,
    Action.BYPASS,
    Action.TEST,
    Action.REFRESH,
)
"""What an operator may order; the rest the desk orders by itself."""
INSTRUCTIONS_MAX = 50
"""Orders remembered of one premises; the oldest goes first (the journal has all)."""


class Instruction(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who ordered what, when and why, and what the gateway said. Times are hub wall ms.

    `outcome` is None while nobody has answered; one that expires so has failed.
    """

    id: str
    area: str
    premises: str
    gateway: str
    action: Action
    by: str
    why: str
    at_ms: int
    expires_ms: int
    mode: Literal["armed_home", "armed_away"] | None = None
    zone: str | None = None
    duration_ms: int = 0
    force: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    replied_ms: int | None = None

    def told(self, outcome: Outcome, reason: str, at_ms: int | None) -> Instruction:
        """The same with its outcome; `at_ms` None where nobody answered."""
        return replace(self, outcome=outcome, reason=reason, replied_ms=at_ms)
