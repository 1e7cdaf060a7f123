"""Runs the week into a telemetry store, and tells what is true at its end.

Time is compressed by telling less often: gateways read every half hour and the hub takes its snapshots every ten
minutes; the end and two other times are as dense as real life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from hub.core.incident import Incident
from hub.core.rules.proof import NAME as PROOF
from hub.measures.places import Places
from hub.store.beside import Beside
from hub.store.influx import InfluxStore
from hub.store.server import Access, InfluxServer
from protocol.logs import quiet
from simulators.week.gateway import Gateway
from simulators.week.hub import WeekHub
from simulators.week.people import People
from simulators.week.story import DAY_MS, END_MS, HOME_MS, HOUR_MS, MINUTE_MS, STORE_DOWN_AT_MS, Story
from simulators.week.town import town
from simulators.week.truth import endings, truths
from simulators.world.loop import NS_PER_MS, VirtualLoop

DATABASE = "lianfang"
ENDS_MS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
"""When the week ends: a fixed moment, so that the same seed gives the same answers."""
BEGINS_MS = ENDS_MS - END_MS
DENSE_MS = (
    (DAY_MS, DAY_MS + HOUR_MS / 3),
    (STORE_DOWN_AT_MS, STORE_DOWN_AT_MS + HOUR_MS * 0.6),
    (END_MS - HOUR_MS * 0.7, END_MS),
)
"""When everything is told as densely as in real life."""
READ_MS = (30 * MINUTE_MS, MINUTE_MS)
SNAPSHOT_MS = (10 * MINUTE_MS, 10_000)
BEAT_MS = 4 * MINUTE_MS
LOOK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Week:
    """What became of it. `raised` are incidents as the desk has them, without proofs and drills; `numbers` and `bars`
    are what single numbers, and named ones, of panels must be."""

    raised: tuple[Incident, ...]
    drills: int
    refused_lines: int
    readings: int
    numbers: dict[str, float]
    bars: dict[str, dict[str, float]]


async def feed(url: str, folder: Path, seed: str = "week") -> Week:
    """Write the week into a fresh database of an InfluxDB 1.x at `url`. `folder` keeps the journal and the marks."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        (await client.post(f"{url}/query", params={"q": f'CREATE DATABASE "{DATABASE}"'})).raise_for_status()
    registry = town().registry
    store = InfluxStore(
        InfluxServer(Access(url, DATABASE, timeout_ms=60_000)), Beside(folder / "telemetry.db"), Places(registry),
        lambda: ENDS_MS,
    )  # fmt: skip
    try:
        with quiet():
            return await _run(store, folder, seed)
    finally:
        store.close()


async def _run(store: InfluxStore, folder: Path, seed: str) -> Week:
    loop, registry = VirtualLoop(), town().registry
    hub = WeekHub(loop, registry, store, BEGINS_MS, folder, seed)
    try:
        gateways = {one.name: Gateway(loop, one, BEGINS_MS, hub.hear, seed) for one in town().gateways}
        hub.gateways.update({(one.wired.area, name): one.hear for name, one in gateways.items()})
        people = People(hub, seed, HOME_MS)
        Story(hub, gateways, people, BEGINS_MS, seed)
        for gateway in gateways.values():
            _each(loop, (BEAT_MS, MINUTE_MS), gateway.beat)
            _each(loop, READ_MS, partial(_read, gateway))
        _each(loop, (LOOK_MS, LOOK_MS), hub.look)
        at_ms = 0
        while at_ms < END_MS:
            at_ms += _pace(SNAPSHOT_MS, at_ms)
            loop.run(at_ms * NS_PER_MS)
            await hub.snapshot()
        hub.drain()
        return _told(hub, store)
    finally:
        hub.close()


def _each(loop: VirtualLoop, pace: tuple[int, int], call: Callable[[], object]) -> None:
    def again() -> None:
        call()
        loop.after(_pace(pace, loop.now_ms), again)

    loop.after(_pace(pace, 0), again)


def _pace(pace: tuple[int, int], now_ms: int) -> int:
    """How long until the next time: the second of the two where time is dense."""
    return pace[any(begins_ms <= now_ms < ends_ms for begins_ms, ends_ms in DENSE_MS)]


def _read(gateway: Gateway) -> None:
    gateway.tell_health()
    if site := gateway.wired.site:
        stale = gateway.ailing.get("stale")
        age_s = 45.0 if stale is None else (gateway.loop.now_ms - int(stale)) / 1000 + 45
        gateway.tell_zone(f"{site}-nvr-recording", "value", age_s)
    gateway.flush()


def _told(hub: WeekHub, store: InfluxStore) -> Week:
    found = [one for one in hub.desk.incidents() if one.rule != PROOF]
    real = tuple(one for one in found if not one.drill)
    numbers = truths(real, hub.inside.links.count_lost(), ENDS_MS) | {"village/overdue": 1.0}
    return Week(real, len(found) - len(real), store.refused.count, store.count(), numbers, endings(real))
