"""One run of chaos: the village up, everything of the plan done to it, everything well again, and the account."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from simulators.centre import Centre, CentreError
from simulators.chaos import evidence, plan
from simulators.chaos.estate import Estate, build
from simulators.chaos.evidence import Evidence
from simulators.chaos.havoc import Death, Diary, Havoc, sort
from simulators.chaos.ledger import Account, Press, Raised, account
from simulators.chaos.people import Button, Crowd, Desk
from simulators.proxy import Proxy
from simulators.village import HUB, Village

SETTLE_SHARE, SETTLE_S_MAX = 0.25, 75.0
"""The share of a run (at most so many s) that is left for everything to come well again."""
DRAIN_S_MAX = 240.0
STORIES_MAX = 50
STORES = ("telemetry", "journal")
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is."""

    minutes: float
    kills: int
    gateways: int = 4
    chips: int = 2
    rate_s: float = 16.0

    @property
    def span_s(self) -> float:
        """How long things break, s; the rest of the time they recover."""
        whole_s = self.minutes * 60
        return whole_s - min(SETTLE_S_MAX, SETTLE_SHARE * whole_s)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run came to."""

    seed: int
    size: Size
    seconds: float
    account: Account
    evidence: Evidence
    diary: Diary
    differing: int
    waiting: int
    stuck: int
    drained: bool

    @property
    def well(self) -> bool:
        """0 lost, 0 duplicated, incidents equal, the journal whole and equal to the API, every outbox empty."""
        whole = not self.evidence.broken and not self.differing and not self.diary.ended
        return self.account.balanced and whole and self.drained and not self.waiting and self.account.sent > 0

    def stories(self) -> list[str]:
        """Every fault with what was killed around it."""
        wrong = self.account.wrong
        found = [_story(self.diary, press, text) for press, text in wrong[:STORIES_MAX]]
        found += [f"and {len(wrong) - STORIES_MAX} more like these"] if len(wrong) > STORIES_MAX else []
        found += [f"the journal's chain: {self.evidence.broken}"] if self.evidence.broken else []
        found += [f"ended by itself: {text}" for text in self.diary.ended]
        found += [f"{self.differing} incidents differ between journal and API"] if self.differing else []
        found += [f"{self.waiting} alarm records still wait in outboxes"] if self.waiting else []
        found += [] if self.drained else [f"not everything came well again; {self.stuck} calls did not end"]
        return found

    def figures(self) -> dict[str, Any]:
        """The verdict as one JSON object."""
        found, deaths = self.account, self.diary.deaths
        recoveries = [(death, death.recovery_s) for death in deaths if death.recovery_s is not None]
        longest = dict.fromkeys(self.diary.kills(), 0.0)
        for death, took_s in recoveries:
            longest[sort(death.part)] = max(longest[sort(death.part)], round(took_s or 0.0, 2))
        hub = [[death.entries, round(took_s or 0.0, 2)] for death, took_s in recoveries if death.part == plan.HUB]
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "ok": self.well,
            "sent": found.sent,
            "committed": found.committed,
            "lost": found.lost,
            "duplicated": found.duplicated,
            "unseen": found.unseen,
            "incidents_expected": found.incidents_expected,
            "incidents_found": found.incidents_found,
            "incidents_wrong": found.incidents_wrong,
            "records": self.evidence.records,
            "journal_entries": self.evidence.entries,
            "holes": self.evidence.holes,
            "kills": self.diary.kills(),
            "kills_total": sum(self.diary.kills().values()),
            "store_locks": dict(self.diary.locks),
            "link_troubles": dict(self.diary.troubles),
            "longest_recovery_s": max(longest.values()),
            "recovery_s": longest,
            "hub_restarts": hub,  # entries in its journal, s
            "longest_commit_s": round(found.longest_commit_s, 2),
            "stories": self.stories(),
        }


async def chaos(folder: Path, seed: int, size: Size, told: Told) -> Verdict:
    """Run it in `folder`. `told` hears how it goes, a line at a time. Raises BrokerError, ChildError, TimeoutError."""
    began_s = time.monotonic()
    estate = build(folder / "estate", size.gateways, size.chips)
    village = Village(
        folder,
        sites=estate.sites,
        registry=estate.registry,
        broker_kind="mosquitto",
        settings={"hub.defaults": str(estate.defaults)},
    )
    gateways = [path.stem for path in estate.sites]
    drawn = plan.draw(seed, size.span_s, size.kills, gateways, STORES)
    async with AsyncExitStack() as stack:
        proxies = {}
        for link in (*gateways, plan.HUB):
            proxy = await stack.enter_async_context(Proxy(village.broker.host, village.broker.port))
            village.ports[HUB if link == plan.HUB else link] = proxy.port
            proxies[link] = proxy
        await stack.enter_async_context(village)
        told(f"up after {time.monotonic() - began_s:.1f} s: {len(estate.houses)} buttons at {len(gateways)} gateways")
        havoc = Havoc(village, proxies)
        crowd = Crowd(_buttons(village, estate), Random(f"people {seed}"), size.rate_s)
        drained, shown = await _live(village, havoc, crowd, drawn, size, told)
        await havoc.close()
    seen = await asyncio.to_thread(evidence.read, folder / "hub", estate, folder)
    waiting = sum(_waiting(folder / gateway / "alarm.db") for gateway in gateways)
    (folder / "presses.jsonl").write_bytes(b"".join(msgspec.json.encode(press) + b"\n" for press in crowd.presses))
    seconds = time.monotonic() - began_s
    found = account(crowd.presses, seen.rows, shown)
    differing = len(set(shown) ^ set(seen.raised))
    return Verdict(seed, size, seconds, found, seen, havoc.diary, differing, waiting, len(crowd.stuck), drained)


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


def _story(diary: Diary, press: Press | None, text: str) -> str:
    """A fault with what died around it."""
    if press is None:
        return text
    around = [_death(death, press.pressed_ns) for death in diary.around(press.pressed_ns)]
    held_s = (press.released_ns - press.pressed_ns) / 1e9
    when = f"{press.zone} (press {press.number}, {press.gateway}) at wall {press.wall_ms} ms, held {held_s:.2f} s"
    return f"{when}: {text}; around it: {'; '.join(around) or 'nothing died'}"


def _death(death: Death, from_ns: int) -> str:
    how = "killed" if death.status is None else f"ended with {death.status}"
    well = f", well {(death.well_ns - from_ns) / 1e9:+.2f} s" if death.well_ns is not None else ""
    return f"{death.part} {how} {(death.dead_ns - from_ns) / 1e9:+.2f} s{well}"
