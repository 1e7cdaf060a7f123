"""Incidents: read them, and act on them. A move answers after its commit."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.api.acting import recall, take
from hub.api.desk import Asking, Hub, Operator, Parts, Supervisor, answer, see, seen_areas
from hub.api.fields import Place, Words
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.core.acts import Answer, Answered, Disposition, How, Move, Moved, Stage
from hub.core.escalation import OVERDUE
from hub.core.incident import UNRESOLVED, Incident, State
from hub.journal import Note
from hub.settings import Person
from hub.table import Id

router = APIRouter(tags=["incidents"])
Which = Annotated[str, Path(description="the incident's id", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Shape: Any = model_of(Incident)
MOVED = responses(404, 409, 413, 503)


class Body(BaseModel):
    """Base of what is sent with a move."""

    model_config = ConfigDict(extra="forbid")


class Assigned(Body):
    """To whom: the id of a person or team."""

    to: Id


class Responded(Body):
    """A responder's progress; `who` is somebody else than the one who reports it (a neighbour on the phone)."""

    stage: Stage
    who: Id | None = None


class Said(Body):
    """What a neighbour says who is on the phone: the id of the household or site (`area/id` of another area), and its
    answer."""

    premises: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,62}/)?[a-z0-9][a-z0-9-]{0,62}$")]
    answer: Answer


class Because(Body):
    """For what reason; the text is kept apart from the journal's chain and can be erased."""

    why: Words


class Nothing(Body):
    """No more than the move itself: an empty object, or no body at all."""


class Noted(Body):
    """What is to be noted; the text is kept apart from the journal's chain and can be erased."""

    text: Words


class Split(Body):
    """Which record, as the history names it."""

    record: Annotated[Words, Field(max_length=200)]


class Resolved(Body):
    """How it ended; a false alarm needs its cause: one of the hub's list (/false-alarm-causes), or other words. `zones`
    are those that set it off, if not all of the incident did."""

    disposition: Disposition
    cause: Annotated[Words, Field(max_length=512)] | None = None
    zones: Annotated[list[Id], Field(min_length=1, max_length=100)] | None = None


@router.get("/incidents", response_model=page_of(Incident), responses=responses())
async def read_incidents(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    state: Annotated[list[State] | None, Query()] = None,
    priority: Annotated[list[int] | None, Query(description="1 to 4")] = None,
    rule: Annotated[str | None, Query(max_length=64)] = None,
    unresolved: Annotated[bool, Query(description="only what still wants somebody")] = False,
    overdue: Annotated[bool, Query(description="only what nobody accepted in time: the supervisor's list")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Incidents, most urgent first, then newest."""
    areas = set(seen_areas(hub, person, area))
    wanted = set(state or State) & (UNRESOLVED if unresolved else set(State))
    found = [
        one
        for one in hub.desk.incidents(area, wanted)
        if one.area in areas and (not priority or one.priority in priority) and rule in (None, one.rule)
        if not overdue or OVERDUE in one.conditions
    ]
    some, after = page(
        found, lambda one: f"{one.priority}.{2**53 - one.event_ms:016d}.{one.area}.{one.id}", limit, cursor
    )
    return answer({"items": [hub.erasable.shown(one) for one in some], "next": after})


@router.get("/incidents/{area}/{incident}", response_model=Shape, responses=responses(404))
async def read_incident(hub: Hub, person: Asking, area: Place, incident: Which) -> Response:
    """One incident with its history, its calls, and why it stands."""
    see(person, area)
    await recall(hub, [incident])
    return answer(_shown(hub, area, incident))


@router.post("/incidents/{area}/{incident}/accept", response_model=Shape, responses=MOVED)
async def accept(hub: Hub, person: Operator, area: Place, incident: Which, body: Nothing | None = None) -> Response:
    """受理: somebody looks after it; escalation stops."""
    return await _move(hub, person, area, incident, Move.ACCEPT)


@router.post("/incidents/{area}/{incident}/assign", response_model=Shape, responses=MOVED)
async def assign(hub: Hub, person: Operator, area: Place, incident: Which, body: Assigned) -> Response:
    """分流: to a person or team."""
    return await _move(hub, person, area, incident, Move.ASSIGN, to=body.to)


@router.post("/incidents/{area}/{incident}/respond", response_model=Shape, responses=MOVED)
async def respond(hub: Hub, person: Operator, area: Place, incident: Which, body: Responded) -> Response:
    """处理: somebody accepted, is on the way, or is there."""
    return await _move(hub, person, area, incident, Move.RESPOND, who=body.who, stage=body.stage)


@router.post("/incidents/{area}/{incident}/answer", response_model=Shape, responses=MOVED)
async def take_answer(hub: Hub, person: Operator, area: Place, incident: Which, body: Said) -> Response:
    """A neighbour on the phone says whether they come; their own button and their link say the same."""
    see(person, area)
    _shown(hub, area, incident)
    by = await hub.erasable.alias(person.id)
    taken = Answered(area, incident, body.premises, body.answer, How.PHONE, by)
    await take(hub, taken)
    return answer(_shown(hub, area, incident))


@router.post("/incidents/{area}/{incident}/note", response_model=Shape, responses=MOVED)
async def note(hub: Hub, person: Operator, area: Place, incident: Which, body: Noted) -> Response:
    """Add a note."""
    return await _move(hub, person, area, incident, Move.NOTE, text=body.text)


@router.post("/incidents/{area}/{incident}/silence", response_model=Shape, responses=MOVED)
async def silence(hub: Hub, person: Operator, area: Place, incident: Which, body: Nothing | None = None) -> Response:
    """Silence the sirens called for it."""
    return await _move(hub, person, area, incident, Move.SILENCE)


@router.post("/incidents/{area}/{incident}/resolve", response_model=Shape, responses=MOVED)
async def resolve(hub: Hub, person: Operator, area: Place, incident: Which, body: Resolved) -> Response:
    """办结: it is over; everybody who was called is told to stand down."""
    listed = body.cause if body.cause in hub.desk.causes and body.disposition is Disposition.FALSE_ALARM else None
    text = body.cause if listed is None else None
    fields: dict[str, Any] = {"disposition": body.disposition, "false_cause": listed, "zones": body.zones}
    return await _move(hub, person, area, incident, Move.RESOLVE, text=text, as_cause=True, **fields)


@router.post("/incidents/{area}/{incident}/split", response_model=Shape, responses=MOVED)
async def split(hub: Hub, person: Operator, area: Place, incident: Which, body: Split) -> Response:
    """分案: one of its records is another matter, and becomes an incident of its own."""
    return await _move(hub, person, area, incident, Move.SPLIT, record=body.record)


@router.post("/incidents/{area}/{incident}/review", response_model=Shape, responses=MOVED)
async def review(hub: Hub, person: Supervisor, area: Place, incident: Which, body: Nothing | None = None) -> Response:
    """监督: another than the one who resolved it has looked at it."""
    return await _move(hub, person, area, incident, Move.REVIEW)


@router.post("/incidents/{area}/{incident}/send-back", response_model=Shape, responses=MOVED)
async def send_back(hub: Hub, person: Supervisor, area: Place, incident: Which, body: Because) -> Response:
    """督办: it is not over, and why."""
    return await _move(hub, person, area, incident, Move.SEND_BACK, text=body.why)


@router.post("/incidents/{area}/{incident}/archive", response_model=Shape, responses=MOVED)
async def archive(hub: Hub, person: Supervisor, area: Place, incident: Which, body: Nothing | None = None) -> Response:
    """归档: read-only from now on."""
    return await _move(hub, person, area, incident, Move.ARCHIVE)


async def _move(
    hub: Parts,
    person: Person,
    area: str,
    incident: str,
    move: Move,
    *,
    who: str | None = None,
    to: str | None = None,
    text: str | None = None,
    as_cause: bool = False,
    **fields: Any,
) -> Response:
    """Hand a move to the desk and wait for its commit."""
    see(person, area)
    _shown(hub, area, incident)
    if (other := to or who) is not None:
        fields["to"] = await hub.erasable.alias(other)
    kept = Note(area, incident, text) if text is not None else None
    if kept is not None:
        fields["cause" if as_cause else "note"] = kept.hash
    taken = Moved(area, incident, move, await hub.erasable.alias(person.id), **fields)
    await take(hub, taken, kept)
    return answer(_shown(hub, area, incident))


def _shown(hub: Parts, area: str, incident: str) -> Incident:
    found = hub.desk.incident(area, incident)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no incident {incident} in area {area}")
    return hub.erasable.shown(found)
