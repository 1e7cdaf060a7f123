"""A TCP proxy on loopback that behaves like a bad link: cut, refusing, slow, narrow, or silently swallowing.

All connections of one proxy share one narrow pipe in each direction, as villages share their modem: bytes wait in one
short queue in the order in which they came, and small kernel buffers keep the wait from hiding elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

CHUNK_BYTES = 512
BUFFER_BYTES = 4_096
QUEUE_BYTES_MAX = 8_192
"""What waits in one direction of the pipe; beyond it the senders are not read from any more."""
BURST_S = 0.02


@dataclass(slots=True)
class Line:
    """How the link is now; change it at run time. `bytes_per_s` None means unlimited; `delay_s` is one way.

    `swallow` takes bytes and passes none (half-open); `refuse` closes new connections at once.
    """

    bytes_per_s: float | None = None
    delay_s: float = 0.0
    swallow: bool = False
    refuse: bool = False


class _Pipe:
    """One direction: a queue shared by all connections, emptied at the line's rate in order of arrival."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._queue: deque[tuple[float, bytes, socket.socket]] = deque()
        self._waiting = 0
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._turn = asyncio.Lock()  # first come, first served: one greedy connection does not starve another
        self.passed_bytes = 0
        self.swallowed_bytes = 0

    async def put(self, data: bytes, to: socket.socket) -> None:
        """Queue bytes for `to`; waits while the pipe is full."""
        async with self._turn:
            while self._waiting >= QUEUE_BYTES_MAX:
                self._space.clear()
                await self._space.wait()
        self._waiting += len(data)
        self._queue.append((asyncio.get_running_loop().time(), data, to))
        self._news.set()

    async def run(self) -> None:
        """Carry bytes until cancelled."""
        loop = asyncio.get_running_loop()
        free_s = loop.time()
        while True:
            while not self._queue:
                self._news.clear()
                await self._news.wait()
            came_s, data, to = self._queue.popleft()
            rate = self._line.bytes_per_s
            if rate is not None:
                free_s = max(free_s, loop.time() - BURST_S) + len(data) / rate
            ready_s = max(came_s + self._line.delay_s, free_s if rate is not None else 0.0)
            if ready_s > loop.time():
                await asyncio.sleep(ready_s - loop.time())
            self._waiting -= len(data)
            self._space.set()
            if self._line.swallow:
                self.swallowed_bytes += len(data)
                continue
            self.passed_bytes += len(data)
            await _send(to, data)


class Proxy:
    """A proxy on 127.0.0.1 before one server. `line` is how the link is; `cut` breaks what is connected."""

    def __init__(self, host: str, port: int, line: Line | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.line = Line() if line is None else line
        self._target = (host, port)
        self._served: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self.accepted = 0
        self.refused = 0

    async def __aenter__(self) -> Self:
        self.up, self.down = _Pipe(self.line), _Pipe(self.line)
        listener = socket.create_server((self.host, 0), backlog=64)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listener.setblocking(False)
        self._listener = listener
        self.port = listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)
        for work, name in ((self.up.run(), "up"), (self.down.run(), "down")):
            self._spawn(work, f"proxy {name}", self._tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._served, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._served)

    def cut(self) -> None:
        """Break every connection at once, with a reset."""
        for task in self._served:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, among: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        among.add(task)
        task.add_done_callback(among.discard)
        return task

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection that waits; called by the loop, so that no cancelling can lose one half taken."""
        try:
            near, _ = listener.accept()
        except OSError:
            return
        if self.line.refuse:
            self.refused += 1
            _reset(near)
            return
        near.setblocking(False)
        far = socket.socket()
        far.setblocking(False)
        for end in (near, far):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._join(near, far)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        """Serve the two ends; they are closed even when a cut comes before the first step."""
        task = self._spawn(self._serve(near, far), "proxy connection", self._served)
        for end in (near, far):
            task.add_done_callback(partial(_reset, end))

    async def _serve(self, near: socket.socket, far: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().sock_connect(far, self._target)
            self.accepted += 1
            ways = (self._carry(near, far, self.up), self._carry(far, near, self.down))
            tasks = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                while self.line.swallow:  # noqa: ASYNC110  # half-open: the other end hears no goodbye either
                    await asyncio.sleep(0.05)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            self.refused += 1

    async def _carry(self, source: socket.socket, to: socket.socket, pipe: _Pipe) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(source, CHUNK_BYTES):
                await pipe.put(data, to)


async def _send(to: socket.socket, data: bytes) -> None:
    """Send all, unless the connection is gone; by looking again, for a socket may be closed meanwhile."""
    while data and to.fileno() >= 0:
        try:
            data = data[to.send(data) :]
        except BlockingIOError:
            await asyncio.sleep(0.002)
        except OSError:
            return


def _reset(end: socket.socket, _task: object = None) -> None:
    """Close with a reset: nothing that waits in a buffer still arrives."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    end.close()
