"""One connection, as long as it lasts."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import aiomqtt

from protocol.codec import SIZE_MAX
from protocol.link.client import cut, cut_now, failed, let_go, make, words
from protocol.link.endpoint import Endpoint, Incoming, LinkCounts, LinkError, Will
from protocol.link.inbox import Inbox
from protocol.tls import client_context

T = TypeVar("T")

CLOSE_S_MAX = 0.5
"""How long a polite goodbye may take before the socket is cut."""


class Link:
    """One connection; enter it to connect, leave it to say goodbye. Raises LinkError, and Refused for bad TLS files."""

    def __init__(self, endpoint: Endpoint, will: Will | None = None) -> None:
        self.endpoint = endpoint
        self.counts = LinkCounts()
        self._will = will
        self._inbox = Inbox(endpoint.inbox_max, endpoint.inbox_bytes_max, self.counts)
        self._client: aiomqtt.Client | None = None
        self._watch: asyncio.Task[None] | None = None
        self._limits: set[asyncio.Timeout] = set()

    async def __aenter__(self) -> Self:
        to = self.endpoint
        context = client_context(to.tls, timed=to.timed) if to.tls is not None else None
        self._client = client = make(to, self._will, context, self._inbox)
        client._client.connect_timeout = to.connect_timeout_s
        client._client.on_publish = self._noting_denials(client._client.on_publish)
        # The library connects in a thread that cannot be cancelled: let it end, then cut what it brought.
        entering = asyncio.ensure_future(client.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            entering.add_done_callback(lambda done: cut(client, done))
            raise
        except (aiomqtt.MqttError, OSError, ValueError) as cause:
            await cut_now(client)
            let_go(cause)
            raise LinkError(f"broker {to}: {words(cause)}") from cause
        self._watch = asyncio.create_task(self._until_down(client), name=f"link {to.client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client is not None
        self._client.timeout = CLOSE_S_MAX
        try:
            await self._client.__aexit__(kind, error, trace)
        except aiomqtt.MqttError:
            await cut_now(self._client)
        finally:
            self._inbox.fail(f"broker {self.endpoint}: closed by us")
            if self._watch is not None:
                self._watch.cancel()
                await asyncio.gather(self._watch, return_exceptions=True)

    async def subscribe(self, filters: Iterable[str], qos: int = 1) -> None:
        """Subscribe to all of them. Raises LinkError naming every filter the broker does not grant."""
        assert self._client is not None
        wanted = [(text, qos) for text in filters]
        try:
            work = self._client.subscribe(wanted, timeout=math.inf)
            codes = await self._bounded(work, self.endpoint.publish_timeout_s)
        except (aiomqtt.MqttError, OSError, ValueError) as cause:
            raise self._lost(cause) from cause
        bad = [f"{text} ({code})" for (text, _), code in zip(wanted, codes, strict=True) if failed(code)]
        if bad:
            raise LinkError(f"broker {self.endpoint}: does not grant {', '.join(bad)}")

    async def publish(
        self, topic: str, data: bytes, *, qos: int = 1, retain: bool = False, timeout_s: float | None = None
    ) -> None:
        """Publish and wait for the broker's PUBACK (which proves nothing beyond the broker).

        Raises LinkError when refused as oversized, when the link is down, or after `timeout_s`: the peer is then half
        gone, and the caller should leave the link.
        """
        assert self._client is not None
        if len(data) > SIZE_MAX:
            raise LinkError(f"{topic}: {len(data)} bytes; at most {SIZE_MAX} may be sent")
        if self._inbox.down is not None:
            raise LinkError(self._inbox.down)
        limit_s = self.endpoint.publish_timeout_s if timeout_s is None else timeout_s
        try:
            await self._bounded(self._client.publish(topic, data, qos=qos, retain=retain, timeout=math.inf), limit_s)
        except (aiomqtt.MqttError, OSError, ValueError) as cause:
            raise self._lost(cause) from cause

    async def messages(self) -> AsyncIterator[Incoming]:
        """What arrives, in order. Raises LinkError when the link goes down; for one reader."""
        while True:
            yield await self._inbox.get()

    @property
    def down(self) -> str | None:
        """Why the link is down, or None while it is up."""
        return self._inbox.down

    async def _until_down(self, client: aiomqtt.Client) -> None:
        """The library's own iterator never yields here (see `make`); it only tells of the end."""
        try:
            await anext(client.messages)
        except aiomqtt.MqttError as cause:
            self._inbox.fail(f"broker {self.endpoint}: {words(cause.__cause__ or cause)}")
        for limit in self._limits:
            with contextlib.suppress(RuntimeError):  # its own time came at the same moment
                limit.reschedule(asyncio.get_running_loop().time())

    async def _bounded(self, work: Awaitable[T], limit_s: float) -> T:
        """Wait for an acknowledgement, but neither beyond the limit nor beyond the link; the library does not mind."""
        async with asyncio.timeout(limit_s) as limit:
            self._limits.add(limit)
            try:
                return await work
            finally:
                self._limits.discard(limit)

    def _lost(self, cause: Exception) -> LinkError:
        return LinkError(self._inbox.down or f"broker {self.endpoint}: {words(cause)}")

    def _noting_denials(self, inner: Any) -> Any:
        def on_publish(client: Any, userdata: Any, mid: int, code: Any, properties: Any) -> None:
            self.counts.denied += failed(code)
            inner(client, userdata, mid, code, properties)

        return on_publish
