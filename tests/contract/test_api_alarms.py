"""Alarm management over the API: who may shelve what, what is listed with who, why and until when, and the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocol.kinds import Kind
from simulators.broker import Broker
from tests.support.centre import Running, gateway, running
from tests.support.wait import until

DOOR = {"at": "zone", "place": "h1-door", "reason": "wind_or_weather", "why": "the door bangs in the wind"}


def later(hub: Running, hours: float) -> int:
    """A time to come, hub wall ms."""
    return hub.parts.clock.now_ms() + int(hours * 3_600_000)


async def items(hub: Running, name: str, path: str, **query: Any) -> list[dict[str, Any]]:
    """What somebody is shown in a list."""
    async with hub.api(name) as client:
        found = await client.get(f"/api/v1/alarms/{path}", params=query)
        assert 200 == found.status_code, found.text
        return list(found.json()["items"])


async def test_each_role_may_do_its_part_in_its_own_area(broker: Broker, tmp_path: Path) -> None:
    """A viewer only reads; an operator shelves P3 and P4 for 8 h; a supervisor P2, for longer, and out of service."""
    async with running(tmp_path, broker) as hub:
        shelf, out = DOOR | {"until_ms": later(hub, 1)}, DOOR | {"review_ms": later(hub, 48)}
        wanted = {
            ("vera", "shelve"): (403, shelf),
            ("omar", "shelve"): (403, shelf),
            ("otto", "out-of-service"): (403, out),
            ("otto", "shelve"): (200, shelf),
            ("susi", "out-of-service"): (200, out),
            ("otto", "in-service"): (403, {"at": "zone", "place": "h1-door"}),
        }
        for (name, path), (status, body) in wanted.items():
            async with hub.api(name) as client:
                found = await client.post(f"/api/v1/alarms/town/{path}", json=body)
                assert status == found.status_code, (name, path, found.text)
        async with hub.api("otto") as operator:
            p2 = await operator.post("/api/v1/alarms/town/shelve", json=shelf | {"rule": "intrusion"})
            long = await operator.post("/api/v1/alarms/town/shelve", json=shelf | {"until_ms": later(hub, 9)})
        assert (409, True) == (p2.status_code, "only a supervisor shelves it" in p2.json()["detail"])
        assert (409, True) == (long.status_code, "the longest of an operator" in long.json()["detail"])
        async with hub.api("susi") as supervisor:
            for rule in ("panic", "duress", "fire", "gas"):
                body = shelf | {"at": "premises", "place": "h1", "rule": rule}
                never = await supervisor.post("/api/v1/alarms/town/shelve", json=body)
                assert (409, True) == (never.status_code, f"{rule} is a P1" in never.json()["detail"])
        (held,) = await items(hub, "vera", "shelved")
        who = (held["place"], held["by"], held["reason"], held["why"], held["until_ms"], held["withholds"])
        assert ("h1-door", "otto", "wind_or_weather", DOOR["why"], shelf["until_ms"], ["P3", "P4"]) == who
        (taken,) = await items(hub, "otto", "out-of-service")
        assert ("susi", out["review_ms"], None) == (taken["by"], taken["review_ms"], taken["until_ms"])
        assert [] == await items(hub, "omar", "shelved") == await items(hub, "omar", "out-of-service")
        async with hub.api("omar") as stranger:
            for path in ("shelved", "out-of-service", "suppressed", "stale", "standing", "load"):
                assert 403 == (await stranger.get(f"/api/v1/alarms/{path}", params={"area": "town"})).status_code


async def test_what_is_shelved_is_listed_and_counted_and_told_when_it_is_unshelved(
    broker: Broker, tmp_path: Path
) -> None:
    """The incident is there, `shelved`; the load counts it as withheld, then as presented; metrics say the same."""
    async with running(tmp_path, broker) as hub, gateway(broker) as village:
        body = DOOR | {"until_ms": later(hub, 1)}
        async with hub.api("susi") as supervisor:
            assert 200 == (await supervisor.post("/api/v1/alarms/town/shelve", json=body)).status_code
            await village.alarm(village.event(Kind.INTRUSION, "h1-door"))
            await until(hub.parts.desk.incidents)
            (incident,) = (await supervisor.get("/api/v1/incidents")).json()["items"]
            assert (["shelved"], "reported") == (incident["conditions"], incident["state"])
            (held,) = await items(hub, "olga", "shelved")
            assert ([incident["id"]], 1) == (held["held"], held["count"])
            load = (await supervisor.get("/api/v1/alarms/load", params={"area": "town"})).json()
            assert (0, 1) == (load["presented"], load["withheld"]["shelved"])
            assert 1 == await hub.counted('lianfang_alarms_standing{area="town",state="shelved"}')
            lines = [line["what"] for line in incident["history"]]
            assert ("susi", True) == (
                incident["history"][lines.index("shelved")]["by"],
                "not paged" in lines and "paged" not in lines,
            )
        async with hub.api("otto") as operator:
            done = await operator.post("/api/v1/alarms/town/unshelve", json={"at": "zone", "place": "h1-door"})
            assert 200 == done.status_code, done.text
            again = await operator.post("/api/v1/alarms/town/unshelve", json={"at": "zone", "place": "h1-door"})
            assert (404, True) == (again.status_code, "is not shelved" in again.json()["detail"])
            (incident,) = (await operator.get("/api/v1/incidents")).json()["items"]
            assert ([], "paged") == (incident["conditions"], incident["history"][-1]["what"])
            load = (await operator.get("/api/v1/alarms/load", params={"area": "town"})).json()
        assert (1, "intrusion", "zone:h1-door", 1.0) == (
            load["presented"],
            load["frequent"][0]["rule"],
            load["frequent"][0]["place"],
            load["frequent"][0]["share"],
        )
        assert 1 == await hub.counted('lianfang_alarms_presented_total{area="town",priority="P2"}')
        assert 1 == await hub.counted('lianfang_alarms_withheld_total{area="town",why="shelved"}')


async def test_bad_times_places_and_reasons_are_refused_and_the_lists_are_empty(broker: Broker, tmp_path: Path) -> None:
    """No such area, no such zone, a reason of no list, a load that ends before it begins."""
    async with running(tmp_path, broker) as hub:
        body = DOOR | {"until_ms": later(hub, 1)}
        async with hub.api("susi") as supervisor:
            assert 404 == (await supervisor.post("/api/v1/alarms/nowhere/shelve", json=body)).status_code
            bad = body | {"place": "h9-door", "reason": "because"}
            found = await supervisor.post("/api/v1/alarms/town/shelve", json=bad)
            words = found.json()["detail"]
            assert (409, True, True) == (found.status_code, "no zone h9-door" in words, "no reason because" in words)
            query: dict[str, str | int] = {"area": "town", "from_ms": 2_000, "until_ms": 1_000}
            assert 422 == (await supervisor.get("/api/v1/alarms/load", params=query)).status_code
            reasons = (await supervisor.get("/api/v1/alarms/reasons")).json()["reasons"]
            standing = (await supervisor.get("/api/v1/alarms/standing")).json()["areas"]
        assert ("nuisance", "other") == (reasons[0], reasons[-1])
        assert [("other", 0, None), ("town", 0, None)] == [
            (one["area"], one["shelved"], one["flood_since_ms"]) for one in standing
        ]
        for path in ("shelved", "out-of-service", "suppressed", "stale"):
            assert [] == await items(hub, "vera", path)
