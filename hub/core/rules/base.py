"""What a rule is: which records it reads, where it looks, and a pure function from records to decisions.

A rule sees a record as a `Mark` and the open incidents of its scope as `Standing`s; it answers with decisions, and
the desk carries them out. Four sorts: `Rule` raises incidents from marks, `ParentRule` puts incidents of one place
under one parent, `OutageRule` those of groups that are neighbours, `WithdrawRule` marks incidents as cancelled. Each
file of this folder offers one of them as `RULE`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, TypeAlias

import msgspec

from hub.core.defaults import Defaults
from protocol.kinds import Priority

LINK_DOWN = "link_down"
CONFLICT = "conflict"
GAP = "gap"
TWINS = "twins"
REVIEW = "review_due"
UNPROVED = "unproved"
"""What a mark may say besides a record's kind."""


class Mark(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One record on the hub's time axis. Ties of `event_ms` break by `ident`, so that arrival decides nothing.

    `late_ms`: its age when it arrived, None where unknown. `still`: a "still present", not a new trip or press.
    `device`: what the zone is wired to (a recorder is known by it), where the gateway says so. `how` says by what it
    was placed, and it truly lies between the two times (hub.core.timing). `boot` orders its gateway's processes.
    """

    event_ms: int
    ident: str
    what: str
    gateway: str
    premises: str | None = None
    zone: str | None = None
    key: str | None = None
    late_ms: int | None = None
    count: int = 1
    still: bool = False
    detail: str = ""
    priority: Priority = Priority.P4
    device: str = ""
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    how: str = ""
    boot: int = 0


class Reach(IntEnum):
    """Whose sirens an incident asks for."""

    NOBODY = 0
    GROUP = 1
    ADJACENT = 2


@dataclass(frozen=True, slots=True)
class Grade:
    """How grave an incident of these marks is, whom it calls, and why, in words."""

    priority: Priority
    reach: Reach
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """An unresolved incident of the scope. `pinned` once accepted: never re-partitioned. marks[0] is its anchor.

    `opened_by` is the ident of the mark that opened it.
    """

    id: str
    pinned: bool
    raised_ms: int
    opened_by: str
    marks: tuple[Mark, ...]
    priority: Priority


@dataclass(frozen=True, slots=True)
class Opens:
    """A new incident of these marks."""

    marks: tuple[Mark, ...]
    grade: Grade


@dataclass(frozen=True, slots=True)
class Joins:
    """The incident now has these marks (a mark may also have left it, by a late arrival)."""

    incident: str
    marks: tuple[Mark, ...]
    grade: Grade


@dataclass(frozen=True, slots=True)
class Raises:
    """As `Joins`, and the incident becomes more urgent."""

    incident: str
    marks: tuple[Mark, ...]
    grade: Grade


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A late arrival shows that this incident and `by` are one; it keeps its id as a child of `by`."""

    incident: str
    by: str


Decision: TypeAlias = Opens | Joins | Raises | Absorbed


class Scope(StrEnum):
    """Which open incidents a rule looks at: those of the mark's zone, premises, home group, gateway, or cause; or of
    each group that has members wired to the mark's gateway."""

    ZONE = "zone"
    PREMISES = "premises"
    GROUP = "group"
    GATEWAY = "gateway"
    CAUSE = "cause"
    WIRED = "wired"


@dataclass(frozen=True, slots=True)
class Rule:
    """Raises incidents. Of the rules that read a record, the one with the lowest `precedence` takes it.

    `silent`: nothing at the premises and no neighbours. `pages_again`: every further record pages.
    """

    name: str
    precedence: int
    reads: frozenset[str]
    scope: Scope
    judge: Callable[[Mark, Sequence[Standing], Defaults], list[Decision]]
    silent: bool = False
    pages_again: bool = False


@dataclass(frozen=True, slots=True)
class ParentRule:
    """Puts the open incidents of the rules it `follows` at one place (`scope`: home group, gateway, or groups wired to
    a gateway) under a parent.

    `judge(marks, parents, defaults)`: all marks of those incidents, and the open parents of the place. A child has one
    parent: this rule's takes it from those of `takes_from`, and where it has one of `over`, takes that one instead.
    `hushes`: what becomes a child of a parent that pages for it does not page by itself. `reads`: of the marks of what
    it follows only these are news to it, and make a child (none named: all).
    """

    name: str
    precedence: int
    follows: frozenset[str]
    judge: Callable[[Sequence[Mark], Sequence[Standing], Defaults], list[Decision]]
    scope: Scope = Scope.GROUP
    takes_from: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    hushes: bool = False
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Blind:
    """A group as an outage sees it: its neighbours, how many gateways its members hang on, and what of it is lost."""

    group: str
    adjacent: tuple[str, ...]
    paths: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class OutageRule:
    """Puts what is lost in neighbouring groups under one parent in the area.

    `judge(groups, parents, defaults)`: the groups a loss touches, their neighbours and those of these, each with its
    losses; and the parents that hold any of them, or of which a loss among these is a child already. `reads` as there.
    """

    name: str
    precedence: int
    follows: frozenset[str]
    judge: Callable[[Sequence[Blind], Sequence[Standing], Defaults], list[Decision]]
    takes_from: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    hushes: bool = False
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WithdrawRule:
    """Marks incidents of rule `withdraws` as cancelled: `judge(mark, its event_ms, its keys, defaults)` says why."""

    name: str
    precedence: int
    reads: frozenset[str]
    withdraws: str
    judge: Callable[[Mark, int, Sequence[str], Defaults], str | None]


AnyRule: TypeAlias = Rule | ParentRule | OutageRule | WithdrawRule


@dataclass(frozen=True, slots=True)
class Duplicate:
    """This record was taken before; nothing changed."""

    effective: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is raised, and why. `effective`: still remembered (as seen, as a zone's condition), so journalled."""

    reason: str
    effective: bool = True


@dataclass(frozen=True, slots=True)
class Took:
    """The incidents it changed, the one it belongs to first, and the reason in words."""

    incidents: tuple[str, ...]
    reason: str
    effective: ClassVar[bool] = True


Verdict: TypeAlias = Duplicate | Ignored | Took
