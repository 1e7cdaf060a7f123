"""Alarm management (ISA-18.2): what is withheld and why, what stands too long, and the operators' load."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.api.acting import recall
from hub.api.desk import Asking, Hub, Parts, answer, seen_areas
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import Problem, responses
from hub.api.shapes import model_of, page_of
from hub.core.alarm_views import Stale, Standing, Suppressed
from hub.core.figures import Figures
from hub.core.hold import At, Hold, Sort
from hub.settings import Person
from hub.table import Id
from protocol.faults import Fault
from protocol.kinds import Priority
from protocol.records import WALL_MS_MAX

router = APIRouter(tags=["alarms"])
DAY_MS = 24 * 3_600_000
Ms = Annotated[int, Query(ge=0, le=WALL_MS_MAX, description="hub wall ms")]


class Reasons(msgspec.Struct, frozen=True):
    """Why something may be shelved or taken out of service."""

    reasons: list[str]


class HoldShown(msgspec.Struct, frozen=True):
    """What is shelved or out of service: by whom, why, since when (`set_ms`) and until when, or reviewed when (hub wall
    ms). `withholds` are the priorities it keeps back, `held` the incidents it keeps back now, `count` how many it
    ever did, `renewed` how often it was set again without a pause."""

    area: str
    sort: Sort
    at: At
    place: str
    rule: str | None
    by: str
    reason: str
    why: str
    set_ms: int
    until_ms: int | None
    review_ms: int | None
    withholds: list[str]
    held: list[str]
    count: int
    renewed: int


class Standings(msgspec.Struct, frozen=True):
    """Each area just now."""

    areas: list[Standing]


@router.get("/alarms/reasons", response_model=model_of(Reasons), responses=responses())
async def read_reasons(hub: Hub, person: Asking) -> Response:
    """Why something may be shelved or taken out of service."""
    return answer(Reasons(hub.desk.alarms.reasons))


@router.get("/alarms/standing", response_model=model_of(Standings), responses=responses())
async def read_standing(hub: Hub, person: Asking, area: Id | None = None) -> Response:
    """How many alarms are withheld and stale, the rate of now, and whether there is a flood."""
    return answer(Standings(hub.desk.alarms.standings(seen_areas(hub, person, area), hub.clock.now_ms())))


@router.get("/alarms/shelved", response_model=page_of(HoldShown), responses=responses())
async def read_shelved(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What is shelved, by whom, why and until when."""
    return await _held(hub, person, area, Sort.SHELVED, limit, cursor)


@router.get("/alarms/out-of-service", response_model=page_of(HoldShown), responses=responses())
async def read_out_of_service(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What is out of service, by whom, why, and when it is to be looked at again."""
    return await _held(hub, person, area, Sort.OUT_OF_SERVICE, limit, cursor)


@router.get("/alarms/suppressed", response_model=page_of(Suppressed), responses=responses())
async def read_suppressed(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What is not told for itself by design: by which named reason, and the incident that is told for it."""
    areas = seen_areas(hub, person, area)
    found = [one for of in areas for one in hub.desk.alarms.suppressed(of)]
    some, after = page(sorted(found, key=_suppressed_key), _suppressed_key, limit, cursor)
    return answer({"items": some, "next": after})


@router.get("/alarms/stale", response_model=page_of(Stale), responses=responses())
async def read_stale(
    hub: Hub, person: Asking, area: Id | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """What has been active for more than a day, the oldest first: incidents, and conditions no open one speaks of."""
    now_ms = hub.clock.now_ms()
    found = [one for of in seen_areas(hub, person, area) for one in hub.desk.alarms.stale(of, now_ms)]
    some, after = page(sorted(found, key=_stale_key), _stale_key, limit, cursor)
    return answer({"items": some, "next": after})


@router.get("/alarms/load", response_model=model_of(Figures), responses=responses())
async def read_load(
    hub: Hub,
    person: Asking,
    area: Id,
    from_ms: Ms | None = None,
    until_ms: Ms | None = None,
    top: Annotated[int, Query(ge=1, le=100, description="alarms named at most")] = 10,
) -> Response:
    """The operators' load in an area, by whole hours (the last day, unless said): rates, priorities, floods, what was
    withheld, the most frequent alarms with their share, and those that chatter."""
    seen_areas(hub, person, area)
    now_ms = hub.clock.now_ms()
    until_ms = now_ms if until_ms is None else until_ms
    from_ms = max(0, until_ms - DAY_MS) if from_ms is None else from_ms
    if from_ms >= until_ms:
        fault = Fault("query", "from_ms", str(from_ms), f"a time before until_ms ({until_ms})")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault])
    return answer(hub.desk.alarms.figures(area, from_ms, until_ms, now_ms, top))


def notes(area: str) -> str:
    """Under what the words to an area's shelves and places out of service are kept."""
    return f"hold-{area}"


def shown(hub: Parts, area: str, hold: Hold) -> HoldShown:
    """A hold with names and words put in."""
    return HoldShown(
        area=area,
        sort=hold.sort,
        at=hold.at,
        place=hold.place,
        rule=hold.rule,
        by=hub.erasable.who(hold.by) or hold.by,
        reason=hold.reason,
        why=hub.erasable.text(hold.why),
        set_ms=hold.set_ms,
        until_ms=hold.until_ms,
        review_ms=hold.review_ms,
        withholds=[one.name for one in Priority if one >= hold.most],
        held=list(hold.held),
        count=hold.count,
        renewed=hold.renewed,
    )


async def _held(hub: Parts, person: Person, area: str | None, sort: Sort, limit: int, cursor: str | None) -> Response:
    areas = seen_areas(hub, person, area)
    found = [(of, hold) for of in areas for hold in hub.desk.alarms.holds(of, sort)]
    some, after = page(sorted(found, key=_hold_key), _hold_key, limit, cursor)
    await recall(hub, (notes(of) for of in sorted({of for of, _ in some})))
    return answer({"items": [shown(hub, *one) for one in some], "next": after})


def _hold_key(one: tuple[str, Hold]) -> str:
    area, hold = one
    return f"{hold.set_ms:016d}.{area}.{hold.at}.{hold.place}.{hold.slot}"


def _suppressed_key(one: Suppressed) -> str:
    return f"{one.since_ms:016d}.{one.area}.{one.cause}.{one.incident or ''}.{one.by}"


def _stale_key(one: Stale) -> str:
    return f"{max(0, one.since_ms):016d}.{one.area}.{one.place}.{one.what}.{one.incident or ''}"
