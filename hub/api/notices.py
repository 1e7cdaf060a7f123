"""Who was told of an incident and what came of it; how channels fare; and delivery reports, which come from outside."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from hub.api.desk import Asking, Hub, answer, see
from hub.api.fields import Place
from hub.api.problems import MEDIA, Problem, responses
from hub.api.shapes import model_of, page_of
from hub.channels.webhook import SIGNATURE, STAMP, Config, Reports, read_secret, signature
from hub.notify.notice import Posting
from protocol.faults import Fault

router = APIRouter(tags=["notices"])
STALE_MS = timedelta(minutes=10) // timedelta(milliseconds=1)
"""How old a report's time stamp may be, or how far ahead."""
NOT_SIGNED = f"{SIGNATURE} is not that of a channel's report secret"
REPORTS_MAX = 500
"""Reports in one body."""


class ChannelView(msgspec.Struct, frozen=True):
    """A channel: where it leads (no secrets), what waits, and whether it reaches a room."""

    name: str
    kind: str
    place: str
    room: bool
    waiting: int


class Counted(msgspec.Struct, frozen=True):
    """How many of the reports belong to notices this hub knows."""

    known: int
    unknown: int


@router.get("/incidents/{area}/{incident}/notices", response_model=page_of(Posting), responses=responses(404, 503))
async def read_notices(
    hub: Hub,
    person: Asking,
    area: Place,
    incident: Annotated[str, Path(description="the incident's id", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")],
) -> Response:
    """Every notice of an incident, oldest first: to whom (by id), over which channel, and what came of it."""
    see(person, area)
    found = await hub.telling.outbox.of(area, incident)
    if not found and hub.desk.incident(area, incident) is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no incident {incident} in area {area}")
    return answer({"items": found, "next": None})


@router.get("/channels", response_model=list[model_of(ChannelView)], responses=responses())  # type: ignore[misc]
async def read_channels(hub: Hub, person: Asking) -> Response:
    """The ways to people outside."""
    queues = hub.telling.notifier.board.queues
    return answer(
        [
            ChannelView(name, table.kind, table.place, table.rooms, len(queues[name]))
            for name, table in hub.telling.tables.items()
        ]
    )


REPORTED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    }
    for status in (401, 403, 413, 422, 503)
}


@router.post(
    "/channels/{channel}/reports",
    response_model=model_of(Counted),
    responses=REPORTED,
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}, "required": True}},
)
async def report(
    hub: Hub,
    request: Request,
    channel: Annotated[str, Path(description="the channel's name", max_length=63)],
    stamp: Annotated[str, Header(alias=STAMP)] = "",
    signed: Annotated[str, Header(alias=SIGNATURE)] = "",
) -> Response:
    """What became of notices, by the far end: one report, or a list. Signed with the channel's report secret."""
    table = hub.telling.tables.get(channel)
    reports = table.report if isinstance(table, Config) else None
    if reports is None:  # who cannot sign does not learn which channels there are
        raise Problem(HTTPStatus.UNAUTHORIZED, NOT_SIGNED)
    body = await request.body()
    _prove(reports, stamp, signed, body, hub.clock.now_ms())
    known = unknown = 0
    for name, status, why in _read(reports, body):
        posting = await hub.telling.outbox.named(channel, name)
        if posting is None:
            unknown += 1
            continue
        known += 1
        hub.telling.notifier.reported(posting, reports.state(status), why)
    return answer(Counted(known, unknown))


def _prove(reports: Reports, stamp: str, signed: str, body: bytes, now_ms: int) -> None:
    """Raises Problem for what was not signed with the report's secret just now."""
    expected = signature(read_secret(reports.secret_file), stamp, body)
    if not hmac.compare_digest(expected.encode(), signed.encode()):
        raise Problem(HTTPStatus.UNAUTHORIZED, NOT_SIGNED)
    if not (stamp.isascii() and stamp.isdecimal() and abs(int(stamp[:16]) - now_ms) <= STALE_MS):
        raise Problem(HTTPStatus.FORBIDDEN, f"{STAMP} is not now, in ms since 1970")


def _read(reports: Reports, body: bytes) -> list[tuple[str, str, str]]:
    """(whose, status, why) of each. Raises Problem with every fault."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        fault = Fault("body", "(all)", "bytes that cannot be read as JSON", "JSON in UTF-8")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault]) from None
    items = said if isinstance(said, list) else [said]
    faults, found = [], []
    if len(items) > REPORTS_MAX:
        faults = [Fault("body", "(all)", f"{len(items)} reports", f"at most {REPORTS_MAX} at once")]
    for at, one in enumerate(items[:REPORTS_MAX]):
        name, status = (one.get(key) if isinstance(one, dict) else None for key in (reports.id, reports.status))
        if isinstance(name, str | int) and isinstance(status, str | int):
            found.append((str(name)[:200], str(status), str(one.get(reports.why) or status)[:200]))
        else:
            faults.append(Fault("body", f"[{at}]", "no report", f"{reports.id} and {reports.status}"))
    if faults:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(faults)} fault(s) in the request", faults)
    return found
