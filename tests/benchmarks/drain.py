"""Presses while a telemetry server that was down an hour takes what waited: how long each waits for its receipt.

The whole hub in this process on a real broker and a real InfluxDB that is killed and started again; two gateways keep
an hour of readings each. The hour is told in readings, not waited for.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from protocol.logs import quiet
from simulators.broker import Broker
from simulators.influx import Tsdb
from tests.benchmarks._figures import line, spread
from tests.benchmarks._presses import LIMIT_S, presses
from tests.e2e.test_hub_outage import linked
from tests.e2e.uplinking import Side
from tests.support.centre import AREA, running
from tests.support.influx import new_database
from tests.support.wait import until

HOUR = 60 * 60
"""Readings of one gateway: one a second, more than a station's 13 a minute of its own and 4 of each device."""
PRESSES = 50


def run() -> None:
    """Fill both gateways while the server is dead, then press until it has everything."""
    with quiet(), tempfile.TemporaryDirectory(prefix="lf-drain-") as name:
        asyncio.run(_measured(Path(name)))


async def _measured(folder: Path) -> None:
    async with Tsdb(folder / "influxdb") as server, Broker(folder / "broker", kind="mosquitto") as broker:
        access = await asyncio.to_thread(new_database, server.url)
        keys = {"store": "influxdb", "url": server.url, "database": access.database}
        settings = [f"telemetry.{key}={value}" for key, value in keys.items()]
        async with (
            running(folder, broker, *settings) as hub,
            linked(broker, "gw-1") as one,
            linked(broker, "gw-2") as two,
        ):
            sides = (one, two)
            idle = await presses(partial(_press, one), lambda pressed: pressed < PRESSES)
            await server.kill()
            for side in sides:
                side.measure(HOUR)
            await until(lambda: {side.telemetry.delivery.credit for side in sides} == {0}, LIMIT_S)
            down = await presses(partial(_press, one), lambda pressed: pressed < PRESSES)
            line("readings that wait at the gateways", f"{sum(len(side.telemetry.delivery) for side in sides)}")
            began_s = perf_counter()
            await server.start()
            during = await presses(partial(_press, one), lambda _: any(len(side.telemetry.delivery) for side in sides))
            took_s = perf_counter() - began_s
            async with hub.api() as client:
                asked = {"area": AREA}
                kept = (await client.get("/api/v1/telemetry/count", params=asked)).json()["count"]
    spread("press to receipt, server up", idle, "ms")
    spread("press to receipt, server dead", down, "ms")
    spread("press to receipt, while it takes what waited", during, "ms")
    line("that to the first, medians", f"{median(during) / median(idle):.2f} times")
    line("taken in", f"{took_s:.1f} s from the server's start")
    line("readings in the store", f"{kept} of {2 * HOUR}")


async def _press(side: Side) -> Callable[[], bool]:
    known = len(side.receipted)
    side.press(zone="h1-panic")
    return lambda: len(side.receipted) > known
