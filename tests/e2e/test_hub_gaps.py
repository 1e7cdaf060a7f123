"""The gap ledger of the hub's process on a real broker, in both lanes: what is missing, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from protocol.kinds import Kind
from protocol.records import Gap, Lane
from simulators.broker import Broker
from tests.e2e.test_hub_restart import hub
from tests.support.centre import SaidGateway, gateway, running
from tests.support.wait import LIMIT_S, until

Range = tuple[str, int, int, int, str]
NO_MORE = "the gateway no longer has them"


@dataclass
class Watched:
    """A hub's ledger as its API and its metrics tell it."""

    client: httpx.AsyncClient
    url: str
    lane: Lane

    async def gaps(self, **asked: Any) -> list[Range]:
        """(state, first, last, count, reason) of each missing range of gw-1 in the lane."""
        query = {"area": "town", "gateway": "gw-1", "lane": self.lane.value} | asked
        items = (await self.client.get(f"{self.url}/api/v1/gaps", params=query)).json()["items"]
        return [(one["state"], one["first"], one["last"], one["count"], one["reason"]) for one in items]

    async def counts(self) -> tuple[int, ...]:
        """Open now, ever lost, ever refilled, by the metrics of the lane."""
        names = ("missing", "lost_total", "refilled_total")
        lines = (await self.client.get(f"{self.url}/metrics")).text.splitlines()
        found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return tuple(int(float(found[f'lianfang_records_{name}{{lane="{self.lane}"}}'])) for name in names)

    async def shows(self, *expected: Range) -> None:
        """Wait until these are the missing ranges."""
        found: list[Range] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LIMIT_S):
                while (found := await self.gaps()) != list(expected):  # noqa: ASYNC110  # another process's answer
                    await asyncio.sleep(0.02)
        assert list(expected) == found

    async def faults(self) -> list[tuple[int, str, str]]:
        """(priority, state, why) of the incidents that say that records are lost."""
        items = (await self.client.get(f"{self.url}/api/v1/incidents")).json()["items"]
        return [(one["priority"], one["state"], one["why"]) for one in items if one["rule"] == "fault"]


@contextlib.asynccontextmanager
async def watched(folder: Path, broker: Broker, lane: Lane, name: str = "hub") -> AsyncIterator[Watched]:
    """The hub's process, killed in the end."""
    headers = {"Authorization": "Bearer token of olga"}
    async with (
        httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client,
        hub(folder, broker, name) as (_, url),
    ):
        yield Watched(client, url, lane)


async def send(gw: SaidGateway, lane: Lane, seq: int, *gaps: Gap) -> None:
    """One record with this sequence, and what the gateway gives up; returns when it is receipted."""
    gw.seqs[lane] = seq - 1
    if lane is Lane.ALARM:
        await gw.alarm(gw.event(Kind.TAMPER, zone="h1-door"), gaps=list(gaps))
    else:
        await gw.readings(("self/x", seq), gaps=list(gaps))
    await gw.receipted(seq, lane)


LANES = pytest.mark.parametrize("lane", list(Lane))


@LANES
async def test_a_gap_that_is_declared_shows_and_survives_a_kill(broker: Broker, tmp_path: Path, lane: Lane) -> None:
    """It is listed with its count and reason, counted as lost and receipted; a hub killed and begun anew says the
    same."""
    async with gateway(broker) as gw:
        async with watched(tmp_path, broker, lane, "first") as seen:
            await send(gw, lane, 4, Gap(1, 3, "disk full"))
            await seen.shows(("declared", 1, 3, 3, "disk full"))
            assert (0, 3, 0) == await seen.counts()
            assert 4 == gw.committed(lane).mark()
        async with watched(tmp_path, broker, lane, "second") as seen:
            assert [("declared", 1, 3, 3, "disk full")] == await seen.gaps()
            assert (0, 3, 0) == await seen.counts()
            await send(gw, lane, 2)
            await seen.shows(("declared", 1, 1, 1, "disk full"), ("declared", 3, 3, 1, "disk full"))
            assert (0, 3, 1) == await seen.counts()


@LANES
async def test_a_hole_is_open_and_the_record_that_comes_refills_it(broker: Broker, tmp_path: Path, lane: Lane) -> None:
    """What is missing below a record is open until it comes, also over a kill of the hub."""
    async with gateway(broker) as gw:
        async with watched(tmp_path, broker, lane, "first") as seen:
            await send(gw, lane, 1)
            await send(gw, lane, 5)
            await seen.shows(("open", 2, 4, 3, ""))
            await send(gw, lane, 3)
            await seen.shows(("open", 2, 2, 1, ""), ("open", 4, 4, 1, ""))
            assert (2, 0, 1) == await seen.counts()
        async with watched(tmp_path, broker, lane, "second") as seen:
            assert [("open", 2, 2, 1, ""), ("open", 4, 4, 1, "")] == await seen.gaps()
            assert (2, 0, 1) == await seen.counts()
            await send(gw, lane, 2)
            await send(gw, lane, 4)
            await seen.shows()
            assert (0, 0, 3) == await seen.counts()


@LANES
async def test_a_hole_its_gateway_cannot_fill_is_closed(broker: Broker, tmp_path: Path, lane: Lane) -> None:
    """Once the gateway has long said that nothing waits, its holes are a loss with their count; in the alarm lane one
    P3 tells of them. They are not receipted, and a record of them that comes after all is taken. A hub killed and begun
    anew says the same."""
    closed: list[Range] = [("closed", 2, 4, 3, NO_MORE), ("closed", 6, 8, 3, NO_MORE)]
    async with gateway(broker) as gw:
        async with watched(tmp_path, broker, lane, "first") as seen:
            for seq in (1, 5, 9):
                await send(gw, lane, seq)
            await gw.idle(1_000)
            await gw.idle(1_059)
            await gw.idle(1_061, alarm=1, telemetry=1)
            await send(gw, lane, 10)
            assert (6, 0, 0) == await seen.counts()
            await gw.idle(1_070)
            await seen.shows(*closed)
            assert (0, 6, 0) == await seen.counts()
            assert [(1, 1), (5, 5), (9, 10)] == list(gw.committed(lane))
            why = f"gw-1: the gateway gave up records (6 records, 2 to 8: {NO_MORE})"
            assert ([(3, "reported", why)] if lane is Lane.ALARM else []) == await seen.faults()
        async with watched(tmp_path, broker, lane, "second") as seen:
            assert closed == await seen.gaps(state="closed")
            assert [] == await seen.gaps(state="open")
            await send(gw, lane, 3)
            await seen.shows(("closed", 2, 2, 1, NO_MORE), ("closed", 4, 4, 1, NO_MORE), closed[1])
            assert (0, 6, 1) == await seen.counts()


async def test_what_a_hub_restored_from_a_backup_has_not_is_closed(broker: Broker, tmp_path: Path) -> None:
    """Records receipted after the backup was taken are nowhere any more: open, then lost with their count."""
    async with gateway(broker) as gw:
        for folder, seqs in (("now", (1, 2)), ("now", (3, 4)), ("backup", (5,))):
            async with running(tmp_path / folder, broker) as restored, restored.api() as client:
                for lane, seq in itertools.product(Lane, seqs):
                    await send(gw, lane, seq)
                if folder == "backup":
                    for lane in Lane:
                        await Watched(client, restored.url, lane).shows(("open", 3, 4, 2, ""))
                    await gw.idle(100)
                    await gw.idle(160)
                    for lane in Lane:
                        seen = Watched(client, restored.url, lane)
                        await seen.shows(("closed", 3, 4, 2, NO_MORE))
                        assert (0, 2, 0) == await seen.counts()
            if seqs == (1, 2):
                shutil.copytree(tmp_path / "now", tmp_path / "backup")


async def test_what_was_said_before_closes_nothing(broker: Broker, tmp_path: Path) -> None:
    """A retained session, and a goodbye, are no word of now: neither closes a hole nor begins its time."""
    async with gateway(broker) as gw:
        async with running(tmp_path, broker):
            await send(gw, Lane.ALARM, 4)
        await gw.idle(1_000)
        async with running(tmp_path, broker) as again, again.api() as client:
            seen = Watched(client, again.url, Lane.ALARM)
            known = again.parts.links.known["town", "gw-1"]
            await until(lambda: known.session is not None)
            await gw.idle(1_070)
            await gw.idle(1_140, online=False)
            for seq in (5, 6):
                await send(gw, Lane.ALARM, seq)
            assert [("open", 1, 3, 3, "")] == await seen.gaps()
            await gw.idle(1_130, connection=2)
            await seen.shows(("closed", 1, 3, 3, NO_MORE))
