"""From a press to a phone: a real hub, a real broker, and the far end of a webhook on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.broker import Broker
from simulators.children import Child, start
from tests.e2e.test_hub_process import well
from tests.support.centre import REGISTRY, Running, gateway, running, write_config
from tests.support.outside import (
    REPORT_SECRET,
    SECRET,
    Answer,
    FarEnd,
    far_end,
    secrets_in,
    signed,
    webhook,
    with_contacts,
)
from tests.support.wait import until

STATION, H2, H3 = "+8613800000009", "+8613800000002", "+8613800000003"


@pytest.fixture
def far() -> Iterator[FarEnd]:
    """A far end."""
    with far_end() as found:
        yield found


@contextlib.asynccontextmanager
async def telling(folder: Path, broker: Broker | None, far: FarEnd, *more: str) -> AsyncIterator[Running]:
    """A hub in this process that tells people over one webhook."""
    secrets_in(folder)
    channels = f"channel=[{webhook(far)}]"
    async with running(folder, broker, with_contacts(folder, REGISTRY), channels, *more) as hub:
        yield hub


@contextlib.asynccontextmanager
async def process(folder: Path, broker: Broker, far: FarEnd) -> AsyncIterator[tuple[Child, str]]:
    """The same hub as a program."""
    config = write_config(folder, broker)
    secrets_in(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sets = [with_contacts(folder, REGISTRY), f"channel=[{webhook(far)}]", f"api.port={port}"]
    argv = [sys.executable, "-m", "lianfang", "hub", "run", str(config)]
    child = await start("hub", [*argv, *(part for one in sets for part in ("--set", one))], folder / "hub.log")
    try:
        await well(child, f"http://127.0.0.1:{port}")
        yield child, f"http://127.0.0.1:{port}"
    finally:
        await child.kill()


async def notices(url: str, incident: str) -> list[dict[str, Any]]:
    headers = {"Authorization": "Bearer token of olga"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client:
        answer = await client.get(f"{url}/api/v1/incidents/town/{incident}/notices")
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def states(url: str, incident: str, wanted: dict[str, str]) -> None:
    """Wait until the notices are in these states, by recipient."""
    async with asyncio.timeout(20):
        while True:
            found = {one["to"]: one["state"] for one in await notices(url, incident) if one["sort"] == "page"}
            if wanted.items() <= found.items():
                return
            await asyncio.sleep(0.02)


async def test_a_press_reaches_the_station_and_the_neighbours(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """A press at a hub process: the station's duty and the called neighbours get one signed message each."""
    async with process(tmp_path, broker, far) as (child, url), gateway(broker) as gw:
        await gw.press()
        await until(lambda: {STATION, H2, H3} <= {one.body["to"] for one in far.got})
        (told,) = far.to(STATION)
        await states(url, await _incident(url), {"st-a": "sent", "h2-a": "sent", "h3-a": "sent"})
        assert signed(SECRET, told.headers["x-lianfang-timestamp"], told.raw) == told.headers["x-lianfang-signature"]
        assert told.body["id"] == told.headers["idempotency-key"]
        assert "紧急求助" in told.body["text"]
        assert [] == far.to("+8613800000001")  # the house that pressed is not rung
        log = child.log.read_text(encoding="utf-8")
        assert not [word for word in ("13800000009", "Duty of ST", "Ben of H2") if word in log]


async def _incident(url: str) -> str:
    headers = {"Authorization": "Bearer token of olga"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client:
        (found,) = (await client.get(f"{url}/api/v1/incidents")).json()["items"]
    return str(found["id"])


@pytest.mark.parametrize("lost", [False, True])
async def test_killed_between_commit_and_send_nothing_is_lost(
    lost: bool, broker: Broker, far: FarEnd, tmp_path: Path
) -> None:
    """Killed while the far end hangs, the next hub tells everybody, under the same keys; also when it had not yet
    written what it was about to tell (`lost`)."""
    far.always = Answer(hangs=True)
    async with process(tmp_path, broker, far) as (child, _), gateway(broker) as gw:
        event = await gw.press()
        await gw.receipted(event.seq)
        await until(lambda: far.to(STATION))
        first = far.to(STATION)[0].headers["idempotency-key"]
        if not lost:
            await _on_disk(tmp_path, first)
        await child.kill()
    if lost:
        for found in (tmp_path / "data").glob("notices.db*"):  # nothing runs beside
            found.unlink()
    far.got.clear()
    far.always = Answer()
    async with process(tmp_path, broker, far) as (_, url):
        await until(lambda: {STATION, H2, H3} <= {one.body["to"] for one in far.got})
        await states(url, await _incident(url), {"st-a": "sent", "h2-a": "sent", "h3-a": "sent"})
        assert [1, 1, 1] == [len(far.to(phone)) for phone in (STATION, H2, H3)]
        assert lost or first == far.to(STATION)[0].headers["idempotency-key"]


async def _on_disk(folder: Path, key: str) -> None:
    def there() -> bool:
        with contextlib.closing(sqlite3.connect(folder / "data" / "notices.db")) as db:
            return bool(db.execute("SELECT 1 FROM posting WHERE id = ?", (key.rpartition("-")[0],)).fetchall())

    await until(there)


async def test_what_was_sent_is_not_sent_again(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """After a kill a page that was taken stays told once, while a press of the next run is told."""
    async with process(tmp_path, broker, far) as (child, url), gateway(broker) as gw:
        await gw.press()
        await until(lambda: far.to(STATION))
        incident = await _incident(url)
        await states(url, incident, {"st-a": "sent", "h2-a": "sent"})
        key = far.to(STATION)[0].headers["idempotency-key"]
        await until(lambda: _written(tmp_path, key) == "sent")
        await child.kill()
        async with process(tmp_path, broker, far) as (_, url):
            await gw.press()
            await until(lambda: len(far.to(STATION)) == 2)
            keys = [one.headers["idempotency-key"] for one in far.to(STATION)]
            assert (key, 2) == (keys[0], len(set(keys)))
            assert 1 == len(far.to(H2))


def _written(folder: Path, key: str) -> str | None:
    with contextlib.closing(sqlite3.connect(folder / "data" / "notices.db")) as db:
        row = db.execute("SELECT state FROM posting WHERE id = ?", (key.rpartition("-")[0],)).fetchone()
    return None if row is None else str(row[0])


async def test_the_end_is_told_to_everyone_who_was_told(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """Resolved: station and neighbours get a stand-down over the same channel, once, and nobody else does."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw, hub.api() as client:
        await gw.press()
        await until(lambda: {STATION, H2, H3} <= {one.body["to"] for one in far.got})
        (incident,) = hub.parts.desk.incidents()
        await states(hub.url, incident.id, {"st-a": "sent", "h2-a": "sent", "h3-a": "sent"})
        where = f"/api/v1/incidents/town/{incident.id}"
        assert 200 == (await client.post(f"{where}/accept")).status_code
        assert 200 == (await client.post(f"{where}/resolve", json={"disposition": "genuine"})).status_code
        await until(lambda: 3 <= len([one for one in far.got if one.body["sort"] == "stand_down"]))
        ended = [one.body["to"] for one in far.got if one.body["sort"] == "stand_down"]
        assert sorted((STATION, H2, H3)) == sorted(ended)


async def test_a_delivery_report_is_taken_only_when_signed(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """Signed with the report secret it settles its notice, twice as once; unsigned, stale or with the other secret it
    changes nothing."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw, hub.api(None) as client:
        await gw.press()
        await until(lambda: far.to(STATION))
        (incident,) = hub.parts.desk.incidents()
        await states(hub.url, incident.id, {"st-a": "sent", "h2-a": "sent"})
        now = str(hub.parts.clock.now_ms())

        async def said(secret: str, stamp: str, phone: str, status: str) -> int:
            body = json.dumps({"id": far.to(phone)[0].body["id"], "status": status}).encode()
            headers = {"X-Lianfang-Timestamp": stamp, "X-Lianfang-Signature": signed(secret, stamp, body)}
            return (await client.post("/api/v1/channels/sms/reports", content=body, headers=headers)).status_code

        assert 401 == await said(SECRET, now, STATION, "delivered")
        assert 403 == await said(REPORT_SECRET, str(int(now) - 3_600_000), STATION, "delivered")
        await states(hub.url, incident.id, {"st-a": "sent"})
        for _ in range(2):
            assert 200 == await said(REPORT_SECRET, now, STATION, "delivered")
        assert 200 == await said(REPORT_SECRET, now, H2, "failed")
        assert 200 == await said(REPORT_SECRET, now, STATION, "failed")
        await states(hub.url, incident.id, {"st-a": "delivered", "h2-a": "failed"})
        assert 1 == await hub.counted('lianfang_notices_total{channel="sms",outcome="delivered"}')


async def test_trouble_of_the_journal_goes_out_past_it(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """While the journal is locked the centre is told of it and the station of the press that waits; then that it is
    over."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw:
        with contextlib.closing(sqlite3.connect(hub.data / "journal.db", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            await gw.press()
            await until(lambda: {"trouble", "waiting"} <= {one.body["sort"] for one in far.got})
            assert [] == hub.parts.desk.incidents()
            lock.execute("ROLLBACK")
        await until(lambda: {"trouble_over", "page"} <= {one.body["sort"] for one in far.got})
        by_sort = {one.body["sort"]: one.body["to"] for one in far.got if one.body["sort"] != "page"}
        assert {"trouble": "+8613800000010", "waiting": STATION, "trouble_over": "+8613800000010"} == by_sort


async def test_a_channel_that_fails_delays_neither_the_desk_nor_another(
    broker: Broker, far: FarEnd, tmp_path: Path
) -> None:
    """One channel hangs and one is refused: the third tells everybody, and presses go on being receipted."""
    far.judge = lambda got: {"/dead": Answer(hangs=True), "/bad": Answer(400)}.get(got.path)
    tables = ", ".join(webhook(far, name) for name in ("dead", "bad", "good"))
    secrets_in(tmp_path)
    overrides = (with_contacts(tmp_path, REGISTRY), f"channel=[{tables}]")
    async with running(tmp_path, broker, *overrides) as hub, gateway(broker) as gw:
        await gw.press()
        await until(lambda: {STATION, H2, H3} <= {one.body["to"] for one in far.got if one.path == "/good"})
        event = await gw.press()
        await gw.receipted(event.seq)
        (incident,) = hub.parts.desk.incidents()
        found = {(one["channel"], one["state"]) for one in await notices(hub.url, incident.id)}
        assert {("bad", "failed"), ("good", "sent")} <= found
        assert ("dead", "sent") not in found


async def test_a_drill_leaves_nothing_outside(broker: Broker, far: FarEnd, tmp_path: Path) -> None:
    """A press marked as a drill: who would have been told is written down, and nothing leaves; a real one after it
    does."""
    async with telling(tmp_path, broker, far) as hub, gateway(broker) as gw:
        await gw.alarm(gw.event(drill=True))
        await until(hub.parts.desk.incidents)
        (drill,) = hub.parts.desk.incidents()
        await states(hub.url, drill.id, {"st-a": "drill", "h2-a": "drill", "h3-a": "drill"})
        await gw.press()
        await until(lambda: {STATION, H2, H3} <= {one.body["to"] for one in far.got})
        assert 3 == len(far.got)
