"""One connection of a bus: ask, get the right answer, or learn why not. Owns no policy and never reconnects."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import termios
from collections.abc import Callable
from typing import Any, Protocol

from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import DecodePDU, ModbusPDU

from edge.modbus.replies import BUFFER_MAX, RtuReplies, SocketReplies
from edge.modbus.requests import Request

CONNECT_TIMEOUT_S = 3.0
DEAD_PEER_MS = 10_000  # a peer whose kernel acknowledges nothing for so long is gone; a silent unit's gateway is not
NEVER = 2**62  # unanswered requests before pymodbus would close the connection that other units share

# pymodbus logs every time-out as an error; a dead unit is a reading and a counter here, not a line every probe.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class NoAnswer(Exception):
    """The unit let the request time out, or the gateway before it says that it did."""


class LinkLost(Exception):
    """The connection is gone: no unit of the bus can be asked."""


class MakeClient(Protocol):
    """Makes the pymodbus client of a bus, not yet connected; `lost` is to be its `trace_connect`."""

    def __call__(self, lost: Callable[[bool], None]) -> ModbusBaseClient: ...


class Link:
    """One attempt at one connection. Use `open`, then `ask` one request at a time, then `close`."""

    def __init__(
        self, make: MakeClient, *, serial_framing: bool, byte_s: float, gap_s: float, on_lost: Callable[[], None]
    ) -> None:
        self._make, self._serial_framing, self._byte_s, self._gap_s = make, serial_framing, byte_s, gap_s
        self._on_lost = on_lost
        self._client: ModbusBaseClient | None = None
        self._replies: RtuReplies | SocketReplies | None = None
        self._asking = False
        self._quiet_until_s = 0.0

    @property
    def up(self) -> bool:
        """Whether there is a connection to ask on."""
        return self._client is not None and bool(self._client.connected)

    async def open(self) -> str | None:
        """Connect; says why that failed, or None."""
        client = self._client = self._make(self._traced)
        client.ctx.comm_params.timeout_connect = CONNECT_TIMEOUT_S
        client.ctx.max_buffer_size = BUFFER_MAX
        client.set_max_no_responses(NEVER)
        self._replies = (RtuReplies if self._serial_framing else SocketReplies)(DecodePDU(False))
        client.ctx.framer = self._replies
        create, why = client.ctx.call_create, "no answer"

        async def noting() -> Any:
            nonlocal why
            try:
                return await create()
            except OSError as cause:
                why = str(cause)
                raise

        client.ctx.call_create = noting  # pymodbus itself tells its own log alone
        try:
            connected = await client.connect()
        except (OSError, termios.error, ModbusException) as cause:
            connected, why = False, str(cause)
        _keep_cancelled()
        if not (connected and self.up):
            return f"cannot connect: {why}"
        self._notice_dead_peer()
        return None

    def close(self) -> None:
        """Let go of the line."""
        if self._client is not None:
            self._client.close()

    async def ask(self, request: Request, timeout_ms: int) -> ModbusPDU:
        """Send and wait for the reply, which may be an exception response. Raises NoAnswer or LinkLost.

        The time-out runs from the moment when the frames have passed the line at its speed.
        """
        if self._client is None or self._replies is None or not self.up:
            raise LinkLost("not connected")
        loop = asyncio.get_running_loop()
        if (quiet_s := self._quiet_until_s - loop.time()) > 0:
            await asyncio.sleep(quiet_s)
        self._replies.expected = request.expected
        self._client.ctx.comm_params.timeout_connect = timeout_ms / 1000 + request.frame_bytes * self._byte_s
        self._asking = True
        try:
            reply: ModbusPDU = await self._client.execute(False, request.pdu)
        except ConnectionException as error:
            raise LinkLost("connection lost") from error  # its own words name the library
        except OSError as error:
            raise LinkLost(str(error)) from error
        except ModbusException as error:
            if not self.up:
                raise LinkLost("connection lost") from error
            raise NoAnswer(f"no answer within {timeout_ms} ms") from error
        finally:
            self._asking = False
            self._replies.expected = None
            self._quiet_until_s = loop.time() + self._gap_s
        _keep_cancelled()
        return reply

    def _traced(self, connected: bool) -> None:
        """pymodbus leaves the request in flight waiting when the connection goes; end it at once."""
        if connected or self._client is None:
            return
        answer = self._client.ctx.response_future
        if self._asking and not answer.done():
            answer.set_exception(ConnectionException("connection lost"))
        self._on_lost()

    def _notice_dead_peer(self) -> None:
        """A cut cable sends no FIN; let the kernel tell a dead host from a live gateway with a silent unit."""
        assert self._client is not None
        wire = self._client.ctx.transport.get_extra_info("socket")
        if wire is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            with contextlib.suppress(OSError):
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)


def _keep_cancelled() -> None:
    """Python 3.11's wait_for, which pymodbus waits with, forgets a cancellation that comes together with the reply."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
