"""Processes are killed and links cut while buttons are pressed: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

SEEDS = [11]
KILLS = 14
LIMIT_S = 280


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_lost_and_nothing_twice_whatever_dies(seed: int, tmp_path: Path, mosquitto_path: Path) -> None:
    """Gateways, hub and broker killed, links spoilt, stores locked: every press is one record and one incident, and
    the command says so in one JSON object."""
    words = (
        f"simulate chaos --store influxdb --minutes 0.8 --kills {KILLS} --rate 8 --seed {seed} --json --data {tmp_path}"
    )
    command = [sys.executable, "-m", "lianfang", *words.split()]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(LIMIT_S):
            said, progress = await process.communicate()
    except TimeoutError:
        process.send_signal(signal.SIGINT)  # so that it ends what it started
        await process.wait()
        raise
    assert 0 == process.returncode, said.decode() + progress.decode()
    figures = json.loads(said)
    expected = {"ok": True, "lost": 0, "duplicated": 0, "kills_total": KILLS, "stories": []}
    assert expected == {name: figures[name] for name in expected}
    assert figures["sent"] == figures["committed"] == figures["incidents_expected"] == figures["incidents_found"]
    assert figures["sent"] > 100
    assert {"gateway", "hub", "broker", "store"} == figures["kills"].keys()
    assert min(figures["kills"].values()) > 0
    telemetry = figures["telemetry"]
    assert (0, 0) == (telemetry["missing"], telemetry["doubled"])
    assert telemetry["stored"] > 100
