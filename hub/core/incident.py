"""An incident, from press to archive, and every transition of its state in one table."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.core.acts import Answer, Disposition, How, Move, Stage
from hub.core.effects import Rung
from hub.core.hold import Sort
from protocol.kinds import Priority
from protocol.messages import Outcome


class State(StrEnum):
    """The states of the six unified steps (domain: report, accept, triage, handle, resolve, supervise, archive)."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    HANDLING = "handling"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    ARCHIVED = "archived"


NEXT: dict[tuple[State, Move], State] = {
    (State.REPORTED, Move.ACCEPT): State.ACCEPTED,
    # A neighbour says "I'm going" before anybody at the station looked: told to the house, accepts nothing.
    (State.REPORTED, Move.RESPOND): State.REPORTED,
    (State.ACCEPTED, Move.RESPOND): State.ACCEPTED,
    (State.ACCEPTED, Move.ASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Move.ASSIGN): State.ASSIGNED,
    (State.ASSIGNED, Move.RESPOND): State.HANDLING,
    (State.HANDLING, Move.ASSIGN): State.HANDLING,
    (State.HANDLING, Move.RESPOND): State.HANDLING,
    (State.ACCEPTED, Move.RESOLVE): State.RESOLVED,
    (State.ASSIGNED, Move.RESOLVE): State.RESOLVED,
    (State.HANDLING, Move.RESOLVE): State.RESOLVED,
    (State.RESOLVED, Move.REVIEW): State.REVIEWED,
    (State.RESOLVED, Move.SEND_BACK): State.HANDLING,
    (State.REVIEWED, Move.ARCHIVE): State.ARCHIVED,
    **{(state, Move.SPLIT): state for state in (State.ACCEPTED, State.ASSIGNED, State.HANDLING)},
    **{(state, Move.NOTE): state for state in State if state is not State.ARCHIVED},
    **{(state, Move.SILENCE): state for state in (State.REPORTED, State.ACCEPTED, State.ASSIGNED, State.HANDLING)},
}
"""Every transition; what is not here is refused and changes nothing."""

UNRESOLVED = frozenset({State.REPORTED, State.ACCEPTED, State.ASSIGNED, State.HANDLING})


NOBODY_CAN = "nobody_can"
"""The condition of an incident for which every neighbour called has said that they cannot come."""
RETURNED = "returned"
"""The condition of an incident that was over before anybody was told of it: it was withheld while it lasted."""


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One premises called by siren: the order, when, what its gateway replied (whether it rang), and what its people
    answered last, and when."""

    premises: str
    gateway: str
    order: str
    at_ms: int
    outcome: Outcome | None = None
    reason: str = ""
    replied_ms: int | None = None
    answer: Answer | None = None
    answered_ms: int | None = None


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a member answered last, when (hub wall ms) and how; `by` is the operator who wrote it down. `links` counts
    the answers that came by a link."""

    answer: Answer
    at_ms: int
    how: How
    by: str | None = None
    links: int = 0


class Happening(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an incident's history: a record that belongs to it, a move, a page, an answer.

    Between the two times, hub wall ms, a record lies that came without its age, as far as is known by this line.
    `record` is what a record is known by ("gateway/instance/sequence"), to split it off.
    """

    at_ms: int
    what: str
    event_ms: int | None = None
    zone: str | None = None
    premises: str | None = None
    by: str | None = None
    why: str = ""
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    record: str | None = None


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole of an incident. Times are hub wall ms; `event_ms` is the first event's, where windows anchor.

    `why` names the reason it stands; `calling` why neighbours were or were not called; `late_ms` is that of its
    freshest record (None: unknown). `conditions`: "cancelled", "link_restored", "must_look", "nobody_can", "overdue",
    "restored", and of what is withheld "shelved", "out_of_service" or "suppressed", "returned" when it was over before
    it was told.
    `answers` are those of its neighbours, `rang_ms` when a siren of the first of them was confirmed to ring, `going_ms`
    when the first said "going" (None: not yet).
    A false alarm has its `false_cause` and the `false_zones` it came of. `presses`
    counts its records (repeats the gateway coalesced among them); `dropped` the history lines no longer shown.

    `registry` is the digest of the registry by which it was last judged; the history says where that changed.

    How sure `event_ms` is, as it was known when that record arrived: to within `error_ms`; or, where no clock of its
    gateway was sure (`error_ms` None), at some time from `not_before_ms` (None: not known) to `not_after_ms`. `placed`
    says so in words, and nothing where the record came with its age.
    """

    id: str
    area: str
    rule: str
    priority: Priority
    state: State
    group: str | None
    premises: list[str]
    zones: list[str]
    gateways: list[str]
    keys: list[str]
    event_ms: int
    raised_ms: int
    why: str
    late_ms: int | None = 0
    drill: bool = False
    silent: bool = False
    rung: Rung = Rung.STATION
    parent: str | None = None
    children: list[str] = []
    calls: dict[str, Call] = {}
    history: list[Happening] = []
    accepted_by: str | None = None
    assigned_to: str | None = None
    responders: dict[str, dict[Stage, int]] = {}
    disposition: Disposition | None = None
    resolved_by: str | None = None
    conditions: list[str] = []
    presses: int = 0
    calling: str = ""
    cause: str | None = None
    accepted_ms: int | None = None
    resolved_ms: int | None = None
    dropped: int = 0
    error_ms: int | None = None
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    placed: str = ""
    false_cause: str | None = None
    false_zones: list[str] = []
    answers: dict[str, Said] = {}
    rang_ms: int | None = None
    going_ms: int | None = None
    registry: str = ""

    @property
    def withheld(self) -> Sort | None:
        """Why nobody is told of it yet; None when they are, or when somebody has taken it in hand all the same."""
        if self.state is not State.REPORTED:
            return None
        return next((sort for sort in Sort if sort.value in self.conditions), None)
