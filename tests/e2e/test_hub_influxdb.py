"""A real hub on a real InfluxDB that is killed: gateways hold, alarms go on, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from hub.measures.readings import MEASURES
from hub.measures.schema import MEASUREMENTS, Source
from hub.store.server import Access, InfluxServer, named
from simulators.broker import Broker
from simulators.influx import Tsdb
from tests.e2e.test_hub_outage import linked
from tests.support.centre import running
from tests.support.influx import new_database
from tests.support.wait import until


async def test_a_killed_server_holds_telemetry_and_no_alarm_and_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    """Killed with 300 readings stored: what comes then waits at the gateway without a receipt, a press is committed and
    told as ever; back again, all 700 are there, each once, and the incident with them."""
    async with Tsdb(tmp_path / "influxdb") as server:
        access = await asyncio.to_thread(new_database, server.url)
        keys = {
            "store": "influxdb",
            "url": server.url,
            "database": access.database,
            "batch_ms": 20,
            "timeout_ms": 2_000,
        }
        settings = [f"telemetry.{key}={value}" for key, value in keys.items()]
        async with running(tmp_path, broker, *settings) as hub, linked(broker, "gw-1") as side:
            side.measure(300)
            await until(lambda: not len(side.telemetry.delivery))
            await server.kill()
            side.measure(400)
            await until(lambda: side.telemetry.delivery.credit == 0)
            assert hub.parts.recorder.intake.down is not None
            side.press(zone="h1-panic")
            await until(lambda: side.receipted)
            assert (1, 256) == (len(hub.parts.desk.incidents()), side.alarm.delivery.credit)
            assert 400 == len(side.telemetry.delivery)
            assert 0 < len(hub.parts.measuring.queue)
            await server.start()
            await until(lambda: not len(side.telemetry.delivery), 40)
            await until(lambda: not len(hub.parts.measuring.queue), 90)
            assert 0 == hub.parts.store.refused.count
            assert ["meter/total_kwh"] == [one.point for one in hub.parts.store.latest("town", "gw-1")]
            async with hub.api() as client:
                asked = {"area": "town", "gateway": "gw-1"}
                assert {"count": 700} == (await client.get("/api/v1/telemetry/count", params=asked)).json()
                assert [] == (await client.get("/api/v1/telemetry/refused")).json()["items"]
        found = await asyncio.to_thread(read, access)
        assert Counter(range(1, 701)) == found["seqs"]
        assert {one.name for one in MEASUREMENTS if one.source is not Source.READING} - found.keys() <= {
            "response", "resolution", "channel"
        }  # fmt: skip
        assert 1 == found["incident"].total()


def read(access: Access) -> dict[str, Counter[int]]:
    """Every reading's number, and how many points the other measurements have."""
    server = InfluxServer(access)
    try:
        found: dict[str, Counter[int]] = {"seqs": Counter()}
        for name in MEASURES:
            for series in server.query(f"SELECT seq FROM {named(name)}"):
                found["seqs"].update(row[1] for row in series["values"])
        for one in MEASUREMENTS:
            for series in server.query(f"SELECT * FROM {named(one.name)}"):
                found.setdefault(one.name, Counter())[0] += len(series["values"])
        return found
    finally:
        server.close()
