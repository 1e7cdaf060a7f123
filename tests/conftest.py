"""Fixtures for all tests: a real Mosquitto and a real InfluxDB on ephemeral loopback ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from simulators.broker import APT_LINE, Broker, find_mosquitto
from simulators.influx import APT_INFLUXDB, Tsdb, installed


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


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an InfluxDB 1.x shared by the tests of this process; each makes databases of its own."""
    if not installed():
        pytest.fail(f"this test needs a real InfluxDB: {APT_INFLUXDB}")
    with asyncio.Runner() as runner:
        server = Tsdb(tmp_path_factory.mktemp("influxdb"))
        runner.run(server.start())
        yield server.url
        runner.run(server.stop())
