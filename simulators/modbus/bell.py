"""Wait until something is so, without polling and without guessing how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LIMIT_S = 10.0  # only a hang takes so long; nobody waits for it when all is well


class Bell:
    """Rung at every change; whoever waits looks again."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Something changed."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, so: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Return when `so()`. Raises TimeoutError naming what did not come."""
        try:
            async with asyncio.timeout(limit_s):
                while not so():
                    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
                    try:
                        await future
                    finally:
                        self._waiting.discard(future)
        except TimeoutError:
            raise TimeoutError(f"waited {limit_s} s for {what}") from None
