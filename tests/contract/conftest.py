"""A hub in this process and a gateway's end of the wire, for what is tried over a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.broker import Broker
from tests.support.centre import Running, SaidGateway, gateway, running


@pytest.fixture
async def hub(broker: Broker, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, broker) as found:
        yield found


@pytest.fixture
async def gw(broker: Broker, hub: Running) -> AsyncIterator[SaidGateway]:
    async with gateway(broker) as found:
        yield found
