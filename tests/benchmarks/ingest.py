"""How many alarm records one hub commits and receipts in a second, sent as fast as its credit lets them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec

from protocol.codec import decode, encode
from protocol.kinds import Kind, Priority, Qualifier
from protocol.link import Endpoint, Link
from protocol.messages import VERSION, AlarmItem, Alarms, Receipt
from protocol.records import ClockQuality, Event, Lane, Stamp
from protocol.topics import Channel, topic
from simulators.village import Village
from tests.benchmarks._figures import line

AREA, GATEWAY = "hengjie", "gw-works"
RECORDS = 20_000
A_MESSAGE = 50
INSTANCE, KBOOT = "b" * 32, "c" * 32
LIMIT_S = 120.0


def messages() -> list[bytes]:
    """Records of a mains that comes and goes: they are kept, join one incident, and ring nobody."""
    made = []
    for first in range(1, RECORDS + 1, A_MESSAGE):
        events = [
            Event(
                seq, Kind.MAINS_LOST, Qualifier.NEW, Priority.P4, Stamp(seq, 0, ClockQuality.UNSET), "mains",
                "works", "works-mains",
            )
            for seq in range(first, first + A_MESSAGE)
        ]  # fmt: skip
        items = [AlarmItem(10, msgspec.Raw(encode(event))) for event in events]
        made.append(encode(Alarms(VERSION, INSTANCE, 1, KBOOT, items)))
    return made


async def measure() -> None:
    """Publish from one connection, read receipts on the same, until the last record is receipted."""
    with tempfile.TemporaryDirectory(prefix="lf-") as folder:
        async with Village(Path(folder), sites=[], broker_kind="mosquitto") as village:
            endpoint = Endpoint(host=village.broker.host, port=village.broker.port, client_id="bench")
            async with Link(endpoint) as link, asyncio.TaskGroup() as tasks, asyncio.timeout(LIMIT_S):
                await link.subscribe([topic(AREA, GATEWAY, Channel.RECEIPT)])
                done, credit = Ledger(), asyncio.Event()
                reader = tasks.create_task(_receipts(link, done, credit))
                ready = messages()
                began_s = time.perf_counter()
                for number, data in enumerate(ready, 1):
                    while (number * A_MESSAGE) - done.committed > done.credit:
                        credit.clear()
                        await credit.wait()
                    await link.publish(topic(AREA, GATEWAY, Channel.ALARM), data)
                while done.committed < RECORDS:
                    credit.clear()
                    await credit.wait()
                took_s = time.perf_counter() - began_s
                reader.cancel()
            line("alarm records committed and receipted", f"{RECORDS / took_s:.0f} a second of {RECORDS}")


class Ledger:
    """What is receipted, and how many may be on their way."""

    committed = 0
    credit = A_MESSAGE


async def _receipts(link: Link, done: Ledger, credit: asyncio.Event) -> None:
    async for message in link.messages():
        receipt = decode(message.data, Receipt)
        if receipt.lane is Lane.ALARM:
            ranges = receipt.committed.get(INSTANCE, [])
            done.committed, done.credit = sum(last - first + 1 for first, last in ranges), receipt.credit
            credit.set()


def run() -> None:
    """A real hub process, a real Mosquitto."""
    asyncio.run(measure())
