"""Four weeks of a real apartment's contacts, through a Modbus server, a gateway and a broker, to the hub."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.sim.conftest import RECORDED_HOUSE

LIMIT_S = 600.0


async def test_every_transition_of_the_recorded_house_arrives(tmp_path: Path, mosquitto_path: Path) -> None:
    """2,638 transitions are played, and the command finds each at the hub: zone, state, order and time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lianfang", "simulate", "replay", str(RECORDED_HOUSE), "--data", str(tmp_path),
        stdout=PIPE, stderr=STDOUT, start_new_session=True,
    )  # fmt: skip
    async with asyncio.timeout(LIMIT_S):
        out = (await process.communicate())[0].decode()
    figures = dict(re.findall(r"^(played|arrived|differences) +(\d+)$", out, re.MULTILINE))
    assert {"played": "2638", "arrived": "2638", "differences": "0"} == figures, out
    assert 0 == process.returncode
