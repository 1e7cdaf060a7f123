"""An incident as a report may know it: times and counts, and of places only what may be told. What is not in here can
be in no report: no household, no zone of one, no person, no words that anybody wrote."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from hub.core.acts import Answer, Disposition
from hub.core.effects import Milestone, Page, Reached, Rung
from hub.core.incident import NOBODY_CAN, UNRESOLVED, Incident, State
from hub.core.rules import named
from hub.core.rules.base import Rule
from hub.reports.places import Place, Places
from hub.reports.stats import Spell
from protocol.kinds import Priority
from protocol.messages import Outcome

RANGS = frozenset({Outcome.DONE, Outcome.JOINED})
BLIND = "nvr_blind"


class Case(msgspec.Struct, frozen=True):
    """One incident. Times are hub wall ms, those that end in `after_ms` are from its event.

    `top`: it is no part of another that escalates for it, so it is counted. `own`: it has records of its own, and is no
    bracket around others. `paged` says when each rung was told first; `accepted_on` is the highest rung that had been
    told when somebody accepted. `false_zones` and `gateways` are those that may be named. `blind` are the spells of a
    recorder; the last may be open (None).
    """

    id: str
    rule: str
    priority: Priority
    state: State
    place: Place
    event_ms: int
    raised_ms: int
    top: bool = True
    own: bool = True
    silent: bool = False
    late: bool = False
    gateways: tuple[str, ...] = ()
    called: int = 0
    rang: int = 0
    going: int = 0
    nobody_can: bool = False
    rang_after_ms: int | None = None
    going_after_ms: int | None = None
    paged: dict[Rung, int] = {}
    accepted_ms: int | None = None
    accepted_on: Rung | None = None
    resolved_ms: int | None = None
    disposition: Disposition | None = None
    false_cause: str | None = None
    false_zones: tuple[str, ...] = ()
    resolves: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    blind: tuple[tuple[int, int | None], ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is unresolved."""
        return self.state in UNRESOLVED

    def blind_spells(self, until_ms: int) -> list[Spell]:
        """When its recorder was blind, as far as is known by then."""
        return [(begin, until_ms if end is None else end) for begin, end in self.blind]


def seen(incident: Incident, parent: Incident | None, before: Case | None, places: Places, at_ms: int) -> Case:
    """An incident as it is now, with its parent, after something changed it at `at_ms`."""
    was = before or Case(
        id=incident.id,
        rule=incident.rule,
        priority=incident.priority,
        state=State.REPORTED,
        place=Place(),
        event_ms=incident.event_ms,
        raised_ms=incident.raised_ms,
    )
    resolved, opened = was.open and incident.state not in UNRESOLVED, not was.open and incident.state in UNRESOLVED
    newly_accepted = incident.accepted_ms is not None and was.accepted_ms is None
    return replace(
        was,
        priority=incident.priority,
        state=incident.state,
        place=_place(incident, places),
        event_ms=incident.event_ms,
        top=parent is None or (parent.rule != incident.rule and parent.priority > incident.priority),
        own=isinstance(named(incident.rule), Rule) and (parent is None or parent.rule != incident.rule),
        silent=incident.silent,
        late="must_look" in incident.conditions or incident.late_ms is None,
        gateways=tuple(one for one in incident.gateways if places.tells_gateway(one)),
        called=len(incident.calls),
        rang=sum(call.outcome in RANGS for call in incident.calls.values()),
        going=sum(said.answer is not Answer.CANNOT for said in incident.answers.values()),
        nobody_can=was.nobody_can or NOBODY_CAN in incident.conditions,
        accepted_ms=incident.accepted_ms,
        accepted_on=incident.rung if newly_accepted else was.accepted_on,
        resolved_ms=incident.resolved_ms,
        disposition=incident.disposition,
        false_cause=incident.false_cause,
        false_zones=tuple(zone for zone in incident.false_zones if places.tells(zone)),
        resolves=(*was.resolves, at_ms) if resolved else was.resolves,
        reopened=(*was.reopened, at_ms) if opened else was.reopened,
        blind=_blind(incident, was, at_ms),
    )


def told(case: Case, effect: Page | Reached, at_ms: int) -> Case:
    """A rung is told for the first time, or neighbours come to a milestone."""
    if isinstance(effect, Page):
        return case if effect.rung in case.paged else replace(case, paged={**case.paged, effect.rung: at_ms})
    if effect.milestone is Milestone.RINGING:
        return replace(case, rang_after_ms=effect.after_ms)
    return replace(case, going_after_ms=effect.after_ms)


def _place(incident: Incident, places: Places) -> Place:
    """Of a silent alarm nothing: a sheet of paper that says where may lie about where it was."""
    if incident.silent:
        return Place()
    return places.of(incident.premises[0] if incident.premises else None, incident.group)


def _blind(incident: Incident, was: Case, at_ms: int) -> tuple[tuple[int, int | None], ...]:
    if incident.rule != BLIND:
        return ()
    well = "restored" in incident.conditions or incident.state not in UNRESOLVED
    if not was.blind:
        return ((incident.event_ms, at_ms if well else None),)
    begin, end = was.blind[-1]
    if well and end is None:
        return (*was.blind[:-1], (begin, max(begin, at_ms)))
    return was.blind if well or end is None else (*was.blind, (at_ms, None))
