"""The turns of the gateway's fold: inputs in their order, deadlines once none waits, effects as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from edge.clock import Clock
from edge.core.gateway import Gateway
from edge.core.io import Effect, Tick
from edge.inbox import Inbox

STEPS_MAX = 200
"""Inputs taken in one go before the others have their turn."""


class Fold:
    """The fold between its inbox and what performs its effects."""

    def __init__(
        self, gateway: Gateway, inbox: Inbox, clock: Clock, perform: Callable[[Sequence[Effect]], None]
    ) -> None:
        self._gateway, self._inbox, self._clock, self._perform = gateway, inbox, clock, perform

    def turn(self) -> int | None:
        """Take what waits, or what is due where nothing does. Gives for how many ns there is nothing more to do: 0
        where there is already, None where only an input can change that."""
        for _ in range(min(len(self._inbox), STEPS_MAX)):
            self._perform(self._gateway.step(self._inbox.take(), self._clock.now()))
        if len(self._inbox):
            return 0
        due_ns, now = self._gateway.next_due_ns(), self._clock.now()
        if due_ns is None:
            return None
        if due_ns > now.mono_ns:
            return due_ns - now.mono_ns
        self._perform(self._gateway.step(Tick(), now))
        return 0


async def run(fold: Fold, inbox: Inbox) -> None:
    """Turn until cancelled."""
    news = asyncio.Event()
    inbox.on_news = news.set
    while True:
        news.clear()
        wait_ns = fold.turn()
        if wait_ns == 0:
            await asyncio.sleep(0)
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_ns is None else wait_ns / 1e9):
                await news.wait()
