"""One run of chaos: the village up, everything of the plan done to it, everything well again, and the account."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from random import Random

import msgspec

from simulators.centre import Centre, CentreError
from simulators.chaos import evidence, plan, stored
from simulators.chaos.estate import Estate, build
from simulators.chaos.havoc import Havoc
from simulators.chaos.ledger import Raised, account
from simulators.chaos.people import Button, Crowd, Desk
from simulators.chaos.verdict import Size, Verdict
from simulators.influx import Tsdb
from simulators.proxy import Proxy
from simulators.village import HUB, Village

DRAIN_S_MAX = 240.0
STORES = ("telemetry", "journal")
Told = Callable[[str], None]


async def chaos(folder: Path, seed: int, size: Size, told: Told, *, influxdb: bool = False) -> Verdict:
    """Run it in `folder`, with telemetry in a real InfluxDB or in the hub's own file. `told` hears how it goes, a line
    at a time. Raises BrokerError, TsdbError, ChildError, TimeoutError."""
    async with AsyncExitStack() as stack:
        tsdb = await stack.enter_async_context(Tsdb(folder / "influxdb")) if influxdb else None
        return await _chaos(folder, seed, size, told, tsdb)


async def _chaos(folder: Path, seed: int, size: Size, told: Told, tsdb: Tsdb | None) -> Verdict:
    began_s = time.monotonic()
    estate = build(folder / "estate", size.gateways, size.chips)
    village = Village(
        folder,
        sites=estate.sites,
        registry=estate.registry,
        broker_kind="mosquitto",
        settings={"hub.defaults": str(estate.defaults)} | (stored.settings(tsdb) if tsdb is not None else {}),
    )
    if tsdb is not None:
        await stored.prepare(tsdb)
    gateways = [path.stem for path in estate.sites]
    parts = (plan.HUB, plan.BROKER) if tsdb is None else (plan.HUB, plan.BROKER, plan.STORE)
    drawn = plan.draw(seed, size.span_s, size.kills, gateways, STORES, parts)
    async with AsyncExitStack() as stack:
        proxies = {}
        for link in (*gateways, plan.HUB):
            proxy = await stack.enter_async_context(Proxy(village.broker.host, village.broker.port))
            village.ports[HUB if link == plan.HUB else link] = proxy.port
            proxies[link] = proxy
        await stack.enter_async_context(village)
        told(f"up after {time.monotonic() - began_s:.1f} s: {len(estate.houses)} buttons at {len(gateways)} gateways")
        havoc = Havoc(village, proxies, tsdb)
        crowd = Crowd(_buttons(village, estate), Random(f"people {seed}"), size.rate_s)
        drained, shown = await _live(village, havoc, crowd, drawn, size, told)
        await havoc.close()
    seen = await asyncio.to_thread(evidence.read, folder / "hub", estate, folder)
    kept = await stored.read(tsdb, folder / "hub") if tsdb is not None else None
    waiting = sum(_waiting(folder / gateway / "alarm.db") for gateway in gateways)
    (folder / "presses.jsonl").write_bytes(b"".join(msgspec.json.encode(press) + b"\n" for press in crowd.presses))
    seconds = time.monotonic() - began_s
    found = account(crowd.presses, seen.rows, shown)
    differing = len(set(shown) ^ set(seen.raised))
    return Verdict(seed, size, seconds, found, seen, havoc.diary, differing, waiting, len(crowd.stuck), drained, kept)


def _buttons(village: Village, estate: Estate) -> list[Button]:
    return [Button(house, village.plants[house.gateway].chips[house.chip]) for house in estate.houses]


async def _live(
    village: Village, havoc: Havoc, crowd: Crowd, drawn: plan.Plan, size: Size, told: Told
) -> tuple[bool, tuple[Raised, ...]]:
    """Life under the plan, then until everything is well: whether it came so far, and the incidents of the API."""
    async with village.centre() as centre:
        desk = Desk(crowd)
        operator = asyncio.create_task(desk.run(centre), name="operator")
        telling = asyncio.create_task(_tell(havoc, crowd, desk, told), name="telling")
        until_s = asyncio.get_running_loop().time() + size.span_s
        calls = asyncio.create_task(crowd.run(until_s, havoc.diary.lived), name="people")
        keeping: asyncio.Task[None] | None = None
        try:
            await havoc.run(drawn)
            keeping = asyncio.create_task(havoc.keep(), name="keep")
            await asyncio.sleep(max(0.0, until_s - asyncio.get_running_loop().time()))
            told("no more presses and kills; everything may come well again")
            drained = await _drained(centre, calls, desk, village)
            return drained and not crowd.stuck, await _all(centre)
        finally:
            tasks = [task for task in (operator, telling, calls, keeping) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _drained(centre: Centre, calls: asyncio.Task[None], desk: Desk, village: Village) -> bool:
    """Wait until every call has ended, no panic is unresolved, and no gateway keeps an alarm record."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S_MAX):
            while not (calls.done() and desk.open == 0 and await _receipted(centre, len(village.plants))):  # noqa: ASYNC110  # asked over HTTP
                await asyncio.sleep(0.3)
            await calls
            return True
    return False


async def _receipted(centre: Centre, gateways: int) -> bool:
    try:
        found = await centre.gateways()
    except (OSError, CentreError):
        return False
    idle = [one for one in found if one["online"] and one["queued"].get("alarm") == 0]
    return len(idle) == gateways


async def _all(centre: Centre) -> tuple[Raised, ...]:
    for _ in range(20):
        with suppress(OSError, CentreError):
            return evidence.shown(await centre.incidents(rule="panic", limit="1000"))
        await asyncio.sleep(0.5)
    raise TimeoutError("the hub did not answer any more when all was over")


async def _tell(havoc: Havoc, crowd: Crowd, desk: Desk, told: Told) -> None:
    began_s = time.monotonic()
    while True:
        await asyncio.sleep(15.0)
        busy = sum(button.busy for button in crowd.buttons.values())
        told(
            f"{time.monotonic() - began_s:5.0f} s: {len(crowd.presses)} presses, {busy} calls under way, "
            f"{desk.open} unresolved, {len(havoc.diary.deaths)} deaths"
        )


def _waiting(outbox: Path) -> int:
    with closing(sqlite3.connect(f"file:{outbox}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM record").fetchone()[0])
