"""A Modbus TCP server with many units, as a module or a serial gateway is; also RTU frames through TCP."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import Literal, Self

from simulators.modbus.bus import Units
from simulators.modbus.frames import RtuFraming, SocketFraming
from simulators.modbus.unit import SimUnit


class TcpServer:
    """`async with TcpServer([unit]) as server` listens on `server.port`, which stays the same over stop and start.

    `open` are the connections there are.
    """

    def __init__(
        self,
        units: Iterable[SimUnit],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framing: Literal["socket", "rtu"] = "socket",
    ) -> None:
        self.host, self.port = host, port
        self.connects = 0
        self.units = Units(units, SocketFraming() if framing == "socket" else RtuFraming())
        self._server: asyncio.Server | None = None
        self.open: set[_Connection] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def connected(self) -> int:
        """Connections that are open."""
        return len(self.open)

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every connection and refuse new ones until `start`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop()
        await self.units.bell.until(lambda: not self.open, "the connections to end")
        await self.units.cancel()

    def drop(self) -> None:
        """Close every connection with a reset, as a rebooting gateway does; new ones are accepted."""
        for connection in [*self.open]:
            connection.abort()

    async def reconnected(self, times: int = 1) -> None:
        """Wait for so many more connections. Raises TimeoutError."""
        goal = self.connects + times
        await self.units.bell.until(lambda: self.connects >= goal, f"{times} connections")


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: TcpServer) -> None:
        self._server, self._rest = server, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.open.add(self)
        self._server.connects += 1
        self._server.units.bell.ring()

    def data_received(self, data: bytes) -> None:
        self._rest = self._server.units.receive(self._rest + data, self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open.discard(self)
        self._server.units.bell.ring()

    def abort(self) -> None:
        assert self._transport is not None
        wire = self._transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means reset
        self._transport.abort()

    def _send(self, frame: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(frame)
