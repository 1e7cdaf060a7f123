"""False alarms over the API: resolved by a cause of the list or in words, and the worst zones."""

from __future__ import annotations

from pathlib import Path

from simulators.broker import Broker
from tests.support.centre import gateway, running


async def test_false_alarms_are_counted_by_zone_and_cause(broker: Broker, tmp_path: Path) -> None:
    """A cause of the list counts as that, words as other, a zone that is not the incident's is refused."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw, hub.api("olga") as client:
        causes = (await client.get("/api/v1/false-alarm-causes")).json()["causes"]
        assert ("child" in causes, "other") == (True, causes[-1])
        said: list[str | None] = []
        for cause, zone in (("child", "h1-panic"), ("the cat jumped at it", "h1-panic")):
            event = await gw.press()
            await gw.receipted(event.seq)
            incident = next(one for one in hub.parts.desk.incidents() if one.state.value == "reported").id
            path = f"/api/v1/incidents/town/{incident}"
            await client.post(f"{path}/accept")
            body = {"disposition": "false_alarm", "cause": cause}
            refused = await client.post(f"{path}/resolve", json={**body, "zones": ["h2-panic"]})
            assert (409, True) == (refused.status_code, "h2-panic did not set it off" in refused.json()["detail"])
            taken = await client.post(f"{path}/resolve", json={**body, "zones": [zone]})
            assert 200 == taken.status_code, taken.text
            said.append(taken.json()["cause"])
        shown = (await client.get("/api/v1/false-alarms", params={"area": "town"})).json()["items"]
        (worst,) = shown
        assert ("h1-panic", "h1", 2) == (worst["zone"], worst["premises"], worst["count"])
        assert {"child": 1, "other": 1} == worst["causes"]
        later = (await client.get("/api/v1/false-alarms", params={"since_ms": worst["last_ms"] + 1})).json()
        assert {"items": [], "next": None} == later
        assert [None, "the cat jumped at it"] == said
