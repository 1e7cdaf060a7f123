"""Telemetry: the newest of each point, and ranges."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.api.desk import Asking, Hub, answer, see
from hub.api.paging import Cursor, Limit, closed, opened
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.store.downsampled import numbers
from hub.store.levels import TooFine
from hub.store.port import Aggregate, Placed
from hub.store.refused import RefusedLine
from hub.table import Id
from protocol.faults import Fault, shown

router = APIRouter(prefix="/telemetry", tags=["telemetry"])
FOREVER_MS = 2**53
WINDOWS_MAX = 5_000
"""Windows in one answer."""
Ms = Annotated[int, Query(ge=0, le=FOREVER_MS, description="hub wall ms since 1970 UTC")]
PointName = Annotated[str, Query(pattern=r"^[a-z0-9][a-z0-9_./-]{0,127}$")]


class SampleShown(msgspec.Struct, frozen=True):
    """One reading: `at_ms` on the hub's time axis (`placed` says by what), then the gateway's own stamp."""

    area: str
    gateway: str
    point: str
    value: int | float | str
    at_ms: int
    placed: Placed
    mono_ns: int
    wall_ms: int
    quality: str
    instance: str
    seq: int


class Count(msgspec.Struct, frozen=True):
    """How many readings are kept."""

    count: int


@router.get("/latest", response_model=page_of(SampleShown), responses=responses(503))
async def latest(
    hub: Hub, person: Asking, area: Id, gateway: Id, prefix: Annotated[str, Query(max_length=128)] = ""
) -> Response:
    """The newest reading of every point of a gateway."""
    see(person, area)
    return answer({"items": await hub.recorder.call(hub.store.latest, area, gateway, prefix), "next": None})


@router.get("/range", response_model=page_of(SampleShown), responses=responses(503))
async def read_range(
    hub: Hub,
    person: Asking,
    area: Id,
    gateway: Id,
    point: PointName,
    from_ms: Ms = 0,
    to_ms: Ms = FOREVER_MS,
    limit: Limit = 1_000,
    cursor: Cursor = None,
) -> Response:
    """Readings of one point with from_ms <= at_ms < to_ms, in the store's own order: as stored, or by time."""
    see(person, area)
    after_n = _number(cursor) if cursor else 0
    read = hub.store.range
    found = await hub.recorder.call(read, area, gateway, point, from_ms, to_ms, limit + 1, after_n)
    after = closed(str(found[limit - 1][0])) if len(found) > limit else None
    return answer({"items": [sample for _, sample in found[:limit]], "next": after})


@router.get("/downsampled", response_model=page_of(Aggregate), responses=responses(503))
async def downsampled(
    hub: Hub,
    person: Asking,
    area: Id,
    gateway: Id,
    point: PointName,
    from_ms: Ms,
    to_ms: Ms,
    every_ms: Annotated[int, Query(ge=1_000, le=366 * 86_400_000, description="length of a window in ms")] = 300_000,
) -> Response:
    """Numbers of one point by windows of `every_ms`: how many, their mean, least and most; empty windows left out. Of
    times when readings are no longer kept: windows of whole five minutes or hours, the first and last in full."""
    see(person, area)
    if (to_ms - from_ms) // every_ms > WINDOWS_MAX:
        allowed = f"at least {(to_ms - from_ms) // WINDOWS_MAX + 1} for this span: {WINDOWS_MAX} windows at most"
        fault = Fault("query", "every_ms", str(every_ms), allowed)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault])
    asked = (area, gateway, point, from_ms, to_ms, every_ms, hub.clock.now_ms(), WINDOWS_MAX + 1)
    try:
        found = await hub.recorder.call(numbers, hub.store, *asked)
    except TooFine as cause:
        fault = Fault("query", "every_ms", str(every_ms), str(cause))
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault]) from None
    return answer({"items": found, "next": None})


@router.get("/count", response_model=model_of(Count), responses=responses(503))
async def count(hub: Hub, person: Asking, area: Id, gateway: Id | None = None) -> Response:
    """How many readings of an area or gateway are kept."""
    see(person, area)
    return answer(Count(await hub.recorder.call(hub.store.count, area, gateway)))


@router.get("/refused", response_model=page_of(RefusedLine), responses=responses())
async def refused(hub: Hub, person: Asking) -> Response:
    """The last points that the store refused for good, the newest first."""
    if not person.sees("*"):
        raise Problem(HTTPStatus.FORBIDDEN, "for persons of all areas: a line may be of any")
    return answer({"items": list(reversed(hub.store.refused.kept)), "next": None})


def _number(cursor: str) -> int:
    text = opened(cursor)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        fault = Fault("query", "cursor", shown(cursor), "`next` of the page before")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault])
    return int(text)
