"""Bad input on a real broker: counted by reason, said once per gateway and minute, and it changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import hub.gate
from protocol.codec import SIZE_MAX
from protocol.link import Endpoint, Link
from protocol.records import Lane
from protocol.topics import Channel
from simulators.broker import Broker
from tests.support.centre import Running, SaidGateway, gateway, running
from tests.support.wait import until

TIMES = 3


async def oversized(gw: SaidGateway) -> None:
    """Our own link refuses to send it; somebody else's may not."""
    async with Link(Endpoint(host=gw.link.endpoint.host, port=gw.link.endpoint.port, client_id="fat")) as fat:
        assert fat._client is not None
        await fat._client.publish(f"lf/1/{gw.area}/{gw.gateway}/alarm", b" " * (SIZE_MAX + 1), qos=1)


async def wrong_area(gw: SaidGateway) -> None:
    gw.area = "other"
    await gw.press("o1-panic")
    gw.area = "town"


async def unknown_gateway(gw: SaidGateway) -> None:
    gw.gateway = "gw-9"
    await gw.press()
    gw.gateway = "gw-1"


REFUSED: dict[str, Any] = {
    "unparsable": lambda gw: gw.raw(Channel.ALARM, b'{"v":1,'),
    "oversized": oversized,
    "wrong_version": lambda gw: gw.raw(Channel.ALARM, b'{"v":99,"items":[]}'),
    "wrong_area": wrong_area,
    "unknown_gateway": unknown_gateway,
    "unknown_zone": lambda gw: gw.press("h3-panic"),
}


def entries(hub: Running) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(hub.data / "journal.db")) as db:
        return db.execute("SELECT * FROM entry ORDER BY n").fetchall()


async def counted(hub: Running, reason: str, times: int) -> None:
    async with asyncio.timeout(20):
        while await hub.counted(f'lianfang_refused_total{{reason="{reason}"}}') < times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_is_refused_changes_neither_desk_nor_journal(reason: str, broker: Broker, tmp_path: Path) -> None:
    """Three of a kind count three, make one line in the log, and leave desk, journal and receipts as they were."""
    with capture_logs() as lines:
        async with running(tmp_path, broker) as hub, gateway(broker) as gw:
            first = await gw.press()
            await gw.receipted(first.seq)
            await until(lambda: hub.parts.links.known["town", "gw-1"].told and len(hub.parts.clerk.rounds.inbox) == 0)
            await until(lambda: "linked" in {row[6] for row in entries(hub)})
            before, journal = hub.parts.desk.snapshot(), entries(hub)
            for _ in range(TIMES):
                await REFUSED[reason](gw)
            await counted(hub, reason, TIMES)
            assert before == hub.parts.desk.snapshot()
            assert journal == entries(hub)
            assert [(1, 1)] == list(gw.committed(Lane.ALARM))
            assert TIMES == await hub.counted(f'lianfang_refused_total{{reason="{reason}"}}')
    assert [reason] == [line["reason"] for line in lines if line["event"] == "refused"]


async def test_a_message_the_hub_chokes_on_ends_nothing(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in taking one message is logged and counted, and the next press of anybody is taken."""
    good = hub.gate.Gate.alarms
    choked: list[str] = []

    def choke(gate: hub.gate.Gate, address: Any, message: Any) -> Any:
        if not choked:
            choked.append(address.gateway)
            raise RuntimeError("no such thing as a bug of ours")
        return good(gate, address, message)

    monkeypatch.setattr(hub.gate.Gate, "alarms", choke)
    async with running(tmp_path, broker) as one, gateway(broker) as gw:
        await gw.press()
        await until(lambda: choked)
        second = await gw.press()
        await gw.receipted(second.seq)
        assert 1 == await one.counted("lianfang_inputs_set_aside_total")


async def test_records_of_many_instances_all_get_their_receipt(broker: Broker, tmp_path: Path) -> None:
    """A gateway that restarted a hundred times offline has the last press of each start receipted."""
    async with running(tmp_path, broker), gateway(broker) as gw:
        for boot in range(1, 101):
            gw.instance, gw.boot = f"{boot:032x}", boot
            gw.seqs[Lane.ALARM] = 0
            await gw.press()
        await until(lambda: gw.committed(Lane.ALARM))
        for boot in range(1, 101):
            gw.instance, gw.boot = f"{boot:032x}", boot
            gw.seqs[Lane.ALARM] = 0
            gw.receipts.clear()
            await gw.press()
            await gw.receipted(1)
