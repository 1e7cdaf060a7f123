"""A hub is backed up while presses go on, is lost, and comes back: real processes on a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from protocol.records import Lane
from simulators.broker import Broker
from simulators.children import Child, start
from tests.support.centre import SaidGateway, gateway, write_config
from tests.support.wait import until

HEADERS = {"Authorization": "Bearer token of olga"}


def logged(log: Path, event: str) -> list[dict[str, Any]]:
    """Lines of a log that say `event`."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]


async def lianfang(*argv: str | Path) -> tuple[int, str, str]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lianfang", *map(str, argv)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    assert child.returncode is not None
    assert "Traceback" not in err.decode(), err.decode()
    return child.returncode, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def hub(config: Path, log: Path) -> AsyncIterator[tuple[Child, httpx.AsyncClient]]:
    """`lianfang hub run`, connected on both lanes, with its API as olga uses it."""
    child = await start("hub", [sys.executable, "-m", "lianfang", "hub", "run", str(config)], log)
    try:
        await until(lambda: not child.running or len(logged(log, "broker reached")) == 2)
        child.check()
        (said,) = logged(log, "listening")
        url = f"http://{said['host']}:{said['port']}"
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, trust_env=False, timeout=20) as client:
            yield child, client
    finally:
        await child.kill()


async def incidents(client: httpx.AsyncClient, area: str = "town") -> dict[str, dict[str, Any]]:
    items = (await client.get("/api/v1/incidents", params={"area": area})).json()["items"]
    return {one["id"]: one for one in items}


async def backup(config: Path, out: Path, *more: str) -> dict[str, Any]:
    code, said, err = await lianfang("backup", "--config", config, "--out", out, "--json", *more)
    assert 0 == code, err
    found: dict[str, Any] = json.loads(said)
    return found


async def pressing(gw: SaidGateway, ended: asyncio.Event) -> None:
    while not ended.is_set():
        event = await gw.press("h1-panic")
        await gw.receipted(event.seq)


async def test_a_hub_comes_back_from_a_backup_taken_while_presses_went_on(broker: Broker, tmp_path: Path) -> None:
    """The chain is whole and incidents are there; what is sent again counts once, what nobody holds is a hole, nobody
    is paged again, and new presses raise and ring at once."""
    config, ended = write_config(tmp_path / "first", broker), asyncio.Event()
    async with gateway(broker) as gw, gateway(broker, "gw-o", "other", instance="2" * 32) as far:
        async with hub(config, tmp_path / "first.log") as (child, client):
            await gw.readings(("self/mains", True))
            await gw.receipted(1, Lane.TELEMETRY)
            presses = asyncio.create_task(pressing(gw, ended))
            await gw.receipted(20)
            made = await backup(config, tmp_path / "b.lfb")
            at_least = gw.committed(Lane.ALARM).mark()
            ended.set()
            await presses
            lost = await gw.press("h1-panic")
            await gw.receipted(lost.seq)
            before = await incidents(client)
            await child.kill()
        assert 0o600 == stat.S_IMODE((tmp_path / "b.lfb").stat().st_mode)
        held = gw.event(zone="h2-panic")  # a press while there is no hub

        code, said, err = await lianfang("restore", tmp_path / "b.lfb", "--into", tmp_path / "second", "--json")
        assert 0 == code, err
        assert made["heads"] == json.loads(said)["manifest"]["heads"]
        assert set(json.loads(said)["put"]) == {part["name"] for part in made["parts"]}
        again = tmp_path / "second" / "hub.toml"
        code, said, _ = await lianfang("hub", "journal", "verify", again)
        assert (0, True) == (code, f"whole: {made['entries']} entries" in said)

        gw.receipts.clear()
        async with hub(again, tmp_path / "second.log") as (_, client):
            pages: list[dict[str, Any]] = []
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(_pages(client, pages))
                assert before.keys() == (await incidents(client)).keys()
                mark = max(last for _, last in await _known(gw))
                assert 20 <= mark <= at_least + 1
                # What the gateway still holds: one that is in the backup, and the one nobody has heard of.
                gw.seqs[Lane.ALARM] = 0
                await gw.alarm(gw.event(zone="h1-panic"))
                await gw.alarm(held)
                await gw.alarm(held)
                await gw.receipted(held.seq)
                assert [(1, mark), (held.seq, held.seq)] == list(gw.committed(Lane.ALARM))
                asked = {"area": "town", "gateway": "gw-1", "lane": "alarm"}
                gaps = (await client.get("/api/v1/gaps", params=asked)).json()["items"]
                assert [(mark + 1, held.seq - 1)] == [(gap["first"], gap["last"]) for gap in gaps]
                # Somewhere else, where nothing has happened yet: raised, paged and rung at once.
                new = await far.press("o1-panic")
                await far.receipted(new.seq)
                await until(lambda: far.commands)
                sent = {one.id: one.premises for one in far.orders(tmp_path / "second" / "data")}
                assert [["o2"]] == list(sent.values())
                await until(lambda: any(page["area"] == "other" for page in pages))
                listening.cancel()
            assert {
                ("town", "h1 and h2 pressed within 10 min: adjacent groups are called too"),
                ("other", "o1 pressed the panic button"),
            } == {(page["area"], page["why"]) for page in pages}, pages
            await gw.readings(("self/mains", False))
            await gw.receipted(2, Lane.TELEMETRY)


async def _known(gw: SaidGateway) -> list[tuple[int, int]]:
    """Have the hub say what it has of a gateway's alarms."""
    await gw.birth()
    await until(lambda: [one for one in gw.receipts if one.lane is Lane.ALARM])
    return list(gw.committed(Lane.ALARM))


async def _pages(client: httpx.AsyncClient, pages: list[dict[str, Any]]) -> None:
    async with aconnect_sse(client, "GET", "/api/v1/live", timeout=None) as source:
        async for told in source.aiter_sse():
            if told.event == "page":
                pages.append(told.json())


async def test_a_hub_that_lost_everything_takes_the_next_press(broker: Broker, tmp_path: Path) -> None:
    """With an empty folder and no backup a press is raised at once; what was known of a gateway begins with a gap."""
    config = write_config(tmp_path / "hub", broker)
    async with gateway(broker) as gw:
        async with hub(config, tmp_path / "first.log") as (child, _):
            for _ in range(5):
                await gw.press()
            await gw.receipted(5)
            await child.kill()
        shutil.rmtree(tmp_path / "hub" / "data")
        async with hub(config, tmp_path / "second.log") as (_, client):
            gw.receipts.clear()
            event = await gw.press("h2-panic")
            await gw.receipted(event.seq)
            assert [["h2"]] == [one["premises"] for one in (await incidents(client)).values()]
            asked = {"area": "town", "gateway": "gw-1", "lane": "alarm"}
            gaps = (await client.get("/api/v1/gaps", params=asked)).json()["items"]
            assert [(1, 5)] == [(gap["first"], gap["last"]) for gap in gaps]


async def test_the_commands_say_all_that_is_wrong_at_once(broker: Broker, tmp_path: Path) -> None:
    """Status 2 and every fault, in words or as one JSON object; a hub at work is left alone."""
    config = write_config(tmp_path / "hub", broker)
    async with hub(config, tmp_path / "hub.log"):
        await backup(config, tmp_path / "b.lfb", "--without-telemetry")
        code, _, err = await lianfang("restore", tmp_path / "b.lfb", "--config", config)
        assert (2, True, True) == (code, "on which a hub runs" in err, "journal.db, which is there" in err)
        code, said, _ = await lianfang("restore", tmp_path / "b.lfb", "--json")
        assert (2, ["--into, --config"]) == (code, [fault["key"] for fault in json.loads(said)["faults"]])
        code, said, _ = await lianfang("backup", "--config", config, "--out", tmp_path / "no" / "b.lfb", "--json")
        assert (2, ["folder"]) == (code, [fault["key"] for fault in json.loads(said)["faults"]])
    code, said, _ = await lianfang("restore", tmp_path / "b.lfb", "--config", config, "--replace")
    assert (0, True, True) == (code, "kept aside: " in said, "next: lianfang hub check" in said)
    async with hub(config, tmp_path / "again.log"):
        pass
