"""Shelving, and out of service: operators and supervisors say for a time what need not be told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.api.acting import known, take
from hub.api.alarms import HoldShown, notes, shown
from hub.api.desk import Hub, Operator, Parts, Supervisor, answer
from hub.api.fields import Place, WallMs, Words
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of
from hub.core.hold import At, Hold, PutBack, Shelved, Sort, TakenOut
from hub.journal import Note
from hub.settings import Person, Role
from hub.table import Id

router = APIRouter(tags=["alarms"])
Rule = Annotated[str, Field(max_length=64, description="one rule of the place; without it all that may be shelved")]
DONE = responses(404, 409, 413, 503)


class Somewhere(BaseModel):
    """A zone, a premises with all its zones, or a gateway."""

    model_config = ConfigDict(extra="forbid")

    at: At
    place: Id


class Shelving(Somewhere):
    """What is shelved until when, the reason (one of /alarms/reasons), and words to it."""

    rule: Rule | None = None
    reason: Annotated[str, Field(max_length=64)]
    why: Words
    until_ms: WallMs


class Unshelving(Somewhere):
    """Which shelf is ended, and words to it if there are any."""

    rule: Rule | None = None
    why: Words | None = None


class TakingOut(Somewhere):
    """What is out of service, the reason (one of /alarms/reasons), words to it, and when it is looked at again."""

    reason: Annotated[str, Field(max_length=64)]
    why: Words
    review_ms: WallMs


class PuttingBack(Somewhere):
    """What is in service again, and words to it if there are any."""

    why: Words | None = None


@router.post("/alarms/{area}/shelve", response_model=model_of(HoldShown), responses=DONE)
async def shelve(hub: Hub, person: Operator, area: Place, body: Shelving) -> Response:
    """搁置: its alarms are stored and listed, and nobody is paged, until then. P3 and P4, by a supervisor P2 as well,
    never a P1. What is open when it ends is told then."""
    known(hub, person, area)
    kept, by = Note(area, notes(area), body.why), await hub.erasable.alias(person.id)
    supervisor = person.role.includes(Role.SUPERVISOR)
    taken = Shelved(area, body.at, body.place, by, body.reason, kept.hash, body.until_ms, body.rule, supervisor)
    await take(hub, taken, kept)
    return answer(shown(hub, area, _found(hub, area, Sort.SHELVED, body, body.rule)))


@router.post("/alarms/{area}/unshelve", response_model=model_of(HoldShown), responses=DONE)
async def unshelve(hub: Hub, person: Operator, area: Place, body: Unshelving) -> Response:
    """End a shelf before its time; it is shown as it was. What it withheld and is open is told now."""
    return await _end(hub, person, area, body, Sort.SHELVED, body.rule, body.why)


@router.post("/alarms/{area}/out-of-service", response_model=model_of(HoldShown), responses=DONE)
async def take_out(hub: Hub, person: Supervisor, area: Place, body: TakingOut) -> Response:
    """停用: for repair, until somebody puts it back; a P1 of it is told as ever. Past its review a P4 says so daily."""
    known(hub, person, area)
    kept, by = Note(area, notes(area), body.why), await hub.erasable.alias(person.id)
    await take(hub, TakenOut(area, body.at, body.place, by, body.reason, kept.hash, body.review_ms), kept)
    return answer(shown(hub, area, _found(hub, area, Sort.OUT_OF_SERVICE, body, None)))


@router.post("/alarms/{area}/in-service", response_model=model_of(HoldShown), responses=DONE)
async def put_in(hub: Hub, person: Supervisor, area: Place, body: PuttingBack) -> Response:
    """Put back in service; it is shown as it was. What it withheld and is open is told now."""
    return await _end(hub, person, area, body, Sort.OUT_OF_SERVICE, None, body.why)


async def _end(
    hub: Parts, person: Person, area: str, body: Somewhere, sort: Sort, rule: str | None, why: str | None
) -> Response:
    known(hub, person, area)
    before = _found(hub, area, sort, body, rule)
    kept = Note(area, notes(area), why) if why is not None else None
    by = await hub.erasable.alias(person.id)
    words = kept.hash if kept is not None else ""
    await take(hub, PutBack(area, sort, body.at, body.place, by, rule, words), kept)
    return answer(shown(hub, area, before))


def _found(hub: Parts, area: str, sort: Sort, body: Somewhere, rule: str | None) -> Hold:
    for hold in hub.desk.alarms.holds(area, sort):
        if (hold.at, hold.place, hold.rule) == (body.at, body.place, rule):
            return hold
    words = f"{body.at} {body.place}" + (f", {rule}" if rule else "")
    raise Problem(HTTPStatus.NOT_FOUND, f"{words} is not {sort.replace('_', ' ')} in {area}")
