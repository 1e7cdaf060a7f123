"""Orders are answered once the outputs of their step were tried: a siren that did not obey is no DONE."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from edge.effects import ANSWER_S_MAX
from protocol.messages import Result

Tried: TypeAlias = list[tuple[str, Awaitable[str | None]]]


class Answers:
    """One task an answer. `reply` hears the order, its results and the outputs that failed, with why."""

    def __init__(self, reply: Callable[[str, Sequence[Result], Mapping[str, str]], None]) -> None:
        self._reply = reply
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, order: str, results: tuple[Result, ...], tried: Tried) -> None:
        """Reply as soon as it is known how these outputs took it."""
        task = asyncio.create_task(self._answer(order, results, tried), name=f"answer {order}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, order: str, results: tuple[Result, ...], tried: Tried) -> None:
        self._reply(order, results, await _failed(tried))


async def _failed(tried: Tried) -> dict[str, str]:
    """The outputs that did not do as told in time, with why."""
    failed: dict[str, str] = {}
    until_s = asyncio.get_running_loop().time() + ANSWER_S_MAX
    for output, outcome in tried:
        try:
            async with asyncio.timeout_at(until_s):
                reason = await outcome
        except TimeoutError:
            reason = f"still being tried after {ANSWER_S_MAX} s"
        if reason is not None:
            failed[output] = reason
    return failed
