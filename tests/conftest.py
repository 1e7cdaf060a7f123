"""Fixtures for all tests: a real Mosquitto on an ephemeral loopback port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.broker import APT_LINE, Broker, find_mosquitto


@pytest.fixture(scope="session")
def mosquitto_path() -> Path:
    """Where Mosquitto is; without one the test fails, because nothing stands in for the real broker."""
    found = find_mosquitto()
    if found is None:
        pytest.fail(f"this test needs a real Mosquitto: {APT_LINE}")
    return found


@pytest.fixture
async def broker(mosquitto_path: Path, tmp_path: Path) -> AsyncIterator[Broker]:
    """A Mosquitto of this test's own, with .host, .port, await .kill() and await .restart()."""
    async with Broker(tmp_path / "broker", kind="mosquitto") as running:
        yield running
