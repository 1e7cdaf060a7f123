"""A proof over the simulated week: an InfluxDB of its own, the week, then every question."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from dashboards.making.select import PLACES
from dashboards.proof.ask import Database
from dashboards.proof.macros import Window
from dashboards.proof.prove import Moment, Proof, Scene, prove, prove_rules
from simulators.influx import Tsdb
from simulators.week.feed import BEGINS_MS, DATABASE, ENDS_MS, Week, feed
from simulators.week.story import DAY_MS, STORE_DOWN_AT_MS
from simulators.week.town import Wired, town

ELSEWHERE = frozenset({"response/drills", "response/drill-times", "wiring/chatter", "wiring/chattering"})
"""Panels in which nothing happened there."""
PROOF, SILENT = "lianfang-proof-too-old", "lianfang-hub-silent"
LAG, NOTHING = "lianfang-ingest-lag", "lianfang-no-telemetry"
MOMENTS = {
    "all is as on any day": Moment(BEGINS_MS + DAY_MS + 15 * 60_000, frozenset()),
    "the store took nothing for 25 minutes": Moment(
        BEGINS_MS + STORE_DOWN_AT_MS + 25 * 60_000, frozenset({LAG, NOTHING})
    ),
    "the week ends": Moment(ENDS_MS, frozenset({PROOF})),
    "the hub is silent for half an hour": Moment(ENDS_MS + 1_800_000, frozenset({SILENT, NOTHING})),
}
"""When which alert rule fires."""
AREA = "nanyang"
"""The area that is chosen alone."""


def scene_of(week: Week) -> Scene:
    """What is true of the week."""
    everywhere = town().gateways
    there = [one for one in everywhere if one.area == AREA]
    return Scene(
        week=Window(BEGINS_MS, ENDS_MS),
        empty=frozenset(),
        elsewhere=ELSEWHERE,
        places=_places(everywhere),
        area=AREA,
        within=_places(there),
        numbers=week.numbers,
        bars=week.bars,
        moments=MOMENTS,
    )


@asynccontextmanager
async def fed(folder: Path | None = None) -> AsyncIterator[tuple[Database, Scene]]:
    """(database, scene) of a week that was fed to an InfluxDB 1.x of its own, ended on leaving."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="week-") as kept:
        async with Tsdb(Path(kept) / "influxdb") as server:
            week = await feed(server.url, Path(kept))
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
                yield Database(client, DATABASE), scene_of(week)


async def proven(built: Mapping[str, dict[str, Any]], rules: Sequence[Mapping[str, Any]]) -> Proof:
    """Prove these dashboards and alert rules over a fresh week."""
    async with fed() as (database, scene):
        proof = prove(database, built, scene)
        prove_rules(database, rules, scene, proof)
        return proof


def _places(some: Iterable[Wired]) -> dict[str, frozenset[str]]:
    gateways = list(some)
    found = {place: frozenset(str(getattr(one, place)) for one in gateways) for place in PLACES[:-1]}
    return found | {PLACES[-1]: frozenset(one.name for one in gateways)}
