"""A press on a link of 64 kbit/s while 10,000 telemetry records wait: until the hub has committed it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from simulators.centre import Centre
from simulators.proxy import Line, Proxy
from simulators.recorded_house import GATEWAY, HOUSE, house_of
from simulators.trace import Recording
from simulators.village import Village
from tests.benchmarks._figures import line, spread

BYTES_PER_S = 64_000 / 8
RECORDS = 10_000
PRESSES = 10
SENSORS = 16
LIMIT_S = 120.0
BUTTON = f"""
[[bus]]
id = "buttons"
driver = "gpio_sim"
socket = "gpio.sock"
lines = {{ panic = {{ offset = 2 }} }}
[[zone]]
id = "{HOUSE}-panic"
premises = "{HOUSE}"
kind = "panic"
source = "buttons/panic"
active = true
"""
REGISTERED = f'\n[[zone]]\nid = "{HOUSE}-panic"\npremises = "{HOUSE}"\nkind = "panic"\n'


async def measure() -> None:
    """Cut the link, let contacts chatter until enough waits, squeeze the link, press."""
    house = house_of(Recording({sensor: str(sensor) for sensor in range(1, SENSORS + 1)}, []), poll_ms=10)
    with tempfile.TemporaryDirectory(prefix="lf-") as name:
        folder = Path(name)
        site, registry = folder / "house.toml", folder / "registry.toml"
        site.write_text(house.site.replace('report = "every"', 'report = "every"\non_ms = 0\noff_ms = 0') + BUTTON)
        registry.write_text(house.registry + REGISTERED)
        village = Village(folder, sites=[site], registry=registry, broker_kind="mosquitto")
        async with Proxy(village.broker.host, village.broker.port, Line()) as proxy:
            village.ports[GATEWAY] = proxy.port
            async with village, village.centre() as centre:
                await _squeeze(village, proxy, centre)


async def _squeeze(village: Village, proxy: Proxy, centre: Centre) -> None:
    plant = village.plants[GATEWAY]
    sources = [zone.source for zone in plant.zones.values() if zone.kind == "door"]
    proxy.line.refuse = True
    proxy.cut()
    level = False
    units = list(plant.units.values())
    for _ in range(RECORDS // len(sources) + 1):
        level = not level
        for source in sources:
            plant.set(source, level)
        await asyncio.gather(*(unit.polled(1) for unit in units))
    proxy.line.bytes_per_s = BYTES_PER_S
    proxy.line.refuse = False
    queued = await _queued(centre)
    line("telemetry records waiting at the first press", str(queued))
    known: set[str] = set()
    waited = []
    for _ in range(PRESSES):
        pressed_s = time.monotonic()
        plant.trip(f"{HOUSE}-panic")
        fresh = await _new_incident(centre, known)
        waited.append((time.monotonic() - pressed_s) * 1000)
        plant.restore(f"{HOUSE}-panic")
        await centre.move(fresh, "accept", {})
        await centre.move(fresh, "resolve", {"disposition": "test"})
        await asyncio.sleep(1.0)
    spread("press to commit, as the API shows it", waited, "ms", "1,000 ms")
    line("telemetry records waiting after the last press", str(await _queued(centre)))


async def _queued(centre: Centre) -> int:
    """What the gateway says waits, once the hub hears it again."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = next(gateway for gateway in await centre.gateways() if gateway["id"] == GATEWAY)
            if found["online"] and found["queued"].get("telemetry", 0):
                return int(found["queued"]["telemetry"])
            await asyncio.sleep(0.1)


async def _new_incident(centre: Centre, known: set[str]) -> dict[str, object]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            for incident in await centre.incidents():
                if incident["id"] not in known:
                    known.add(str(incident["id"]))
                    return incident
            await asyncio.sleep(0.005)


def run() -> None:
    """Real processes, a real Mosquitto, and a proxy of ours as the slow link."""
    asyncio.run(measure())
