"""A GPIO chip on a Unix socket: lines that a test or a scenario moves, with the kernel's events, numbers and limits.

Levels are logical, as the gateway reads them: after pull, active-low and the kernel's debounce.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

EVENTS_MAX = 64
"""Edges that wait for a gateway that does not read; the oldest goes first and leaves a hole in its line's numbers."""
TRANSITIONS_MAX = 10_000


class Transition(NamedTuple):
    """An output was switched at monotonic `at_ns`."""

    at_ns: int
    on: bool


class GpioChip:
    """Serve `inputs` and `outputs` on a socket path; one gateway at a time holds the lines, as with the kernel.

    When it lets go, the outputs fall to off, as fail-safe relays do.
    """

    def __init__(
        self,
        path: Path | str,
        inputs: Iterable[str],
        outputs: Iterable[str] = (),
        *,
        events_max: int = EVENTS_MAX,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.path = Path(path)
        self._levels = dict.fromkeys(inputs, False)
        self._outputs = dict.fromkeys(outputs, False)
        self._moves: dict[str, deque[Transition]] = {name: deque(maxlen=TRANSITIONS_MAX) for name in self._outputs}
        self._events_max, self._clock = events_max, clock
        self._server: asyncio.Server | None = None
        self._holder: _Holder | None = None
        self._changed = asyncio.Condition()
        self._told: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> GpioChip:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        """Hang up on the gateway and be gone, as when the simulator is restarted."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()
            self._server = None
            self.path.unlink(missing_ok=True)

    def drop(self) -> None:
        """Hang up on the gateway, and go on listening."""
        if self._holder is not None:
            self._holder.hang_up()

    @property
    def held(self) -> bool:
        """Whether a gateway holds the lines."""
        return self._holder is not None

    def set(self, line: str, active: bool) -> None:
        """Move an input; nothing happens where it is so already."""
        if line not in self._levels:
            raise KeyError(f"no input {line!r}; inputs: {', '.join(self._levels)}")
        if self._levels[line] != active:
            self._levels[line] = active
            if self._holder is not None:
                self._holder.edge(line, active, self._clock())

    def level(self, line: str) -> bool:
        """The level of an input."""
        return self._levels[line]

    def get(self, output: str) -> bool:
        """What an output is switched to."""
        return self._outputs[output]

    def transitions(self, output: str) -> list[Transition]:
        """Every switching of an output since the chip was made."""
        return list(self._moves[output])

    def switched_ns(self, output: str) -> int | None:
        """When an output was last switched, monotonic ns; None if never."""
        moves = self._moves[output]
        return moves[-1].at_ns if moves else None

    def chatter(self, line: str, times: int) -> None:
        """Move an input there and back at once, so often; more than the buffer holds makes holes."""
        for _ in range(times):
            self.set(line, not self._levels[line])
            self.set(line, not self._levels[line])

    async def press(self, line: str, hold_s: float = 0.05) -> None:
        """Press and let go of a button."""
        self.set(line, True)
        await asyncio.sleep(hold_s)
        self.set(line, False)

    async def until(self, output: str, on: bool, timeout_s: float = 10.0) -> None:
        """Wait until an output is switched so. Raises TimeoutError naming it."""
        await self._until(lambda: self._outputs[output] == on, f"{output} did not become {on}", timeout_s)

    async def until_held(self, timeout_s: float = 10.0) -> None:
        """Wait until a gateway holds the lines."""
        await self._until(lambda: self._holder is not None, "no gateway requested the lines", timeout_s)

    async def _until(self, holds: Callable[[], bool], otherwise: str, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError as cause:
            raise TimeoutError(f"{otherwise} within {timeout_s} s") from cause

    def _switch(self, output: str, on: bool) -> None:
        if self._outputs[output] != on:
            self._outputs[output] = on
            self._moves[output].append(Transition(self._clock(), on))
            self._tell()

    def _tell(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Holder(writer, self._events_max)
        sending = asyncio.create_task(connection.send(), name=f"gpio {self.path}")
        try:
            while line := await reader.readline():
                connection.answer(self._answer(connection, json.loads(line)))
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # the gateway is gone, or talks no sense: hang up
        finally:
            sending.cancel()
            connection.hang_up()
            if self._holder is connection:
                self._holder = None
                for output in self._outputs:
                    self._switch(output, False)

    def _answer(self, connection: _Holder, words: list[Any]) -> list[Any]:
        match words:
            case ["request", list(inputs), dict(outputs), int(number)]:
                unknown = [name for name in [*inputs, *outputs] if name not in self._levels | self._outputs]
                if self._holder not in (None, connection):
                    return ["error", number, "the lines are held by another gateway"]
                if unknown or not self._levels.keys() >= set(inputs) or not self._outputs.keys() >= set(outputs):
                    known = f"inputs {', '.join(self._levels)}; outputs {', '.join(self._outputs)}"
                    return ["error", number, f"unknown lines {', '.join(unknown) or 'by direction'}; {known}"]
                self._holder = connection
                for output, on in outputs.items():
                    self._switch(output, on)
                self._tell()
                return ["ok", number]
            case ["read", int(number)]:
                return ["values", number, dict(self._levels)]
            case ["set", str(output), bool(on), int(number)] if output in self._outputs and self._holder is connection:
                self._switch(output, on)
                return ["ok", number]
        number = words[-1] if words and isinstance(words[-1], int) else 0
        return ["error", number, f"cannot {words[0] if words else 'do nothing'}"]


class _Holder:
    """One connection: its numbers per line, its bounded buffer of edges, and answers in order behind them."""

    def __init__(self, writer: asyncio.StreamWriter, events_max: int) -> None:
        self._writer = writer
        self._seqnos: dict[str, int] = {}
        self._edges: deque[list[Any]] = deque(maxlen=events_max)
        self._wake = asyncio.Event()

    def edge(self, line: str, active: bool, at_ns: int) -> None:
        """Queue an edge; the oldest falls out of a full buffer."""
        seqno = self._seqnos[line] = self._seqnos.get(line, 0) + 1
        self._edges.append(["edge", line, active, at_ns, seqno])
        self._wake.set()

    def answer(self, words: list[Any]) -> None:
        """Answer, after the edges that came before."""
        self._flush()
        self._writer.write(json.dumps(words).encode() + b"\n")

    async def send(self) -> None:
        """Send edges as the gateway takes them."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._flush()
            await self._writer.drain()

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()

    def _flush(self) -> None:
        while self._edges:
            self._writer.write(json.dumps(self._edges.popleft()).encode() + b"\n")
