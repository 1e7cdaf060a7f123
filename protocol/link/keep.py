"""Keeping a link: connect, serve, back off, and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protocol.faults import Refused
from protocol.link.connection import Link
from protocol.link.endpoint import LinkError


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before trying again: doubling from `first_s` up to `cap_s`, each time between half and whole."""

    first_s: float = 0.5
    cap_s: float = 30.0

    def delay_s(self, attempt: int, rng: random.Random) -> float:
        """The wait before attempt number `attempt`, counted from 0."""
        whole_s = min(self.cap_s, self.first_s * 2.0 ** min(attempt, 30))
        return whole_s * rng.uniform(0.5, 1.0)


class Tries:
    """The waits between one connection and the next.

    Only one that held for `steady_s` starts the back-off anew, so that a broker which accepts and drops is not
    hammered.
    """

    def __init__(self, backoff: Backoff, rng: random.Random, steady_s: float = 5.0) -> None:
        self._backoff, self._rng, self._steady_s = backoff, rng, steady_s
        self._attempt = 0

    def wait_s(self, held_s: float) -> float:
        """How long to wait after a try that began, and held, `held_s` before it failed."""
        if held_s >= self._steady_s:
            self._attempt = 0
        wait_s = self._backoff.delay_s(self._attempt, self._rng)
        self._attempt += 1
        return wait_s


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

    `on_down` hears each failure and the wait in s that follows.
    """
    clock = asyncio.get_running_loop().time
    tries = Tries(backoff, rng, steady_s)
    while True:
        began_s = clock()
        try:
            async with connect() as link:
                await serve(link)
            why = "ended by its server"
        except (LinkError, Refused) as cause:  # TLS files may be renewed while we run
            why = str(cause)
        wait_s = tries.wait_s(clock() - began_s)
        on_down(why, wait_s)
        await asyncio.sleep(wait_s)
