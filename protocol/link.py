"""One MQTT 5 connection, as both ends use it: bounded both ways, and never waiting for ever on a dead peer.

A link lives from `async with Link(...)` until the connection ends; then it is spent, and `keep_linked` makes the next
one after a jittered, capped back-off. Incoming messages wait in a bounded inbox; when that is full the newest is
discarded and counted, which is safe because everything of worth is sent again until the other end has its receipt.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import ssl
import traceback
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocol.codec import SIZE_MAX
from protocol.faults import Refused
from protocol.tls import Tls, client_context

T = TypeVar("T")

CLOSE_S_MAX = 1.0
"""How long a polite goodbye may take before the socket is cut."""
INFLIGHT_MAX = 20
"""Publications on their way at once; Mosquitto's own default, which the client library does not learn by itself."""


class LinkError(Exception):
    """The broker cannot be reached, refused something, or is gone; says which broker and why."""


class Incoming(NamedTuple):
    """One message. Data above the size limit is cut one byte beyond it, so that the codec refuses it as oversized."""

    topic: str
    data: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone without a goodbye."""

    topic: str
    data: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Which broker and how. Without `tls` the connection is plain, which only loopback and tests should be.

    `keepalive_s` bounds how long a silent connection is believed: it is given up between one and two of them.
    `packet_max` is the largest packet the broker may send us, in bytes.
    """

    host: str
    port: int
    client_id: str
    tls: Tls | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 10
    connect_timeout_s: float = 5.0
    publish_timeout_s: float = 10.0
    receive_max: int = 100
    packet_max: int = 4 * SIZE_MAX
    inbox_max: int = 1_000
    inbox_bytes_max: int = 16 * 1024 * 1024
    clean_start: bool = True

    def __str__(self) -> str:
        return f"{self.host}:{self.port} as {self.client_id}"


@dataclass(slots=True)
class LinkCounts:
    """What happened on one link. `discarded`: inbox full; `denied`: the broker acknowledged but refused us."""

    received: int = 0
    discarded: int = 0
    oversized: int = 0
    denied: int = 0


class _Inbox:
    """The waiting incoming messages, bounded by number and bytes; the newest is the victim."""

    def __init__(self, messages_max: int, bytes_max: int, counts: LinkCounts) -> None:
        self._waiting: deque[Incoming] = deque()
        self._bytes = 0
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._counts = counts
        self._wake = asyncio.Event()
        self.down: str | None = None

    def put(self, message: aiomqtt.Message) -> None:
        data = bytes(message.payload)
        self._counts.received += 1
        if len(data) > SIZE_MAX:
            self._counts.oversized += 1
            data = data[: SIZE_MAX + 1]
        if len(self._waiting) >= self._messages_max or self._bytes + len(data) > self._bytes_max:
            self._counts.discarded += 1
            return
        self._bytes += len(data)
        self._waiting.append(Incoming(str(message.topic), data, bool(message.retain)))
        self._wake.set()

    def fail(self, why: str) -> None:
        self.down = self.down or why
        self._wake.set()

    async def get(self) -> Incoming:
        while not self._waiting:
            if self.down is not None:
                raise LinkError(self.down)
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message.data)
        return message


class Link:
    """One connection; enter it to connect, leave it to say goodbye. Raises LinkError, and Refused for bad TLS files."""

    def __init__(self, endpoint: Endpoint, will: Will | None = None) -> None:
        self.endpoint = endpoint
        self.counts = LinkCounts()
        self._will = will
        self._inbox = _Inbox(endpoint.inbox_max, endpoint.inbox_bytes_max, self.counts)
        self._client: aiomqtt.Client | None = None
        self._watch: asyncio.Task[None] | None = None
        self._limits: set[asyncio.Timeout] = set()

    async def __aenter__(self) -> Self:
        to = self.endpoint
        context = client_context(to.tls) if to.tls is not None else None
        self._client = client = _client(to, self._will, context, self._inbox)
        client._client.connect_timeout = to.connect_timeout_s
        client._client.on_publish = self._noting_denials(client._client.on_publish)
        # The library connects in a thread that cannot be cancelled: let it end, then cut what it brought.
        entering = asyncio.ensure_future(client.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            entering.add_done_callback(lambda done: _cut(client, done))
            raise
        except (aiomqtt.MqttError, OSError, ValueError) as cause:
            await _cut_now(client)
            _let_go(cause)
            raise LinkError(f"broker {to}: {_words(cause)}") from cause
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
            await _cut_now(self._client)
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
        bad = [f"{text} ({code})" for (text, _), code in zip(wanted, codes, strict=True) if _failed(code)]
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
        """The library's own iterator never yields here (see `_client`); it only tells of the end."""
        try:
            await anext(client.messages)
        except aiomqtt.MqttError as cause:
            self._inbox.fail(f"broker {self.endpoint}: {_words(cause.__cause__ or cause)}")
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
        return LinkError(self._inbox.down or f"broker {self.endpoint}: {_words(cause)}")

    def _noting_denials(self, inner: Any) -> Any:
        def on_publish(client: Any, userdata: Any, mid: int, code: Any, properties: Any) -> None:
            self.counts.denied += _failed(code)
            inner(client, userdata, mid, code, properties)

        return on_publish


def _client(to: Endpoint, will: Will | None, context: ssl.SSLContext | None, inbox: _Inbox) -> aiomqtt.Client:
    class Sink(asyncio.Queue[aiomqtt.Message]):
        """Hands arrivals straight to our bounded inbox; the library's own queue stays empty for ever."""

        def put_nowait(self, item: aiomqtt.Message) -> None:
            inbox.put(item)

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = to.receive_max
    properties.MaximumPacketSize = to.packet_max
    client = aiomqtt.Client(
        to.host,
        to.port,
        identifier=to.client_id,
        username=to.username,
        password=to.password,
        protocol=aiomqtt.ProtocolVersion.V5,
        will=aiomqtt.Will(will.topic, will.data, 1, will.retain) if will is not None else None,
        timeout=to.connect_timeout_s,
        keepalive=to.keepalive_s,
        clean_start=to.clean_start,
        queue_type=Sink,
        max_inflight_messages=INFLIGHT_MAX,
        properties=properties,
        tls_context=context,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = 10_000
    return client


def _cut(client: aiomqtt.Client, done: asyncio.Future[Any] | None = None) -> None:
    """Shut the socket under the library, which then closes it itself; it offers no way of its own."""
    if done is not None and not done.cancelled():
        done.exception()
    sock = client._client.socket()
    if isinstance(sock, socket.socket):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


async def _cut_now(client: aiomqtt.Client) -> None:
    """Cut, and let the loop hand the library its end of file, on which it closes."""
    _cut(client)
    for _ in range(10):
        if client._client.socket() is None:
            break
        await asyncio.sleep(0)


def _let_go(cause: BaseException) -> None:
    """A failed TLS handshake leaves its socket open in the error's own frames; free it now, not some day."""
    inner: BaseException | None = cause
    while inner is not None:
        traceback.clear_frames(inner.__traceback__)
        inner = inner.__context__


def _failed(code: object) -> bool:
    return bool(getattr(code, "is_failure", isinstance(code, int) and code >= 0x80))


def _words(cause: BaseException) -> str:
    if isinstance(cause, TimeoutError):
        return "no acknowledgement in time"
    text = str(cause).split("] ", 1)[-1] or type(cause).__name__
    return "the connection was lost" if text == "Unspecified error" else text


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before trying again: doubling from `first_s` up to `cap_s`, each time between half and whole."""

    first_s: float = 0.5
    cap_s: float = 30.0

    def delay_s(self, attempt: int, rng: random.Random) -> float:
        """The wait before attempt number `attempt`, counted from 0."""
        whole_s = min(self.cap_s, self.first_s * 2.0 ** min(attempt, 30))
        return whole_s * rng.uniform(0.5, 1.0)


async def keep_linked(
    connect: Callable[[], Link],
    serve: Callable[[Link], Awaitable[None]],
    *,
    backoff: Backoff,
    rng: random.Random,
    on_down: Callable[[str, float], None],
    steady_s: float = 5.0,
) -> None:
    """Connect, `serve` the link until it fails, back off, and again, until cancelled.

    `on_down` hears each failure and the wait in s that follows. Only a link that held for `steady_s` starts the
    back-off anew, so that a broker which accepts and drops is not hammered.
    """
    clock = asyncio.get_running_loop().time
    attempt = 0
    while True:
        began_s = clock()
        try:
            async with connect() as link:
                await serve(link)
            why = "ended by its server"
        except (LinkError, Refused) as cause:  # TLS files may be renewed while we run
            why = str(cause)
        if clock() - began_s >= steady_s:
            attempt = 0
        wait_s = backoff.delay_s(attempt, rng)
        attempt += 1
        on_down(why, wait_s)
        await asyncio.sleep(wait_s)
