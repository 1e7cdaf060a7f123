"""The neighbours ring whatever dies, once, and one press is one incident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulators.centre import CentreError
from simulators.village import SITES, Village
from tests.support.wait import until

EAST_HERE = [f"h{number:02}" for number in range(1, 9)]
LIMIT_S = 40.0


@pytest.fixture
async def village(tmp_path: Path, mosquitto_path: Path) -> AsyncIterator[Village]:
    """The two gateways of the station on a real Mosquitto."""
    async with Village(tmp_path, sites=SITES[:2], broker_kind="mosquitto") as village:
        yield village


def starts(village: Village) -> dict[str, int]:
    """How often each siren began to sound."""
    return {
        output.premises: sum(move.on for move in plant.switched(output.id))
        for plant in village.plants.values()
        for output in plant.config.site.outputs
        if output.role == "siren"
    }


def rung(village: Village) -> set[str]:
    """Whose siren began to sound at least once."""
    return {premises for premises, count in starts(village).items() if count}


async def one_incident(village: Village, whose: set[str]) -> dict[str, Any]:
    """The only incident, once everybody of `whose` has replied."""
    async with village.centre() as centre, asyncio.timeout(LIMIT_S):
        while True:
            try:
                found = await centre.incidents()
            except (OSError, CentreError):
                found = []  # the hub is not back yet
            panics = [incident for incident in found if incident["rule"] == "panic"]
            if panics and whose <= {name for name, call in panics[0]["calls"].items() if call.get("outcome")}:
                assert 1 == len(panics)
                return panics[0]
            await asyncio.sleep(0.05)


EAST_BUT_H03 = {*EAST_HERE, "h09", "h10"} - {"h03"}


async def test_neighbours_ring_without_a_broker_and_once_with_it(village: Village) -> None:
    """Without a broker the group of h03 rings at once; when it is back, one incident and no second ringing."""
    await village.broker.kill()
    village.plant("h03-panic").trip("h03-panic")
    await until(lambda: rung(village) == set(EAST_HERE) - {"h03"})
    await village.broker.restart()
    incident = await one_incident(village, EAST_BUT_H03)
    assert ["h03"] == incident["premises"]
    assert {"joined"} == {incident["calls"][home]["outcome"] for home in EAST_HERE if home != "h03"}
    assert {premises: int(premises in EAST_BUT_H03) for premises in starts(village)} == starts(village)


async def test_a_hub_killed_between_press_and_call_rings_once(village: Village) -> None:
    """The hub dies as the press is on its way and comes back: one incident, and nobody rings twice."""
    assert village.hub is not None
    await village.hub.kill()
    village.plant("h03-panic").trip("h03-panic")
    await until(lambda: rung(village) == set(EAST_HERE) - {"h03"})
    await village.start_hub()
    await one_incident(village, EAST_BUT_H03)
    assert {premises: int(premises in EAST_BUT_H03) for premises in starts(village)} == starts(village)


async def test_a_hub_that_dies_after_the_commit_calls_nobody_twice(village: Village) -> None:
    """Restarted, it knows its incident from the journal, and what it sends again under the same order acts once."""
    village.plant("h03-panic").trip("h03-panic")
    before = await one_incident(village, EAST_BUT_H03)
    assert village.hub is not None
    await village.hub.kill()
    await village.start_hub()
    await village.ready()
    after = await one_incident(village, EAST_BUT_H03)
    assert (before["id"], before["calls"]) == (after["id"], after["calls"])
    assert {premises: int(premises in EAST_BUT_H03) for premises in starts(village)} == starts(village)


async def test_a_gateway_killed_while_its_sirens_sound_goes_on_and_ends(village: Village) -> None:
    """Killed and started again, the gateway still reports one press, and its lamp and sirens are as they were."""
    plant = village.plants["gw-east"]
    plant.trip("h03-panic")
    plant.restore("h03-panic")
    await one_incident(village, EAST_BUT_H03)
    await village.gateways["gw-east"].kill()
    await until(lambda: not any(plant.sounding().values()))  # a relay whose gateway is gone drops
    await village.start_gateway("gw-east")
    sounding = {f"{home}-siren": home != "h03" for home in EAST_HERE}
    await until(lambda: plant.sounding() == sounding, LIMIT_S)
    await village.ready()
    await one_incident(village, EAST_BUT_H03)


async def test_resolving_stands_everybody_down_and_the_next_press_rings_again(village: Village) -> None:
    """Resolve silences every siren; a press after it is a new incident, and rings anew."""
    plant = village.plants["gw-east"]
    plant.trip("h03-panic")
    plant.restore("h03-panic")
    first = await one_incident(village, EAST_BUT_H03)
    async with village.centre() as centre:
        await centre.move(first, "accept", {})
        await centre.move(first, "resolve", {"disposition": "genuine"})
        await until(lambda: not any(any(plant.sounding().values()) for plant in village.plants.values()))
        plant.trip("h03-panic")
        await until(lambda: all(starts(village)[home] == 2 for home in EAST_BUT_H03))
        async with asyncio.timeout(LIMIT_S):
            while len(found := await centre.incidents()) < 2:  # noqa: ASYNC110  # it is asked over HTTP
                await asyncio.sleep(0.05)
    assert {"reported", "resolved"} == {incident["state"] for incident in found}
