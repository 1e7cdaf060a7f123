"""Scenarios over real processes: broker, hub and three gateways on real wires come to what virtual time says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.scenario import load, names
from simulators.scenes.real import calm, judge
from simulators.village import Village

REAL = [name for name in names() if load(name).real]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory, mosquitto_path: Path) -> AsyncIterator[Village]:
    """One village for all of them: each begins when the one before is resolved and stood down."""
    async with Village(tmp_path_factory.mktemp("village"), broker_kind="mosquitto") as village:
        yield village


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REAL)
async def test_a_scenario_comes_out_over_real_processes(name: str, village: Village) -> None:
    """Its incidents, calls, answers, stand-downs and sirens are those its file expects."""
    await calm(village)
    assert [] == await judge(village, load(name))


def test_ten_scenarios_are_played_over_real_processes() -> None:
    """As many as the specification asks for."""
    assert 10 <= len(REAL)
