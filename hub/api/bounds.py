"""A bound on what a request may carry, before anything reads it."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MAX = 64 * 1024
"""Bytes of a body; nothing the API takes needs more."""
DRAIN_MAX = 1024 * 1024
"""Bytes read and thrown away before the answer: a connection closed on unread bytes resets, and the answer is lost."""


class TooLarge(Exception):
    """The body is larger than it may be."""


class BoundedBodies:
    """Answers 413 to a body above `BODY_MAX`, whether or not its length was announced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > BODY_MAX:
            await _refuse(scope, receive, send)
            return
        read = 0
        begun = False

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_MAX:
                raise TooLarge
            return message

        async def answering(message: Message) -> None:
            nonlocal begun
            if read > BODY_MAX and not begun:
                return  # the framework takes what we raised for a body it cannot parse, and says so
            begun = True
            await send(message)

        with suppress(TooLarge):
            await self._app(scope, bounded, answering)
        if read > BODY_MAX and not begun:
            await _refuse(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    drained = 0
    while drained < DRAIN_MAX:
        message = await receive()
        drained += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = msgspec.json.encode(
        {
            "type": "about:blank",
            "title": "Content Too Large",
            "status": 413,
            "detail": f"a body has at most {BODY_MAX} bytes",
            "instance": scope["path"],
            "faults": [],
        }
    )
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
