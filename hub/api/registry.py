"""The registry in force, and another put in its place while the hub runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from hub.api.acting import recall
from hub.api.desk import Asking, Hub, Parts, Supervisor, answer, see, seen_areas
from hub.api.fields import Words
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of
from hub.core.reloaded import Cause, Changes
from hub.reloading import NOTES, Attempt, Busy
from protocol.faults import Refused

router = APIRouter(tags=["registry"])


class AreaShown(msgspec.Struct, frozen=True):
    """Since when an area is judged by the registry in force (hub wall ms; None: since before the first change the
    journal tells of), who made it so, why, and how much of the area changed by it."""

    area: str
    since_ms: int | None
    cause: Cause | None
    by: str | None
    why: str
    changes: Changes


class RegistryShown(msgspec.Struct, frozen=True):
    """The digest of the registry in force, of each area since when, and what the newest reload came to."""

    digest: str
    areas: list[AreaShown]
    last: Attempt | None


Shape: Any = model_of(RegistryShown)


class Wanted(BaseModel):
    """Why the registry is read again. `force`: though much of it is gone, or an incident is open where it is."""

    model_config = ConfigDict(extra="forbid")

    why: Words
    force: Annotated[bool, Field(description="put it in force though it looks like a mistake")] = False


@router.get("/registry", response_model=Shape, responses=responses())
async def read_registry(hub: Hub, person: Asking) -> Response:
    """What the hub judges by."""
    await recall(hub, [NOTES])
    return answer(_shown(hub, seen_areas(hub, person, None)))


@router.post("/registry/reload", response_model=Shape, responses=responses(409, 413, 503))
async def reload(hub: Hub, person: Supervisor, body: Wanted) -> Response:
    """Read the registry again, check all of it, and put it in force; a bad one is refused with every fault, and the one
    before stays in force. It is for persons who may look at every area."""
    for area in hub.registry.areas:
        see(person, area)
    try:
        await hub.reloading.reload(person.id, body.why, force=body.force)
    except Refused as refused:
        faults = list(refused.faults)
        words = f"{len(faults)} fault(s) in the registry; the one before stays in force"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, words, faults) from None
    except Busy as cause:
        raise Problem(HTTPStatus.CONFLICT, str(cause)) from None
    return answer(_shown(hub, seen_areas(hub, person, None)))


def _shown(hub: Parts, areas: list[str]) -> RegistryShown:
    return RegistryShown(hub.registry.digest, [_area(hub, area) for area in areas], hub.reloading.last)


def _area(hub: Parts, area: str) -> AreaShown:
    known = hub.desk.in_force(area)
    if known is None or known.digest != hub.registry.digest:
        return AreaShown(area, None, None, None, "", {})
    who, why = hub.erasable.who(known.by), hub.erasable.text(known.why)
    return AreaShown(area, known.since_ms, known.cause, who, why, known.changes)
