"""A hub whose disk takes nothing is no resend storm: real hub, real uplinks, real broker, a lock on the real file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from edge.core.entries import Limits
from hub.core.heard import Recorded
from hub.past import input_of
from protocol.link import Endpoint, Link
from protocol.topics import Channel, filters
from simulators.broker import Broker
from tests.e2e.uplinking import Side
from tests.support.centre import AREA, Running, running
from tests.support.wait import until

PROBE_MS = 400
LIMITS = Limits(
    records_max=20_000, bytes_max=8_000_000, silence_ms=500, backoff_ms=50, backoff_max_ms=100, probe_ms=PROBE_MS
)
PROBES = 3
LATE = 2
"""Messages that were on their way when the hold came."""
Counted = Counter[tuple[str, str]]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another connection holds the file: nobody else can write."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield
        lock.execute("ROLLBACK")


@contextlib.asynccontextmanager
async def linked(broker: Broker, name: str) -> AsyncIterator[Side]:
    """A gateway's uplink, connected on both lanes and given credit by the hub."""
    side = await Side(
        broker.host, broker.port, {}, area=AREA, gateway=name, limits=LIMITS, instance=name[-1] * 32
    ).open()
    task = asyncio.create_task(side.connections.run())
    try:
        await until(lambda: {side.alarm.delivery.credit, side.telemetry.delivery.credit} == {256, 4_096})
        yield side
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await side.close()


@contextlib.asynccontextmanager
async def metered(broker: Broker) -> AsyncIterator[Counted]:
    """How many messages each gateway published, by (gateway, channel), as a third party at the broker counts them."""
    counted: Counted = Counter()
    async with Link(Endpoint(host=broker.host, port=broker.port, client_id="meter")) as link:
        await link.subscribe(filters((Channel.ALARM, Channel.TELEMETRY)))

        async def count() -> None:
            async for message in link.messages():
                counted[message.topic.split("/")[3], message.topic.split("/")[4]] += 1

        counting = asyncio.create_task(count())
        try:
            yield counted
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)


async def probed(counted: Counted, *of: tuple[str, str]) -> None:
    """Wait for some probes of each, and see that there was nothing but probes."""
    clock = asyncio.get_running_loop().time
    before, began_s = counted.copy(), clock()
    await until(lambda: all(counted[one] - before[one] >= PROBES + LATE for one in of))
    most = LATE + 1 + (clock() - began_s) * 1000 / PROBE_MS
    assert all(counted[one] - before[one] <= most for one in of), (counted - before, most)


async def test_with_the_journal_locked_gateways_hold_and_nothing_is_lost(broker: Broker, tmp_path: Path) -> None:
    """Of 60 presses during the outage only probes are published; after it each is committed, exactly once."""
    async with running(tmp_path, broker) as hub, linked(broker, "gw-1") as side, metered(broker) as counted:
        with locked(hub.data / "journal.db"):
            side.press(zone="h1-panic")
            await until(lambda: side.alarm.delivery.credit == 0)
            for _ in range(59):
                side.press(zone="h1-panic")
            await probed(counted, ("gw-1", "alarm"))
            assert [] == side.receipted
        await until(lambda: len(side.receipted) == 60)
        assert list(range(1, 61)) == sorted(committed(hub))
        assert 1 == len(hub.parts.desk.incidents())


async def test_with_the_telemetry_store_locked_every_gateway_holds_and_alarms_go_on(
    broker: Broker, tmp_path: Path
) -> None:
    """Two gateways with 400 readings each publish only probes; a press is committed as ever; after the outage each
    reading is stored exactly once."""
    async with (
        running(tmp_path, broker) as hub,
        linked(broker, "gw-1") as one,
        linked(broker, "gw-2") as two,
        metered(broker) as counted,
    ):
        with locked(hub.data / "telemetry.db"):
            one.measure()
            await until(lambda: hub.parts.recorder.intake.down)
            two.measure()
            await until(lambda: {side.telemetry.delivery.credit for side in (one, two)} == {0})
            for side in (one, two):
                side.measure(399)
            await probed(counted, ("gw-1", "telemetry"), ("gw-2", "telemetry"))
            assert [400, 400] == [len(side.telemetry.delivery) for side in (one, two)]
            two.press(zone="h3-panic")
            await until(lambda: two.receipted)
            assert hub.parts.recorder.intake.down is not None
            assert 256 == two.alarm.delivery.credit
        await until(lambda: not len(one.telemetry.delivery) and not len(two.telemetry.delivery))
        assert {"1" * 32: 400, "2" * 32: 400} == Counter(
            sample.instance
            for name in ("gw-1", "gw-2")
            for _, sample in hub.parts.store.range(AREA, name, "meter/total_kwh", 0, 2**53, 2_000)
        )


async def test_every_gateway_holds_though_the_journal_s_batch_is_another_s(broker: Broker, tmp_path: Path) -> None:
    """One that sends only once the journal is down is told to hold as well, though its record is in no batch yet."""
    async with running(tmp_path, broker) as hub, linked(broker, "gw-1") as one, linked(broker, "gw-2") as two:
        with locked(hub.data / "journal.db"):
            for _ in range(256):
                one.press(zone="h1-panic")
            await until(lambda: hub.parts.clerk.down is not None and one.alarm.delivery.credit == 0)
            two.press(zone="h3-panic")
            await until(lambda: two.alarm.delivery.credit == 0)
        await until(lambda: len(one.receipted) == 256 and len(two.receipted) == 1)


def committed(hub: Running) -> list[int]:
    """The sequence of every record in the journal, as often as it is there."""
    taken = [input_of(entry) for entry in hub.parts.erasable._journal.entries()]
    return [one.event.seq for one in taken if isinstance(one, Recorded)]
