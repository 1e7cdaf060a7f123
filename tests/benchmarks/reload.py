"""A county's registry read again while presses come: how long each waits for its receipt, and what held up the hub.

The whole hub in this process on a real broker; one household's gateway presses ten times a second. `HOUSEHOLDS=1000000`
in the environment is the largest county.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.app import Hub
from hub.registry.history import FOLDER
from hub.reloading import Attempt
from hub.settings_file import load
from protocol.logs import quiet
from simulators.broker import Broker
from simulators.county import write_county
from tests.benchmarks._figures import line, spread
from tests.benchmarks._presses import presses
from tests.support.centre import SaidGateway, gateway, write_config
from tests.support.wait import until

HOUSEHOLDS = int(os.environ.get("HOUSEHOLDS", "50000"))
SEED = 20_261_122
IDLE_PRESSES = 50


def run() -> None:
    """Write the county twice, the second time with one village more, and reload."""
    with quiet(), tempfile.TemporaryDirectory(prefix="lf-reload-") as name:
        asyncio.run(_measured(Path(name)))


async def _measured(folder: Path) -> None:
    registry = folder / "county"
    await asyncio.to_thread(write_county, registry, HOUSEHOLDS, SEED)
    await asyncio.to_thread(write_county, folder / "next", HOUSEHOLDS + 120, SEED)
    async with Broker(folder / "broker", kind="mosquitto") as broker:
        config = write_config(folder, broker)
        text = config.read_text(encoding="utf-8").replace('registry = "registry.toml"', 'registry = "county"')
        head, *people = text.split("[[person]]")  # theirs are areas of another county
        wanted = [one for one in people if '"*"' in one]
        config.write_text("[[person]]".join([head, *wanted]), encoding="utf-8")
        hub = Hub(load(config))
        running = asyncio.create_task(hub.run())
        await asyncio.wait([running, asyncio.create_task(hub.listening.wait())], return_when="FIRST_COMPLETED")
        try:
            await _reloaded(hub, broker, registry)
        finally:
            hub.stop()
            await running


async def _reloaded(hub: Hub, broker: Broker, registry: Path) -> None:
    assert hub.parts is not None
    parts = hub.parts
    await until(lambda: set(parts.broker.values()) == {None})
    history = hub.settings.hub.data_dir / FOLDER
    await until(lambda: any(history.glob("*.json")), limit_s=600.0)  # what it began with is kept
    (area, home), entry = next(iter(parts.registry.premises.items()))
    line("in force", f"{len(parts.registry.premises)} premises, {len(parts.registry.gateways)} gateways")
    gc.collect()
    gc.freeze()  # as the program does once it is built
    async with gateway(broker, entry.gateway, area) as gw:
        press = partial(_press, gw, f"{home}-panic")
        idle = await presses(press, lambda pressed: pressed < IDLE_PRESSES)
        spread("press to receipt, nothing else", idle, "ms")
        _replace(registry)
        reloading = asyncio.create_task(parts.reloading.reload("bench", "measured"))
        during = await presses(press, lambda _: not reloading.done())
        attempt: Attempt = reloading.result()
    spread("press to receipt while it is read again", during, "ms")
    line("taken", f"{attempt.taken}, {attempt.changes}")
    line("took", f"{attempt.took_ms / 1000:.1f} s, with its state kept for replay")
    line("longest time the hub did nothing else", f"{attempt.held_ms:.1f} ms")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line("peak memory of the process", f"{peak_mb:.0f} MB")


def _replace(registry: Path) -> None:
    registry.rename(registry.with_name("before"))
    registry.with_name("next").rename(registry)


async def _press(gw: SaidGateway, zone: str) -> Callable[[], bool]:
    event = await gw.press(zone)
    return lambda: event.seq in _committed(gw)


def _committed(gw: SaidGateway) -> set[int]:
    spans = gw.receipts[-1].committed.get(gw.instance, []) if gw.receipts else []
    return {seq for first, last in spans for seq in range(first, last + 1)}
