"""The hub's process, ended and killed: it says where it is, is gone when told, and goes on where it was."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from protocol.messages import Action
from protocol.records import Lane
from simulators.broker import Broker
from simulators.children import Child, start
from tests.support.centre import gateway, write_config
from tests.support.wait import until


def said(child: Child, event: str) -> list[dict[str, Any]]:
    """Lines of the log that say `event`."""
    lines = child.log.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in found if line.get("event") == event]


@contextlib.asynccontextmanager
async def hub(folder: Path, broker: Broker, name: str = "hub") -> AsyncIterator[tuple[Child, str]]:
    """`lianfang hub run` on a free port, connected on both lanes; the address is the one it says itself."""
    config = write_config(folder, broker)
    child = await start(name, [sys.executable, "-m", "lianfang", "hub", "run", str(config)], folder / f"{name}.log")
    try:
        await until(lambda: not child.running or len(said(child, "broker reached")) == 2)
        child.check()
        (line,) = said(child, "listening")
        yield child, f"http://{line['host']}:{line['port']}"
    finally:
        await child.kill()


async def test_on_port_0_it_says_where_it_listens(broker: Broker, tmp_path: Path) -> None:
    """The address in its log is the one that answers."""
    async with hub(tmp_path, broker) as (_, url), httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.get(f"{url}/healthz")
        assert (200, "ok", "hub-1") == (answer.status_code, answer.json()["status"], answer.json()["hub"])


async def test_it_ends_though_the_broker_hangs(broker: Broker, tmp_path: Path) -> None:
    """A broker that neither answers nor goes away keeps nobody from ending the hub."""
    async with hub(tmp_path, broker) as (child, _):
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            child.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert 0 == await child.process.wait(), child.tail()
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        assert 1 == len(said(child, "ended"))


async def test_killed_it_goes_on_where_it_was(broker: Broker, tmp_path: Path) -> None:
    """After a power cut the incidents are the same to the last field, and orders not answered go out again."""
    headers = {"Authorization": "Bearer token of olga"}
    async with gateway(broker) as gw, httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client:
        async with hub(tmp_path, broker, "first") as (child, url):
            event = await gw.press()
            await gw.receipted(event.seq)
            await until(lambda: gw.commands)
            before = (await client.get(f"{url}/api/v1/incidents")).json()["items"]
            await child.kill()
        sent = {order.id: order for order in gw.orders(tmp_path / "data")}
        gw.commands.clear()
        async with hub(tmp_path, broker, "second") as (_, url):
            assert before == (await client.get(f"{url}/api/v1/incidents")).json()["items"]
            await until(lambda: gw.commands)
            assert sent == {order.id: order for order in gw.orders(tmp_path / "data")}


async def test_what_it_had_is_told_before_a_stand_down(broker: Broker, tmp_path: Path) -> None:
    """Else the gateway takes its own press for one that came after the resolve, and the lamp stays lit for ever."""
    headers = {"Authorization": "Bearer token of olga"}
    async with gateway(broker) as gw, httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client:
        async with hub(tmp_path, broker, "first") as (child, url):
            event = await gw.press()
            await gw.receipted(event.seq)
            (incident,) = (await client.get(f"{url}/api/v1/incidents")).json()["items"]
            way = f"{url}/api/v1/incidents/{incident['area']}/{incident['id']}"
            assert 200 == (await client.post(f"{way}/accept")).status_code
            assert 200 == (await client.post(f"{way}/resolve", json={"disposition": "genuine"})).status_code
            await child.kill()
        gw.receipts.clear()
        gw.commands.clear()
        async with hub(tmp_path, broker, "second"):
            await until(lambda: Action.STAND_DOWN in [order.action for order in gw.orders(tmp_path / "data")])
            assert event.seq in gw.committed(Lane.ALARM)
