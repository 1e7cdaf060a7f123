"""The access list that comes with the hub, on a real Mosquitto that knows its clients by their certificates."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.link import Endpoint, Link, LinkError
from protocol.records import Lane
from protocol.tls import Tls
from protocol.topics import DOWN, UP, filters, topic
from simulators.broker import Broker, BrokerTls
from tests.support.centre import Running, SaidGateway, pressed
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


async def test_nobody_takes_the_hub_s_place_at_the_broker(broker: Broker, hub: Running, gw: SaidGateway) -> None:
    """Who connects under what a hub is called by its id throws nobody off: a broker ends the older of two."""
    async with contextlib.AsyncExitStack() as stack:
        thieves = [
            await stack.enter_async_context(Link(Endpoint(host=broker.host, port=broker.port, client_id=name)))
            for name in ("hub-hub-1-alarm", "hub-hub-1-telemetry")
        ]
        await pressed(hub, gw)
        await gw.readings(("cpu", 1.0))
        await gw.receipted(1, Lane.TELEMETRY)
        assert [None, None] == [thief.down for thief in thieves]


def test_what_nobody_may_know_of_a_connection_is_not_shown() -> None:
    """Health answers and logs name a connection without the end of its name."""
    endpoint = Endpoint(host="broker", port=8883, client_id="hub-hub-1-alarm", secret="-5ec2e7")
    assert ("broker:8883 as hub-hub-1-alarm", False) == (str(endpoint), "5ec2e7" in repr(endpoint))


async def forged(link: Link, where: str) -> None:
    """Publish what one may not; the broker says so, or drops it."""
    with contextlib.suppress(LinkError):
        await link.publish(where, b"forged")
