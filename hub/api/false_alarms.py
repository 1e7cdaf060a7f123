"""False alarms: of what they may be, and which zones raise most of them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.api.desk import Asking, Hub, answer, seen_areas
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import responses
from hub.api.shapes import model_of, page_of
from hub.core.blame import ZoneBlamed
from hub.table import Id
from protocol.records import WALL_MS_MAX

router = APIRouter(tags=["incidents"])


class Causes(msgspec.Struct, frozen=True):
    """The causes of false alarms a centre counts by; other words than these are counted as the last."""

    causes: list[str]


@router.get("/false-alarm-causes", response_model=model_of(Causes), responses=responses())
async def read_causes(hub: Hub, person: Asking) -> Response:
    """What a false alarm may be resolved as."""
    return answer(Causes(hub.desk.causes))


@router.get("/false-alarms", response_model=page_of(ZoneBlamed), responses=responses())
async def read_false_alarms(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    since_ms: Annotated[int, Query(ge=0, le=WALL_MS_MAX, description="hub wall ms")] = 0,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Zones with false alarms, the worst first; those of parents and drills are not counted twice or at all."""
    found = hub.desk.false_alarms(seen_areas(hub, person, area), since_ms)
    some, after = page(found, lambda one: f"{2**32 - one.count:010d}.{one.area}.{one.zone}", limit, cursor)
    return answer({"items": some, "next": after})
