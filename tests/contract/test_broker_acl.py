"""The access list that comes with the hub, on a real Mosquitto that knows its clients by their certificates."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.link import Endpoint, Link, LinkError
from protocol.tls import Tls
from protocol.topics import DOWN, UP, filters, topic
from simulators.broker import Broker, BrokerTls
from tests.support.pki import Authority, Issued
from tests.support.wait import until

ACL = Path(__file__).parents[2] / "firmware_configs" / "hub" / "broker.acl"


@pytest.fixture
async def place(tmp_path: Path, mosquitto_path: Path) -> AsyncIterator[tuple[Broker, Authority]]:
    """A broker with the list, and who makes certificates for it."""
    authority = Authority(tmp_path / "pki")
    own = authority.issue("broker")
    tls = BrokerTls(own.ca, own.cert, own.key)
    async with Broker(tmp_path / "broker", kind="mosquitto", tls=tls, acl=ACL.read_text()) as broker:
        yield broker, authority


def linked(broker: Broker, issued: Issued, name: str) -> Link:
    tls = Tls(issued.ca, issued.cert, issued.key)
    return Link(Endpoint(host=broker.host, port=broker.port, client_id=name, tls=tls))


async def hears(link: Link, found: list[str]) -> None:
    async for message in link.messages():
        found.append(message.topic)


async def test_each_says_and_hears_its_own(place: tuple[Broker, Authority]) -> None:
    """A gateway's words reach the hub and the hub's reach it; another gateway's forgeries of either reach nobody."""
    broker, authority = place
    hub_heard: list[str] = []
    gw_heard: list[str] = []
    async with (
        linked(broker, authority.issue("hub"), "h") as hub,
        linked(broker, authority.issue("gw-1"), "g") as gw,
        linked(broker, authority.issue("gw-2"), "o") as other,
        asyncio.TaskGroup() as tasks,
    ):
        await hub.subscribe(filters(UP))
        await gw.subscribe([topic("a", "gw-1", channel) for channel in DOWN])
        reading = [tasks.create_task(hears(hub, hub_heard)), tasks.create_task(hears(gw, gw_heard))]
        for channel in (*UP, *DOWN):
            await forged(other, topic("a", "gw-1", channel))
        for channel in DOWN:
            await forged(gw, topic("a", "gw-1", channel))
        for channel in UP:
            await gw.publish(topic("a", "gw-1", channel), b"{}")
        for channel in DOWN:
            await hub.publish(topic("a", "gw-1", channel), b"{}")
        await until(lambda: len(hub_heard) >= len(UP) and len(gw_heard) >= len(DOWN))
        for task in reading:
            task.cancel()
    assert sorted(hub_heard) == sorted(topic("a", "gw-1", channel) for channel in UP)
    assert sorted(gw_heard) == sorted(topic("a", "gw-1", channel) for channel in DOWN)


async def forged(link: Link, where: str) -> None:
    """Publish what one may not; the broker says so, or drops it."""
    with contextlib.suppress(LinkError):
        await link.publish(where, b"forged")
