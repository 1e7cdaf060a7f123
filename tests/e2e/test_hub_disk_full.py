"""A disk that takes nothing more, one lane at a time: no receipt, operators hear of it, and all goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse
from sqlalchemy import text

from protocol.messages import Receipt
from protocol.records import Lane
from simulators.broker import Broker
from simulators.children import start
from tests.support.centre import Running, SaidGateway, gateway, running, write_config
from tests.support.wait import until

Heard = list[tuple[str, dict[str, Any]]]


@contextlib.asynccontextmanager
async def listening(client: httpx.AsyncClient) -> AsyncIterator[Heard]:
    """The live stream as it comes."""
    heard: Heard = []

    async def listen() -> None:
        async with aconnect_sse(client, "GET", "/api/v1/live", timeout=None) as source:
            async for told in source.aiter_sse():
                heard.append((told.event, told.json()))

    task = asyncio.create_task(listen())
    try:
        await until(lambda: heard)
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def of(heard: Heard, kind: str) -> list[dict[str, Any]]:
    return [data for event, data in heard if event == kind]


def told(gw: SaidGateway) -> list[Receipt]:
    """The receipts of the telemetry lane."""
    return [one for one in gw.receipts if one.lane is Lane.TELEMETRY]


async def journal_pages(hub: Running, most: int) -> None:
    """Let the journal's file hold so many pages; fewer than it has means what it has."""
    journal = hub.parts.clerk._journal

    def limit() -> None:
        journal._connection.execute(text(f"PRAGMA max_page_count = {most}"))
        journal._connection.rollback()

    await asyncio.get_running_loop().run_in_executor(hub.parts.clerk.writer, limit)


async def test_a_full_journal_is_told_out_of_band_and_a_press_meanwhile_is_raised_once(
    broker: Broker, tmp_path: Path
) -> None:
    """No receipt and no credit, words in health, metrics and stream, the press named as waiting; telemetry goes on;
    with room again its incident is raised, once, without a restart."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, hub.api() as client, listening(client) as heard:
        await journal_pages(hub, 1)
        while hub.parts.clerk.down is None:
            await gw.press("h1-panic")
            await asyncio.sleep(0.01)
        taken = gw.committed(Lane.ALARM).mark()
        async with gateway(broker, "gw-2", instance="2" * 32) as other:
            pressed = await other.press("h3-panic")
            await until(lambda: any(one["premises"] == "h3" for one in of(heard, "waiting")))
            await until(lambda: any(one.lane is Lane.ALARM for one in other.receipts))
            assert (0, 0) == (other.receipts[-1].credit, other.committed(Lane.ALARM).total())
            health = await client.get("/healthz")
            assert (503, "down", "database or disk is full") == (
                *(health.status_code, health.json()["status"], health.json()["journal"]),
            )
            (trouble,) = of(heard, "trouble")
            assert ("journal", "database or disk is full", None) == (
                *(trouble["part"], trouble["why"], trouble["over_ms"]),
            )
            assert {"journal": trouble["since_ms"]} == health.json()["since_ms"]
            assert trouble["since_ms"] / 1000 == await hub.counted('lianfang_trouble_since_seconds{part="journal"}')
            assert not [one for one in of(heard, "incident") if "h3" in one["incident"]["premises"]]
            async with listening(client) as late:
                assert [trouble] == of(late, "hello")[0]["troubles"]
            await gw.readings(("self/mains", True))
            await gw.receipted(1, Lane.TELEMETRY)

            await journal_pages(hub, 2**30)
            await other.receipted(pressed.seq)
            await gw.receipted(gw.seqs[Lane.ALARM])
            await until(lambda: len(of(heard, "trouble")) == 2)
        assert of(heard, "trouble")[1]["over_ms"] >= trouble["since_ms"]
        assert 200 == (await client.get("/healthz")).status_code
        assert 0 == await hub.counted('lianfang_trouble_since_seconds{part="journal"}')
        incidents = (await client.get("/api/v1/incidents", params={"area": "town"})).json()["items"]
        assert 1 == len([one for one in incidents if "h3" in one["premises"]])
        waiting = [one["premises"] for one in of(heard, "waiting")]
        assert 1 == waiting.count("h3")
        assert taken <= gw.seqs[Lane.ALARM]


async def test_telemetry_that_cannot_be_written_holds_no_alarm(broker: Broker, tmp_path: Path) -> None:
    """A hub's process may write no longer files than its telemetry has: readings wait, presses are receipted, and with
    the limit gone the readings are, too."""
    config, log = write_config(tmp_path, broker), tmp_path / "hub.log"
    child = await start("hub", [sys.executable, "-m", "lianfang", "hub", "run", str(config)], log)
    try:
        await until(lambda: not child.running or log.read_text().count('"broker reached"') == 2)
        child.check()
        (line,) = [json.loads(one) for one in log.read_text().splitlines() if '"listening"' in one]
        url = f"http://{line['host']}:{line['port']}"
        async with gateway(broker) as gw, httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            for _ in range(8):
                await gw.readings(*((f"self/point-{at}", "x" * 60) for at in range(200)))
            await gw.receipted(8 * 200, Lane.TELEMETRY)
            data = tmp_path / "data"
            longest = max((data / f"telemetry.db{end}").stat().st_size for end in ("", "-wal"))
            assert longest > 2 * (data / "journal.db-wal").stat().st_size
            soft, hard = resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (longest, hard))
            await gw.readings(*((f"self/point-{at}", "y" * 60) for at in range(200)))
            health: dict[str, Any] = {}
            while not health.get("telemetry"):
                health = (await client.get("/healthz")).json()
            assert ("degraded", "disk I/O error", ["telemetry"]) == (
                *(health["status"], health["telemetry"], list(health["since_ms"])),
            )
            event = await gw.press()
            await gw.receipted(event.seq)
            assert 8 * 200 == gw.committed(Lane.TELEMETRY).mark()
            resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
            receipt = await gw.receipted(9 * 200, Lane.TELEMETRY)
            assert receipt.credit > 0
            assert "ok" == (await client.get("/healthz")).json()["status"]
    finally:
        await child.kill()
    said = [json.loads(one)["event"] for one in log.read_text().splitlines() if one.startswith("{")]
    told = ["the telemetry store takes nothing", "the telemetry store takes readings again"]
    assert told == [one for one in said if one in told]


async def test_a_disk_nearly_full_is_left_to_the_journal(broker: Broker, tmp_path: Path) -> None:
    """With less free than the reserve, as the disk itself says, telemetry has no credit and says why; presses go on."""
    async with running(tmp_path, broker, "telemetry.reserve_mb=1000000000") as hub, gateway(broker) as gw:
        await until(lambda: hub.parts.recorder.intake.short)
        await gw.birth()
        await gw.readings(("self/mains", True))
        event = await gw.press()
        await gw.receipted(event.seq)
        await until(lambda: hub.parts.recorder.intake.down)
        await until(lambda: [one for one in gw.receipts if one.lane is Lane.TELEMETRY])
        assert {0} == {one.credit for one in gw.receipts if one.lane is Lane.TELEMETRY}
        async with hub.api(None) as client:
            health = (await client.get("/healthz")).json()
        assert "degraded" == health["status"]
        assert health["telemetry"].endswith("MiB free, and 1000000000 MiB are reserved for the journal")
        assert 0 < await hub.counted("lianfang_disk_free_bytes") < await hub.counted("lianfang_disk_reserve_bytes")
        assert 0 == hub.parts.store.count()


async def test_with_room_again_telemetry_is_taken(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held gateways, those that sent and those that only waited, get their credit when the disk has room."""
    free = [100 * 2**20]
    monkeypatch.setattr("hub.app.free_bytes", lambda folder: free[0])
    monkeypatch.setattr("hub.room.LOOK_S", 0.01)
    async with (
        running(tmp_path, broker) as hub,
        gateway(broker) as gw,
        gateway(broker, "gw-2", instance="2" * 32) as idle,
    ):
        await until(lambda: hub.parts.recorder.intake.short)
        await idle.birth()
        await gw.readings(("self/mains", True))
        for one in (gw, idle):
            await until(partial(told, one))
            assert 0 == told(one)[-1].credit
        free[0] = 300 * 2**20  # above the reserve of 256, not yet a quarter more
        await asyncio.sleep(0.1)
        assert hub.parts.recorder.intake.short is not None
        free[0] = 400 * 2**20
        assert (await gw.receipted(1, Lane.TELEMETRY)).credit > 0
        await until(lambda: told(idle)[-1].credit > 0)
        assert {} == hub.parts.troubles.standing
