"""The client library and its sharp edges: made with bounds, cut where it would not let go, its errors in words."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocol.link.endpoint import Endpoint, Will
from protocol.link.inbox import Inbox

INFLIGHT_MAX = 20
"""Publications on their way at once; Mosquitto's own default, which the client library does not learn by itself."""


def make(to: Endpoint, will: Will | None, context: ssl.SSLContext | None, inbox: Inbox) -> aiomqtt.Client:
    """The library's client for one connection; what arrives goes to `inbox`."""

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
        identifier=to.client_id + to.secret,
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


def cut(client: aiomqtt.Client, done: asyncio.Future[Any] | None = None) -> None:
    """Shut the socket under the library, which then closes it itself; it offers no way of its own."""
    if done is not None and not done.cancelled():
        done.exception()
    sock = client._client.socket()
    if isinstance(sock, socket.socket):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


async def cut_now(client: aiomqtt.Client) -> None:
    """Cut, and let the loop hand the library its end of file, on which it closes."""
    cut(client)
    for _ in range(10):
        if client._client.socket() is None:
            break
        await asyncio.sleep(0)


def let_go(cause: BaseException) -> None:
    """A failed TLS handshake leaves its socket open in the error's own frames; free it now, not some day."""
    inner: BaseException | None = cause
    while inner is not None:
        traceback.clear_frames(inner.__traceback__)
        inner = inner.__context__


def failed(code: object) -> bool:
    """Whether a reason code refuses."""
    return bool(getattr(code, "is_failure", isinstance(code, int) and code >= 0x80))


def words(cause: BaseException) -> str:
    """What went wrong, as a person would say it."""
    if isinstance(cause, TimeoutError):
        return "no acknowledgement in time"
    text = str(cause).split("] ", 1)[-1] or type(cause).__name__
    return "the connection was lost" if text == "Unspecified error" else text
