"""A panic press on a GPIO line until it is committed and on the live stream, and until other gateways are told."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from protocol.codec import decode
from protocol.link import Endpoint, Link
from protocol.messages import Action, Command, Order
from protocol.topics import Channel, filters
from simulators.centre import Centre
from simulators.village import Village
from tests.benchmarks._figures import spread

PRESSES = 500
HOUSES = [f"h{number:02}" for number in range(1, 21)]
LIMIT_S = 10.0


class Heard:
    """What the live stream and the command topics said, with the time it was heard (ms since 1970, this machine's)."""

    def __init__(self) -> None:
        self.raised: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
        self.commanded: dict[str, float] = {}

    async def stream(self, centre: Centre, listening: asyncio.Event) -> None:
        """The live stream: the first word of each incident."""
        known: set[str] = set()
        async for told in centre.live():
            listening.set()
            if told.event == "incident" and told.data["incident"]["id"] not in known:
                known.add(told.data["incident"]["id"])
                self.raised.put_nowait((time.time() * 1000, told.data))

    async def commands(self, link: Link) -> None:
        """The wire: the first siren order of each incident."""
        async for message in link.messages():
            order = msgspec.json.decode(decode(message.data, Command).order, type=Order)
            if order.action is Action.SIREN and order.incident is not None:
                self.commanded.setdefault(order.incident, time.time() * 1000)


async def measure() -> None:
    """Press and resolve, so that every press is an incident of its own."""
    with tempfile.TemporaryDirectory(prefix="lf-") as folder:
        async with Village(Path(folder), broker_kind="mosquitto") as village:
            heard, listening = Heard(), asyncio.Event()
            endpoint = Endpoint(host=village.broker.host, port=village.broker.port, client_id="bench")
            async with village.centre() as centre, Link(endpoint) as link, asyncio.TaskGroup() as tasks:
                await link.subscribe(filters((Channel.COMMAND,)))
                followers = [
                    tasks.create_task(heard.stream(centre, listening)),
                    tasks.create_task(heard.commands(link)),
                ]
                async with asyncio.timeout(LIMIT_S):
                    await listening.wait()
                await _presses(village, centre, heard)
                for follower in followers:
                    follower.cancel()


async def _presses(village: Village, centre: Centre, heard: Heard) -> None:
    committed, streamed, commanded = [], [], []
    for number in range(PRESSES):
        zone = f"{HOUSES[number % len(HOUSES)]}-panic"
        pressed_ms = time.time() * 1000
        village.plant(zone).trip(zone)
        async with asyncio.timeout(LIMIT_S):
            heard_ms, told = await heard.raised.get()
        incident = told["incident"]
        assert incident["zones"] == [zone], f"pressed {zone}, heard {incident['zones']}"
        village.plant(zone).restore(zone)
        committed.append(told["committed_ms"] - pressed_ms)
        streamed.append(heard_ms - pressed_ms)
        await centre.move(incident, "accept", {})
        await centre.move(incident, "resolve", {"disposition": "test"})
        async with asyncio.timeout(LIMIT_S):
            while incident["id"] not in heard.commanded:  # noqa: ASYNC110  # another task fills it
                await asyncio.sleep(0.001)
        commanded.append(heard.commanded[incident["id"]] - told["committed_ms"])
    spread("press to commit", committed, "ms")
    spread("press to live stream", streamed, "ms", "median 25, p99 80 ms")
    spread("commit to siren order on the wire", commanded, "ms", "50 ms")


def run() -> None:
    """Real processes, a real Mosquitto, everything on this machine."""
    asyncio.run(measure())
