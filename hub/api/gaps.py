"""The gap ledger: every range of records that is missing, in both lanes, and what was said of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from hub.api.desk import Asking, Hub, Parts, answer, see
from hub.api.paging import Cursor, Limit, closed, opened
from hub.api.problems import responses
from hub.api.shapes import page_of
from hub.core import ledger
from hub.core.ledger import Book, GapState
from hub.core.registry import of_area
from hub.table import Id
from protocol.records import Lane

router = APIRouter(tags=["gaps"])


class GapShown(msgspec.Struct, frozen=True):
    """Records `first` to `last` of one process (`instance`, `boot`) of a gateway are not there; `count` of them.

    `state`: open (nobody said why), declared (the gateway gave them up), closed (the gateway has no more of them); both
    of these are lost. `reason` and `since_ms` (hub wall) are those of who said so. A range that comes after all leaves.
    """

    area: str
    gateway: str
    lane: Lane
    instance: str
    boot: int | None
    state: GapState
    first: int
    last: int
    count: int
    reason: str
    since_ms: int | None


@router.get("/gaps", response_model=page_of(GapShown), responses=responses(503))
async def read_gaps(
    hub: Hub,
    person: Asking,
    area: Id,
    gateway: Id | None = None,
    lane: Lane | None = None,
    state: GapState | None = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Response:
    """Missing ranges of an area's gateways: by gateway, lane, process and sequence."""
    see(person, area)
    after = opened(cursor) if cursor else ""
    gateways = [gateway] if gateway is not None else _gateways(hub, area)
    found: list[GapShown] = []
    async for gap in _gaps(hub, area, [one for one in gateways if one >= after.partition(" ")[0]], lane):
        if state in (None, gap.state) and _key(gap) > after:
            found.append(gap)
        if len(found) > limit:
            break
    more = closed(_key(found[limit - 1])) if len(found) > limit else None
    return answer({"items": found[:limit], "next": more})


def _gateways(hub: Parts, area: str) -> list[str]:
    return sorted(of_area(hub.registry.gateways, area))


async def _gaps(hub: Parts, area: str, gateways: list[str], only: Lane | None) -> AsyncIterator[GapShown]:
    """In the order of `_key`; a lane in which nothing is missing costs nothing."""
    for gateway in gateways:
        for lane in Lane:
            for book in await _books(hub, area, gateway, lane) if only in (None, lane) else []:
                for one in ledger.missing(book):
                    count = one.last - one.first + 1
                    said = (one.state, one.first, one.last, count, one.reason, one.since_ms)
                    yield GapShown(area, gateway, lane, book.instance, book.boot, *said)


async def _books(hub: Parts, area: str, gateway: str, lane: Lane) -> list[Book]:
    if lane is Lane.ALARM:
        books = hub.desk.books(area, gateway)
    else:
        tally = hub.store.tally
        books = await hub.recorder.call(hub.store.books, area, gateway) if tally.open or tally.lost else []
    return sorted(books, key=lambda book: _process(book.boot, book.instance))


def _key(gap: GapShown) -> str:
    """A blank sorts before whatever an id may hold, so that pages follow the order of the ids."""
    return f"{gap.gateway} {gap.lane} {_process(gap.boot, gap.instance)} {gap.first:020d}"


def _process(boot: int | None, instance: str) -> str:
    return f"{2**63 if boot is None else boot:020d} {instance}"
