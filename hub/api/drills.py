"""Drills: plan one, start it, end it or break it off, and read what it showed."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from hub.api.acting import known, recall, take
from hub.api.desk import Asking, Hub, Operator, Parts, Supervisor, answer, see, seen_areas
from hub.api.fields import Place, Words
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.core.drill import Drill, DrillState
from hub.core.trials import DrillMove, DrillMoved, DrillPlanned
from hub.journal import Note
from hub.settings import Person
from hub.table import Id
from protocol.kinds import Kind

router = APIRouter(tags=["drills"])
Which = Annotated[str, Path(description="the drill's id", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Shape: Any = model_of(Drill)
MOVED = responses(404, 409, 413, 503)


class Plan(BaseModel):
    """As if `kind` happened at `premises`, and at the head households of `groups`; at `at_ms` (hub wall ms), or now."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["panic", "fire", "gas"] = "panic"
    premises: Annotated[list[Id], Field(max_length=20)] = []
    groups: Annotated[list[Id], Field(max_length=20)] = []
    why: Words
    at_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    lasts_s: Annotated[int, Field(ge=60, le=14_400, description="it ends by itself after so long")] = 900

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.premises and not self.groups:
            raise ValueError("premises, groups, or both")
        return self


class Because(BaseModel):
    """For what reason."""

    model_config = ConfigDict(extra="forbid")

    why: Words


@router.get("/drills", response_model=page_of(Drill), responses=responses())
async def read_drills(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    state: Annotated[list[DrillState] | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Drills with their reports, the newest plan first."""
    now_ms = hub.clock.now_ms()
    found = [one for of in seen_areas(hub, person, area) for one in hub.desk.drills(of, now_ms)]
    wanted = sorted((one for one in found if one.state in (state or DrillState)), key=_place)
    some, after = page(wanted, _place, limit, cursor)
    await recall(hub, (one.id for one in some))
    return answer({"items": [_named(hub, one) for one in some], "next": after})


@router.get("/drills/{area}/{drill}", response_model=Shape, responses=responses(404))
async def read_drill(hub: Hub, person: Asking, area: Place, drill: Which) -> Response:
    """One drill; of one that runs its report is as it stands."""
    see(person, area)
    await recall(hub, [drill])
    return answer(_shown(hub, area, drill))


@router.post("/drills/{area}", response_model=Shape, responses=MOVED)
async def plan(hub: Hub, person: Supervisor, area: Place, body: Plan) -> Response:
    """Plan a drill, or start it now."""
    known(hub, person, area)
    drill = f"drill-{secrets.token_hex(8)}"
    kept = Note(area, drill, body.why)
    by = await hub.erasable.alias(person.id)
    where = {"premises": body.premises, "groups": body.groups}
    more: dict[str, Any] = {"at_ms": body.at_ms, "lasts_ms": body.lasts_s * 1_000, **where}
    return await _taken(hub, drill, DrillPlanned(area, drill, Kind(body.kind), by, kept.hash, **more), kept)


@router.post("/drills/{area}/{drill}/start", response_model=Shape, responses=MOVED)
async def start(hub: Hub, person: Supervisor, area: Place, drill: Which, body: Because) -> Response:
    """Start what is planned, before its time."""
    return await _move(hub, person, area, drill, DrillMove.START, body.why)


@router.post("/drills/{area}/{drill}/end", response_model=Shape, responses=MOVED)
async def end(hub: Hub, person: Supervisor, area: Place, drill: Which, body: Because) -> Response:
    """It has shown what it was to show: everyone is stood down."""
    return await _move(hub, person, area, drill, DrillMove.END, body.why)


@router.post("/drills/{area}/{drill}/abort", response_model=Shape, responses=MOVED)
async def abort(hub: Hub, person: Operator, area: Place, drill: Which, body: Because) -> Response:
    """Break it off, or take the plan back; an operator may, since somebody may come to harm."""
    return await _move(hub, person, area, drill, DrillMove.ABORT, body.why)


async def _move(hub: Parts, person: Person, area: str, drill: str, move: DrillMove, why: str) -> Response:
    see(person, area)
    _shown(hub, area, drill)
    kept = Note(area, drill, why)
    by = await hub.erasable.alias(person.id)
    return await _taken(hub, drill, DrillMoved(area, drill, move, by, kept.hash), kept)


async def _taken(hub: Parts, drill: str, taken: DrillPlanned | DrillMoved, kept: Note) -> Response:
    await take(hub, taken, kept)
    return answer(_shown(hub, taken.area, drill))


def _shown(hub: Parts, area: str, drill: str) -> Drill:
    found = hub.desk.drill(area, drill, hub.clock.now_ms())
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no drill {drill} in area {area}")
    return _named(hub, found)


def _named(hub: Parts, drill: Drill) -> Drill:
    who, text = hub.erasable.who, hub.erasable.text
    return replace(
        drill,
        by=who(drill.by) or drill.by,
        why=text(drill.why),
        moved_by=(who(drill.moved_by) or drill.moved_by) if drill.moved_by else "",
        moved_why=text(drill.moved_why) if drill.moved_why else "",
    )


def _place(drill: Drill) -> str:
    return f"{2**53 - drill.planned_ms:016d}.{drill.area}.{drill.id}"
