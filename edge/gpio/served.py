"""Lines of the simulator's line server, over a Unix socket: one JSON array a line, kernel-like events.

gateway → server   ["request", [inputs], {output: bool}]   ["read", n]   ["set", line, bool, n]
server → gateway   ["ok", n]  ["values", n, {input: bool}]  ["edge", line, bool, at_ns, seqno]  ["error", n, why]
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.gpio.lines import Edge, LineSettings, LinesLost

ANSWER_S = 5.0


class ServedLines:
    """`edge.gpio.lines.Lines` over a socket path."""

    def __init__(self, path: str, settings: LineSettings) -> None:
        self._path = path
        self._inputs, self._outputs = settings.named("in"), settings.named("out")
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._on_edges: Callable[[Sequence[Edge]], None] = lambda edges: None
        self._on_lost: Callable[[str], None] = lambda reason: None

    async def open(
        self, outputs: Mapping[str, bool], on_edges: Callable[[Sequence[Edge]], None], on_lost: Callable[[str], None]
    ) -> None:
        """Connect and request the lines."""
        self.close()
        try:
            reader, self._writer = await asyncio.open_unix_connection(self._path)
        except OSError as cause:
            raise LinesLost(f"{self._path}: {cause.strerror or cause}") from cause
        self._on_edges, self._on_lost = on_edges, on_lost
        self._reading = asyncio.create_task(self._listen(reader), name=f"lines {self._path}")
        wanted = {name: outputs.get(name, False) for name in self._outputs}
        await self._ask("request", self._inputs, wanted)

    async def read(self) -> Mapping[str, bool]:
        """Every input; the server sends waiting edges before its answer."""
        values = await self._ask("read")
        return {name: bool(values[name]) for name in self._inputs}

    async def write(self, line: str, active: bool) -> None:
        """Set an output and wait for the server to have it."""
        await self._ask("set", line, active)

    def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._fail("closed")

    async def _ask(self, *words: Any) -> Any:
        if self._writer is None:
            raise LinesLost(f"{self._path}: not connected")
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(json.dumps([*words, number]).encode() + b"\n")
            await self._writer.drain()
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except (OSError, TimeoutError) as cause:
            raise LinesLost(f"{self._path}: {str(cause) or 'no answer'}") from cause
        finally:
            self._answers.pop(number, None)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        reason = "the line server hung up"
        try:
            while line := await reader.readline():
                self._heard(json.loads(line))
        except (OSError, ValueError) as cause:
            reason = str(cause)
        self._fail(reason)
        self._on_lost(f"{self._path}: {reason}")

    def _heard(self, words: list[Any]) -> None:
        if words[0] == "edge":
            self._on_edges([Edge(*words[1:])])
            return
        answer = self._answers.get(words[1])
        if answer is None or answer.done():
            return
        if words[0] == "error":
            answer.set_exception(LinesLost(f"{self._path}: {words[2]}"))
        else:
            answer.set_result(words[2] if len(words) > 2 else None)

    def _fail(self, reason: str) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(LinesLost(f"{self._path}: {reason}"))
