"""The hub's telemetry lane on a real broker: a store, a connection and a receipt of its own."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from hub.measures.point import Point
from hub.measures.schema import MEASUREMENTS, Source, check
from hub.store.sqlite import SqliteStore
from protocol.messages import ZoneBorn
from protocol.records import Lane
from simulators.broker import Broker
from tests.support.centre import gateway, running
from tests.support.wait import until


async def test_readings_are_receipted_once_they_are_stored(broker: Broker, tmp_path: Path) -> None:
    """What is receipted can be read back, with the gateway's own time to the last bit."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, hub.api() as client:
        await gw.readings(("self/temperature_c", 41.5), ("self/mains", True), ("zone/h2-door", "alarm"))
        await gw.receipted(3, Lane.TELEMETRY)
        asked = {"area": "town", "gateway": "gw-1"}
        latest = (await client.get("/api/v1/telemetry/latest", params=asked)).json()["items"]
        assert [("self/mains", 1), ("self/temperature_c", 41.5), ("zone/h2-door", "alarm")] == [
            (one["point"], one["value"]) for one in latest
        ]
        answer = await client.get("/api/v1/telemetry/range", params={**asked, "point": "zone/h2-door"})
        (reading,) = answer.json()["items"]
        assert (1_000_000, 1_700_000_000_000, "synced", 3) == (
            *(reading[key] for key in ("mono_ns", "wall_ms", "quality", "seq")),
        )
        assert 3 == await hub.counted("lianfang_telemetry_points_total")
        span: dict[str, str | int] = {
            **asked,
            "point": "self/temperature_c",
            "from_ms": 0,
            "to_ms": 2**43,
            "every_ms": 10**10,
        }
        (window,) = (await client.get("/api/v1/telemetry/downsampled", params=span)).json()["items"]
        assert (1, 41.5, 41.5) == (*(window[key] for key in ("count", "mean", "max")),)
        answer = await client.get("/api/v1/telemetry/downsampled", params=span | {"every_ms": 1_000})
        assert (422, "every_ms") == (answer.status_code, answer.json()["faults"][0]["key"])


async def test_a_resent_reading_is_stored_once_and_receipted_again(broker: Broker, tmp_path: Path) -> None:
    """A reading sent twice is one row, and the second sending is answered."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        for _ in range(2):
            gw.seqs[Lane.TELEMETRY] = 0
            gw.receipts.clear()
            await gw.readings(("self/mains", True))
            await gw.receipted(1, Lane.TELEMETRY)
        assert 1 == hub.parts.store.count()


async def test_a_household_s_zones_are_nobody_s_business(broker: Broker, tmp_path: Path) -> None:
    """Conditions, values and arming of a household that did not opt in are dropped, counted, and done with."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        private = [("zone/h1-door", "alarm"), ("zone/h1-door/value", 512), ("premises/h1/mode", "armed_away")]
        await gw.readings(*private, ("zone/h1-door/health", "online"), ("zone/h2-door", "alarm"))
        await gw.receipted(5, Lane.TELEMETRY)
        assert 5 == gw.committed(Lane.TELEMETRY).mark()
        kept = {one.point for one in hub.parts.store.latest("town", "gw-1")}
        assert {"zone/h1-door/health", "zone/h2-door"} == kept
        assert 3 == await hub.counted('lianfang_refused_total{reason="private_point"}')


async def test_a_store_in_trouble_holds_telemetry_and_no_alarm(broker: Broker, tmp_path: Path) -> None:
    """With the telemetry store locked there is no telemetry receipt and no credit, and a press is committed as ever."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        path = hub.data / "telemetry.db"
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            await gw.readings(("self/mains", True))
            event = await gw.press()
            await gw.receipted(event.seq)
            await until(lambda: hub.parts.recorder.intake.down)
            assert 0 == gw.committed(Lane.TELEMETRY).total()
            lock.execute("ROLLBACK")
        receipt = await gw.receipted(1, Lane.TELEMETRY)
        assert receipt.credit > 0


async def test_a_zone_is_shown_as_its_gateway_says_and_no_better(broker: Broker, tmp_path: Path) -> None:
    """A zone is normal only by a word of the process now running; after its rebirth it is unknown until told anew."""
    async with running(tmp_path, broker) as hub, gateway(broker, "gw-2") as gw, hub.api() as client:

        async def shown() -> tuple[str, str]:
            (zone,) = (await client.get("/api/v1/zones", params={"premises": "works"})).json()["items"]
            return zone["condition"], zone["health"]

        assert ("unknown", "unknown") == await shown()
        await gw.birth(zones=[ZoneBorn("works-door", "works", "door", "online")])
        known = hub.parts.links.known["town", "gw-2"]
        await until(lambda: known.birth is not None)
        assert ("unknown", "online") == await shown()
        await gw.readings(("zone/works-door", "normal"))
        await gw.receipted(1, Lane.TELEMETRY)
        assert ("normal", "online") == await shown()
        await gw.readings(("zone/works-door/health", "fault"))
        await gw.receipted(2, Lane.TELEMETRY)
        assert ("fault", "fault") == await shown()
        gw.instance, gw.boot = "2" * 32, 2
        await gw.birth(zones=[ZoneBorn("works-door", "works", "door", "unknown")])
        await until(lambda: known.birth is not None and known.birth.boot == 2)
        assert ("unknown", "unknown") == await shown()


async def test_the_hub_measures_itself_and_what_it_does(broker: Broker, tmp_path: Path) -> None:
    """A press that is accepted and resolved stands in the store as it ended, with how long each step took; so do the
    desk, the villages, groups and gateways; all as the schema says; and the next start writes no point anew."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, hub.api() as client:
        await gw.birth(
            zones=[ZoneBorn("h1-door", "h1", "door", "online"), ZoneBorn("h1-panic", "h1", "panic", "fault")]
        )
        await gw.press()
        await until(hub.parts.desk.incidents)
        (incident,) = hub.parts.desk.incidents()
        path = f"/api/v1/incidents/town/{incident.id}"
        await client.post(f"{path}/accept", json={})
        assert 200 == (await client.post(f"{path}/resolve", json={"disposition": "genuine"})).status_code
        await until(lambda: "resolved" in [one.fields["state"] for one in points(hub.parts.store, "incident")])
        await hub.parts.measuring.snapshot()
        await until(lambda: [one.fields.get("presses_24h") for one in points(hub.parts.store, "desk")][-1:] == [1])
        await until(lambda: not len(hub.parts.measuring.queue))
        found = {
            one.name: points(hub.parts.store, one.name) for one in MEASUREMENTS if one.source is not Source.READING
        }
        assert [] == [wrong for some in found.values() for point in some for wrong in check(point)]
        assert {"accepted", "resolved"} == {dict(one.tags)["milestone"] for one in found["response"]}
        assert {"incident", "response", "resolution", "page", "link", "gateway", "group", "village", "desk", "hub"} <= {
            name for name, some in found.items() if some
        }
        group = next(one for one in reversed(found["group"]) if dict(one.tags)["group"] == "g1")
        assert (6, 1, 1, 4) == (*(group.fields[f"zones{of}"] for of in ("", "_online", "_fault", "_unknown")),)
    async with running(tmp_path, broker) as hub:
        assert 1 == len(points(hub.parts.store, "incident"))
        await until(lambda: len(points(hub.parts.store, "hub")) > len(found["hub"]))
        for name in ("incident", "response", "resolution"):
            assert found[name] == points(hub.parts.store, name)


def points(store: object, measurement: str) -> list[Point]:
    assert isinstance(store, SqliteStore)
    return store.points(measurement, 0, 2**43)
