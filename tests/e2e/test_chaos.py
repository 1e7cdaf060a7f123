"""Processes are killed and links cut while buttons are pressed: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from simulators.chaos.run import chaos
from simulators.chaos.verdict import Size

SEEDS = [11]
SHORT = Size(minutes=0.8, kills=14, gateways=3, chips=1, rate_s=8.0)


def _told(line: str) -> None:
    sys.stderr.write(line + "\n")


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_lost_and_nothing_twice_whatever_dies(seed: int, tmp_path: Path, mosquitto_path: Path) -> None:
    """Gateways, hub and broker killed, links spoilt, stores locked: every press is one record and one incident."""
    verdict = await chaos(tmp_path, seed, SHORT, _told)
    figures = verdict.figures()
    assert [] == verdict.stories(), json.dumps(figures)
    expected = {"ok": True, "lost": 0, "duplicated": 0, "kills_total": SHORT.kills}
    assert expected == {name: figures[name] for name in expected}
    assert figures["sent"] == figures["committed"] == figures["incidents_expected"] == figures["incidents_found"]
    assert figures["sent"] > 100
    assert min(figures["kills"].values()) > 0
