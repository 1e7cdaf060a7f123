"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LIMIT_S = 20.0
"""Far more than anything here needs; only a failure waits this long."""


async def until(holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Return as soon as `holds()` is true; fail when it is not within `limit_s`."""
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110  # any condition, so there is nothing to subscribe to
            await asyncio.sleep(0.005)
