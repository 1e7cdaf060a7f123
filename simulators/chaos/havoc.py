"""Carries out the plan: kills parts and starts them again, spoils links, locks stores; and keeps a diary of it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from simulators.broker import Broker, BrokerError
from simulators.chaos.plan import BROKER, HUB, STORE, Bad, Kill, Lock, Plan, Trouble
from simulators.influx import Tsdb, TsdbError
from simulators.proxy import Proxy
from simulators.village import Village

WATCH_S = 0.1
AGAIN_S = 0.5
"""A part that ended by itself is started again after this, as its service manager would."""


@dataclass(slots=True)
class Death:
    """A part was killed (or ended by itself, with its status), started again, and was well again. Monotonic ns."""

    part: str
    dead_ns: int
    status: int | None = None
    started_ns: int | None = None
    well_ns: int | None = None
    entries: int | None = None

    @property
    def recovery_s(self) -> float | None:
        """From its start until it was well, s; None when it was killed again before."""
        if self.started_ns is None or self.well_ns is None:
            return None
        return (self.well_ns - self.started_ns) / 1e9


@dataclass(slots=True)
class Diary:
    """What was done. `ended`: what nobody killed, and why it ended."""

    deaths: list[Death] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    locks: Counter[str] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)

    def kills(self) -> dict[str, int]:
        """SIGKILLs by part; all gateways are one sort."""
        sorts = Counter(sort(death.part) for death in self.deaths if death.status is None)
        return {name: sorts[name] for name in ("gateway", HUB, BROKER, *([STORE] if sorts[STORE] else []))}

    def lived(self, part: str, from_ns: int, to_ns: int) -> bool:
        """Whether a part was there and well for all of that time; one that died before it was well stays dead."""
        mine = [death for death in self.deaths if death.part == part]
        ends = [death.dead_ns for death in mine[1:]] + [to_ns]
        return not any(
            death.dead_ns <= to_ns and (death.well_ns or end) >= from_ns for death, end in zip(mine, ends, strict=False)
        )

    def around(self, at_ns: int, within_s: float = 10.0) -> list[Death]:
        """The deaths around a moment."""
        return [death for death in self.deaths if abs(death.dead_ns - at_ns) <= within_s * 1e9]


def sort(part: str) -> str:
    """What sort of part this is."""
    return part if part in (HUB, BROKER, STORE) else "gateway"


class Havoc:
    """`run` carries out the plan and leaves everything running; `keep` then keeps it so; `close` at the end."""

    def __init__(self, village: Village, proxies: Mapping[str, Proxy], tsdb: Tsdb | None = None) -> None:
        self.diary = Diary()
        self._servers: dict[str, Broker | Tsdb] = {BROKER: village.broker} | ({STORE: tsdb} if tsdb is not None else {})
        self._village = village
        self._proxies = proxies
        self._journal = village.folder / "hub" / "journal.db"
        self._watches: set[asyncio.Task[None]] = set()

    async def run(self, plan: Plan) -> None:
        """Everything of the plan, each part, link and store by itself."""
        began_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for part in (*self._village.gateways, HUB, *self._servers):
                mine = [kill for kill in plan.kills if kill.part == part]
                tasks.create_task(self._part(part, mine, began_s), name=f"kill {part}")
            for link in self._proxies:
                bad = [trouble for trouble in plan.troubles if trouble.link == link]
                tasks.create_task(self._link(link, bad, began_s), name=f"link {link}")
            for store in {lock.store for lock in plan.locks}:
                locks = [lock for lock in plan.locks if lock.store == store]
                tasks.create_task(self._store(store, locks, began_s), name=f"lock {store}")

    async def keep(self) -> None:
        """Start again whatever ends by itself, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for part in (*self._village.gateways, HUB, *self._servers):
                tasks.create_task(self._until(part, None), name=f"keep {part}")

    async def close(self) -> None:
        """End the watching of what was never well again."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)

    async def _part(self, part: str, kills: list[Kill], began_s: float) -> None:
        for kill in kills:
            await self._until(part, began_s + kill.at_s)
            death = Death(part, time.monotonic_ns())
            self.diary.deaths.append(death)
            await self._kill(part)
            await asyncio.sleep(kill.down_s)
            await self._start(death)

    async def _until(self, part: str, at_s: float | None) -> None:
        clock = asyncio.get_running_loop().time
        while at_s is None or clock() < at_s:
            await asyncio.sleep(WATCH_S if at_s is None else max(0.0, min(WATCH_S, at_s - clock())))
            if not self._running(part):
                await self._revive(part)

    async def _revive(self, part: str) -> None:
        child = self._village.hub if part == HUB else self._village.gateways.get(part)
        status = child.process.returncode if child is not None else -1
        death = Death(part, time.monotonic_ns(), status)
        self.diary.deaths.append(death)
        self.diary.ended.append(f"{part} ended with status {status}: {child.tail(3) if child is not None else ''}")
        await asyncio.sleep(AGAIN_S)
        await self._start(death)

    async def _start(self, death: Death) -> None:
        death.started_ns = time.monotonic_ns()
        village, part = self._village, death.part
        if part in self._servers:
            try:
                await self._servers[part].start()
            except (BrokerError, TsdbError) as cause:
                self.diary.ended.append(f"{part} did not start: {cause}")
                return
            death.well_ns = time.monotonic_ns()
            return
        await (village.start_hub() if part == HUB else village.start_gateway(part))
        well = self._answers if part == HUB else lambda: self._holds(part)
        watch = asyncio.create_task(self._watch(death, well), name=f"watch {part}")
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

    async def _watch(self, death: Death, well: Callable[[], Awaitable[bool]]) -> None:
        """Note when the part is well, unless it dies again before."""
        while not any(other.part == death.part and other.dead_ns > death.dead_ns for other in self.diary.deaths):
            if await well():
                death.well_ns = time.monotonic_ns()
                death.entries = await asyncio.to_thread(_entries, self._journal) if death.part == HUB else None
                return
            await asyncio.sleep(0.05)

    def _running(self, part: str) -> bool:
        if part in self._servers:
            return self._servers[part].pid is not None
        child = self._village.hub if part == HUB else self._village.gateways[part]
        return child is not None and child.running

    async def _kill(self, part: str) -> None:
        village = self._village
        if part in self._servers:
            await self._servers[part].kill()
        elif part == HUB:
            assert village.hub is not None
            await village.hub.kill()
        else:
            await village.gateways[part].kill()

    async def _answers(self) -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            try:
                await client.get(f"{self._village.url}/healthz")
            except httpx.TransportError:
                return False
        return True

    async def _holds(self, gateway: str) -> bool:
        return all(chip.held for chip in self._village.plants[gateway].chips.values())

    async def _link(self, link: str, troubles: list[Trouble], began_s: float) -> None:
        proxy, clock = self._proxies[link], asyncio.get_running_loop().time
        for trouble in troubles:
            await asyncio.sleep(max(0.0, began_s + trouble.at_s - clock()))
            self.diary.troubles[trouble.bad] += 1
            _spoil(proxy, trouble)
            await asyncio.sleep(trouble.for_s)
            _mend(proxy, trouble)

    async def _store(self, store: str, locks: list[Lock], began_s: float) -> None:
        clock = asyncio.get_running_loop().time
        for lock in locks:
            await asyncio.sleep(max(0.0, began_s + lock.at_s - clock()))
            if await asyncio.to_thread(_hold, self._village.folder / "hub" / f"{store}.db", lock.for_s):
                self.diary.locks[store] += 1


def _spoil(proxy: Proxy, trouble: Trouble) -> None:
    line = proxy.line
    match trouble.bad:
        case Bad.CUT:
            proxy.cut()
        case Bad.REFUSED:
            line.refuse = True
            proxy.cut()
        case Bad.SLOW:
            line.delay_s = trouble.delay_s
        case Bad.NARROW:
            line.bytes_per_s = trouble.bytes_per_s
        case Bad.HALF_OPEN:
            line.swallow = True


def _mend(proxy: Proxy, trouble: Trouble) -> None:
    line = proxy.line
    line.bytes_per_s, line.delay_s, line.swallow, line.refuse = None, 0.0, False, False
    if trouble.bad is Bad.HALF_OPEN:
        proxy.cut()  # a stream with a hole in it is none


def _hold(path: Path, for_s: float) -> bool:
    """Hold a store's write lock; False where somebody else has it. Blocks."""
    with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        time.sleep(for_s)
        db.execute("ROLLBACK")
    return True


def _entries(journal: Path) -> int | None:
    """How many entries the journal has; None while that cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT coalesce(max(n), 0) FROM entry").fetchone()[0])
    except sqlite3.Error:
        return None
