"""Plays scenarios on a village of real processes, one after the other, and judges each by the incidents it made."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import msgspec

from hub.core.drill import Drill
from hub.core.incident import UNRESOLVED, State
from simulators.centre import Centre, CentreError
from simulators.player import play
from simulators.scenario import Scenario
from simulators.scenes.expect import Expect
from simulators.scenes.found import Found, read
from simulators.scenes.places import places
from simulators.scenes.verdict import differences
from simulators.village import Village
from simulators.world.village import AREA

NS_PER_S = 1_000_000_000
LIMIT_S = 60.0
"""How long what a scenario expects may take to come after its last step, on a busy machine."""
STEADY_S = 0.5
"""How long it must then stay as it is."""
LOOK_S = 0.1


async def judge(village: Village, scenario: Scenario) -> list[str]:
    """Play it; the differences that are left when they had their time. The village must be calm before."""
    assert scenario.expect is not None, scenario.name
    before = {incident["id"] for incident in await _incidents(village)}
    began_ns = time.monotonic_ns()
    await play(village, scenario, lambda step: None)
    expect, clock = eased(scenario.expect), asyncio.get_running_loop().time
    due_s, well_s = clock() + LIMIT_S, None
    while True:
        told = differences(expect, await _found(village, before, began_ns), places())
        now_s = clock()
        well_s = (now_s if well_s is None else well_s) if not told else None
        if now_s >= due_s or (well_s is not None and now_s - well_s >= STEADY_S):
            return told
        await asyncio.sleep(LOOK_S)


async def calm(village: Village) -> None:
    """Everything well again, everything resolved, no siren sounding. Raises TimeoutError."""
    await village.mend()
    await village.ready()
    async with asyncio.timeout(LIMIT_S), village.centre() as centre:
        while open_ := [
            one for one in await centre.incidents() if one["state"] in {state.value for state in UNRESOLVED}
        ]:
            for incident in open_:
                with contextlib.suppress(CentreError):  # resolving a parent resolved it
                    await _resolve(centre, incident)
        while any(any(plant.sounding().values()) for plant in village.plants.values()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)


def eased(expect: Expect) -> Expect:
    """What real time cannot hold to the second: when sirens sound, and how late a record is."""
    incidents = [
        one.model_copy(update={"late_s": (0, one.late_s[1] + LIMIT_S)}) if isinstance(one.late_s, tuple) else one
        for one in expect.incident
    ]
    rings = None if expect.rings is None else [ring.model_copy(update={"within_s": LIMIT_S}) for ring in expect.rings]
    return expect.model_copy(update={"incident": incidents, "rings": rings})


async def _resolve(centre: Centre, incident: dict[str, Any]) -> None:
    if incident["state"] == State.REPORTED.value:
        await centre.move(incident, "accept", {})
    await centre.move(incident, "resolve", {"disposition": "test"})


async def _incidents(village: Village) -> list[dict[str, Any]]:
    async with village.centre() as centre:
        while True:
            try:
                return await centre.incidents()
            except OSError:
                await asyncio.sleep(LOOK_S)  # the hub is not back yet


async def _found(village: Village, before: set[str], began_ns: int) -> Found:
    new = [incident for incident in await _incidents(village) if incident["id"] not in before]
    return Found(read(new), _sirens(village, began_ns), drills=await _drills(village, {one["id"] for one in new}))


async def _drills(village: Village, incidents: set[str]) -> tuple[Drill, ...]:
    """The drills that made any of these incidents, the oldest plan first."""
    async with village.centre() as centre:
        found = [msgspec.convert(one, Drill, strict=False) for one in await centre.drills(AREA)]
    return tuple(one for one in reversed(found) if incidents & set(one.incidents))


def _sirens(village: Village, began_ns: int) -> dict[str, tuple[tuple[float, float | None], ...]]:
    found: dict[str, tuple[tuple[float, float | None], ...]] = {}
    for plant in village.plants.values():
        for premises, output in places().sirens().items():
            if any(
                one.id == output and one.target.partition("/")[0] in plant.chips for one in plant.config.site.outputs
            ):
                moves = [move for move in plant.switched(output) if move.at_ns >= began_ns]
                found[premises] = _spans([((move.at_ns - began_ns) / NS_PER_S, move.on) for move in moves])
    return found


def _spans(moves: list[tuple[float, bool]]) -> tuple[tuple[float, float | None], ...]:
    spans: list[tuple[float, float | None]] = []
    for at_s, on in moves:
        if on:
            spans.append((at_s, None))
        elif spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at_s)
    return tuple(spans)
