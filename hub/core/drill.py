"""A drill, from plan to report: who was called, who came, how fast, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from hub.core.acts import Answer, How, Stage
from hub.core.effects import Rung
from hub.core.incident import Incident
from protocol.kinds import Kind
from protocol.messages import Outcome

RANG = (Outcome.DONE, Outcome.JOINED)


class DrillState(StrEnum):
    """`missed`: the hub was away at the planned time, and nobody expects it any more."""

    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"
    ABORTED = "aborted"
    MISSED = "missed"


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One premises that was called: what its gateway said of its siren, and what its people said. Times count from the
    start of the drill, ms."""

    premises: str
    gateway: str
    called_after_ms: int
    outcome: Outcome | None = None
    reason: str = ""
    confirmed_after_ms: int | None = None
    answer: Answer | None = None
    how: How | None = None
    answered_after_ms: int | None = None


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a drill showed. Times count from its start, ms; None: it did not come to that.

    `unreachable` are gateways that answered no order, `unconfirmed` premises whose siren did not ring or of which
    nobody knows, `unanswered` those whose people said nothing; `rung` how far it climbed.
    """

    lasted_ms: int
    called: int
    rang_after_ms: int | None = None
    going_after_ms: int | None = None
    on_scene_after_ms: int | None = None
    accepted_after_ms: int | None = None
    rung: Rung = Rung.STATION
    members: list[Member] = []
    unreachable: list[str] = []
    unconfirmed: list[str] = []
    unanswered: list[str] = []


class Drill(msgspec.Struct, frozen=True, omit_defaults=True):
    """A drill. Times are hub wall ms; `by`, `moved_by` are opaque person ids ("" the system), `why` and `moved_why`
    salted hashes of texts; `reason` is what the system says of its end. `premises` are those where it happens,
    `groups` those that were named in the plan."""

    id: str
    area: str
    kind: Kind
    premises: list[str]
    by: str
    why: str
    planned_ms: int
    at_ms: int
    lasts_ms: int
    groups: list[str] = []
    state: DrillState = DrillState.PLANNED
    started_ms: int | None = None
    ended_ms: int | None = None
    moved_by: str = ""
    moved_why: str = ""
    reason: str = ""
    incidents: list[str] = []
    report: Report | None = None


def reported(drill: Drill, incidents: Sequence[Incident], now_ms: int) -> Report | None:
    """What a drill shows, or showed: at its end for good, before as it stands at `now_ms`; None while it is planned."""
    if drill.report is not None or drill.started_ms is None:
        return drill.report
    began_ms = drill.started_ms
    members = {one.premises: one for incident in incidents for one in _members(incident, began_ms)}
    stamps = [ms for one in incidents for by in one.responders.values() if (ms := by.get(Stage.ON_SCENE)) is not None]
    there = [said.at_ms for one in incidents for said in one.answers.values() if said.answer is Answer.ON_SCENE]
    rungs = [one.rung for one in incidents]
    called = sorted(members.values(), key=lambda one: one.premises)
    gateways = {one.gateway for one in called}
    return Report(
        lasted_ms=now_ms - began_ms,
        called=len(called),
        rang_after_ms=_first((one.rang_ms for one in incidents), began_ms),
        going_after_ms=_first((one.going_ms for one in incidents), began_ms),
        on_scene_after_ms=_first((*stamps, *there), began_ms),
        accepted_after_ms=_first((one.accepted_ms for one in incidents), began_ms),
        rung=max(rungs, key=list(Rung).index, default=Rung.STATION),
        members=called,
        unreachable=sorted(gateways - {one.gateway for one in called if one.confirmed_after_ms is not None}),
        unconfirmed=[one.premises for one in called if one.outcome not in RANG],
        unanswered=[one.premises for one in called if one.answer is None],
    )


def _members(incident: Incident, began_ms: int) -> list[Member]:
    found = []
    for call in incident.calls.values():
        said = incident.answers.get(call.premises)
        replied_ms = None if call.replied_ms is None else call.replied_ms - began_ms
        answer = (None, None, None) if said is None else (said.answer, said.how, max(0, said.at_ms - began_ms))
        found.append(
            Member(call.premises, call.gateway, call.at_ms - began_ms, call.outcome, call.reason, replied_ms, *answer)
        )
    return found


def _first(times: Iterable[int | None], began_ms: int) -> int | None:
    known = [ms for ms in times if ms is not None]
    return max(0, min(known) - began_ms) if known else None
