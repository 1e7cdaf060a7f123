"""The two lanes on bad links: narrow, cut, half-open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from protocol.records import Lane
from simulators.broker import Broker
from simulators.proxy import Line, Proxy
from tests.e2e.uplinking import Side
from tests.support.hub import KEY, ReceiptingHub
from tests.support.wait import until


@contextlib.asynccontextmanager
async def village(broker: Broker, line: Line) -> AsyncIterator[tuple[ReceiptingHub, Side, Proxy]]:
    """A hub at the broker, and a gateway that reaches it through the line."""
    async with ReceiptingHub(broker.host, broker.port) as hub, Proxy(broker.host, broker.port, line) as proxy:
        side = await Side(proxy.host, proxy.port, {KEY: hub.private.public_key()}).open()
        task = asyncio.create_task(side.connections.run())
        try:
            yield hub, side, proxy
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await side.close()


async def test_press_overtakes_ten_thousand_telemetry_records_on_a_narrow_link(broker: Broker) -> None:
    """At 64 kbit/s with 10,000 records queued the press is committed while nearly all of them still wait."""
    async with village(broker, Line(bytes_per_s=8_000)) as (hub, gateway, _):
        gateway.measure(10_000)
        await until(lambda: len(hub.seqs(Lane.TELEMETRY)) >= 20, 60)
        before = len(hub.seqs(Lane.TELEMETRY))
        gateway.press()
        await until(lambda: gateway.receipted == [1], 60)
        meanwhile = len(hub.seqs(Lane.TELEMETRY)) - before
        assert (meanwhile < 300, len(gateway.telemetry.delivery) > 9_000) == (True, True)


async def test_telemetry_comes_through_a_link_that_comes_and_goes(broker: Broker) -> None:
    """Cut again and again, the lane still brings every record, none in two versions."""
    async with village(broker, Line()) as (hub, gateway, proxy):
        gateway.measure(2_000)
        for _ in range(5):
            seen = len(hub.seqs(Lane.TELEMETRY))
            await until(lambda: len(hub.seqs(Lane.TELEMETRY)) > seen or seen == 2_000)  # noqa: B023
            proxy.cut()
        await until(lambda: not len(gateway.telemetry.delivery), 60)
        assert (sorted(hub.seqs(Lane.TELEMETRY)), hub.conflicts) == (list(range(1, 2_001)), 0)


async def test_half_open_link_is_noticed_and_left(broker: Broker) -> None:
    """A link that swallows everything is given up by keepalive, and the press goes over the next one."""
    async with village(broker, Line()) as (_, gateway, proxy):
        gateway.press()
        await until(lambda: gateway.receipted == [1])
        proxy.line.swallow = True
        gateway.press()
        await until(lambda: gateway.uplink.down_since_ns is not None, 40)
        proxy.line.swallow = False
        await until(lambda: gateway.receipted == [1, 2], 40)
