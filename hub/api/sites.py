"""What gateways should run and what they run; and how many households of a village are enrolled."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from hub.api.desk import Admin, Asking, Hub, Parts, answer, see, seen_areas
from hub.api.fields import Place
from hub.api.paging import Cursor, Limit, places
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.core.registry import of_area
from hub.registry.coverage import Village, villages
from hub.sites import SiteState
from hub.table import Id
from protocol.faults import Fault, Refused

router = APIRouter(tags=["sites"])


class SiteFile(BaseModel):
    """An installer's site file, as it is on the gateway."""

    model_config = ConfigDict(extra="forbid")
    toml: str


class SiteShown(msgspec.Struct, frozen=True):
    """A gateway's desired configuration (SHA-256 of its text) beside the one it runs, and what became of it.

    `faults` are why it could not be made (unfit) or why the gateway refused it; `differences` are where the installer's
    file and the registry tell different stories. Times are hub wall ms.
    """

    area: str
    gateway: str
    state: SiteState
    desired: str | None
    running: str | None
    published_ms: int | None
    faults: list[Fault]
    differences: list[str]


@router.get("/configs", response_model=page_of(SiteShown), responses=responses())
async def read_configs(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 500, cursor: Cursor = None
) -> Response:
    """Every gateway's desired configuration, and whether it runs it."""
    areas = seen_areas(hub, person, area)
    some, after = places(areas, lambda one: of_area(hub.registry.gateways, one), limit, cursor)
    return answer({"items": [_shown(hub, *key) for key in some], "next": after})


@router.put("/configs/{area}/{gateway}", response_model=model_of(SiteShown), responses=responses(404, 413, 503))
async def put_config(
    hub: Hub,
    person: Admin,
    area: Place,
    gateway: Id,
    body: SiteFile,
) -> Response:
    """Take an installer's file as the base of a gateway's desired configuration, and publish what becomes of it."""
    see(person, area)
    if (area, gateway) not in hub.registry.gateways:
        raise Problem(HTTPStatus.NOT_FOUND, f"no gateway {gateway} in area {area}")
    try:
        await asyncio.to_thread(hub.sites.put_base, area, gateway, body.toml)
    except Refused as refused:
        faults = list(refused.faults)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(faults)} fault(s) in the file", faults) from None
    except OSError as cause:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"the file cannot be kept: {cause.strerror}") from cause
    hub.sites.wanted(area, gateway)
    return answer(_shown(hub, area, gateway))


@router.get("/coverage", response_model=page_of(Village), responses=responses())
async def read_coverage(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 200, cursor: Cursor = None
) -> Response:
    """Villages with the households enrolled, those that live there, and the share of them."""
    areas = seen_areas(hub, person, area)
    some, after = places(areas, lambda one: of_area(hub.registry.stations, one), limit, cursor)
    counted = {one: {village.station: village for village in villages(hub.registry, one)} for one, _ in some}
    return answer({"items": [counted[one][station] for one, station in some], "next": after})


def _shown(hub: Parts, area: str, gateway: str) -> SiteShown:
    known, birth = hub.sites.of(area, gateway), hub.links.known[area, gateway].birth
    return SiteShown(
        area=area,
        gateway=gateway,
        state=hub.sites.state(area, gateway),
        desired=known.digest or None,
        running=birth.config if birth is not None else None,
        published_ms=known.published_ms,
        faults=[*known.unfit, *known.faults],
        differences=list(known.differences),
    )
