"""Presses one after another, each until its receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

EVERY_S = 0.1
LIMIT_S = 120.0


async def presses(press: Callable[[], Awaitable[Callable[[], bool]]], goes_on: Callable[[int], bool]) -> list[float]:
    """How long each took, ms, while `goes_on` says so of how many there were. `press` answers whether its own has its
    receipt by now. Raises TimeoutError for one that never has."""
    found: list[float] = []
    while goes_on(len(found)):
        began_s = perf_counter()
        receipted = await press()
        async with asyncio.timeout(LIMIT_S):
            while not receipted():  # noqa: ASYNC110  # receipts come from the link's own task
                await asyncio.sleep(0.001)
        found.append((perf_counter() - began_s) * 1000)
        await asyncio.sleep(max(0.0, EVERY_S - (perf_counter() - began_s)))
    return found
