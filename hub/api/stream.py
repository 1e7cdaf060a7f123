"""The live stream over HTTP: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import StreamingResponse

from hub.api.desk import Asking, Hub, Parts, see
from hub.api.problems import responses
from hub.live import EVERYBODY, Told, TooManyListeners
from hub.plain import json_of
from hub.settings import Person
from hub.table import Id

router = APIRouter(tags=["live"])
QUIET_S = 10.0
"""A comment goes out after so long without an event, so that both ends notice a dead connection."""
EVENTS = """One event a change, as `text/event-stream`: `incident`, `page`, `gateway`, `reply`; `hello` at the start,
with the troubles that stand; `trouble` when a part of the hub takes nothing, and when that is over; `waiting` for a P1
that cannot be written to disk and so has no incident yet; `missed` when events after Last-Event-ID are gone, `dropped`
before a client that is too slow is let go."""


@router.get(
    "/live",
    description=EVENTS,
    response_class=StreamingResponse,
    responses={**responses(503), 200: {"description": "the stream", "content": {"text/event-stream": {}}}},
)
async def live(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    last_event_id: Annotated[str | None, Header(max_length=128)] = None,
) -> StreamingResponse:
    """The stream itself."""
    if area is not None:
        see(person, area)
    if hub.live.full():
        raise TooManyListeners("as many clients are listening as may")
    body = _frames(hub, person, area, last_event_id)
    return StreamingResponse(body, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _frames(hub: Parts, person: Person, area: str | None, after: str | None) -> AsyncIterator[bytes]:
    def sees(other: str) -> bool:
        return other == EVERYBODY or (person.sees(other) and area in (None, other))

    with hub.live.listen(sees, after) as listener:
        standing = list(hub.troubles.standing.values())
        hello = {"hub": hub.hub, "hub_ms": hub.clock.now_ms(), "troubles": standing}
        yield b"event: hello\ndata: " + json_of(hello) + b"\n\n"
        async for told in listener.events(QUIET_S):
            yield b": quiet\n\n" if told is None else _frame(told)


def _frame(told: Told) -> bytes:
    return f"id: {told.id}\nevent: {told.kind}\ndata: {told.data}\n\n".encode()
