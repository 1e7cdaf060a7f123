"""Every refusal of the API as an RFC 9457 problem: what is wrong, where, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.clerk import Overloaded
from hub.core.io import NoSuchIncident, NotAllowed
from hub.live import TooManyListeners
from hub.past import JournalError
from hub.rounds import StoreDown
from hub.store.port import StoreError
from protocol.faults import Fault, from_pydantic

MEDIA = "application/problem+json"
RETRY_AFTER_S = "1"
log = structlog.get_logger("hub.api")


class FaultShape(BaseModel):
    """One thing wrong: in which part of the request, which key, what was found, what is allowed."""

    where: str
    key: str
    value: str
    allowed: str


class ProblemShape(BaseModel):
    """RFC 9457, with every fault at once."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    faults: list[FaultShape] = []


class Problem(Exception):
    """A refusal to be answered."""

    def __init__(self, status: HTTPStatus, detail: str, faults: Sequence[Fault] = ()) -> None:
        self.status = status
        self.detail = detail
        self.faults = faults
        super().__init__(detail)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the refusals of an endpoint."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content} for status in (401, 403, 422, *statuses)
    }


def install(app: FastAPI) -> None:
    """Answer every exception as a problem."""

    def on(kind: type[Exception], status: HTTPStatus, prefix: str = "") -> None:
        async def answer(request: Request, cause: Exception) -> Response:
            return problem(request, status, f"{prefix}{cause}")

        app.add_exception_handler(kind, answer)

    async def asked(request: Request, cause: Exception) -> Response:
        assert isinstance(cause, Problem)
        return problem(request, cause.status, cause.detail, cause.faults)

    async def invalid(request: Request, cause: Exception) -> Response:
        assert isinstance(cause, RequestValidationError)
        faults = [fault for error in cause.errors() for fault in from_pydantic([_placed(error)], error["loc"][0])]
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, f"{len(faults)} fault(s) in the request", faults)

    async def http(request: Request, cause: Exception) -> Response:
        assert isinstance(cause, HTTPException)
        if cause.status_code == HTTPStatus.BAD_REQUEST:  # the framework's word for a body that its parser chokes on
            fault = Fault("body", "(all)", "bytes that cannot be read as JSON", "JSON in UTF-8, not nested deeply")
            return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault])
        return problem(request, HTTPStatus(cause.status_code), str(cause.detail), headers=cause.headers)

    async def unexpected(request: Request, cause: Exception) -> Response:
        log.error("a request failed", path=request.url.path, exc_info=cause)
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the hub; it is in its log")

    app.add_exception_handler(Problem, asked)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)

    async def refused(request: Request, cause: Exception) -> Response:
        status = HTTPStatus.NOT_FOUND if isinstance(cause, NoSuchIncident) else HTTPStatus.CONFLICT
        return problem(request, status, request.app.state.parts.erasable.words(str(cause)))

    app.add_exception_handler(NotAllowed, refused)
    down: tuple[tuple[type[Exception], str], ...] = (
        (StoreDown, "nothing was changed: "),
        (Overloaded, "nothing was changed: "),
        (JournalError, "the journal: "),
        (StoreError, "the telemetry store: "),
        (TooManyListeners, ""),
    )
    for kind, prefix in down:
        on(kind, HTTPStatus.SERVICE_UNAVAILABLE, prefix)


def problem(
    request: Request, status: HTTPStatus, detail: str, faults: Sequence[Fault] = (), headers: Any = None
) -> Response:
    """The answer itself."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.url.path,
        "faults": [msgspec.structs.asdict(fault) for fault in faults],
    }
    more = dict(headers or {})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        more["Retry-After"] = RETRY_AFTER_S
    if status is HTTPStatus.UNAUTHORIZED:
        more["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status, more, MEDIA)


def _placed(error: dict[str, Any]) -> dict[str, Any]:
    """The error with its place in the body, query or path; the part itself is named as where."""
    return {**error, "loc": error["loc"][1:] or ("(all)",)}
