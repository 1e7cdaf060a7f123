"""Alerts of Grafana's rules come to the hub and are told like its own trouble; what is not ours changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.api.watch import PARTS_MAX
from simulators.broker import Broker
from tests.support.centre import running

PATH = "/api/v1/alerts"


def alert(status: str, rule: str | None = "hub-silent", **more: Any) -> dict[str, Any]:
    """One alert as Grafana's webhook has it, with keys nobody here reads."""
    labels = {"alertname": "The hub is silent", "grafana_folder": "Lianfang"} | ({"lianfang": rule} if rule else {})
    return {
        "status": status, "labels": labels | more, "annotations": {"summary": "no word of the hub"},
        "startsAt": "2026-11-22T12:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c0ffee",
    }  # fmt: skip


async def test_an_alert_is_told_as_trouble_until_it_is_over(broker: Broker, tmp_path: Path) -> None:
    """Once while it stands, however often Grafana repeats it; then that it is over. A viewer may not say so."""
    async with running(tmp_path, broker) as hub:
        area = next(iter(hub.parts.registry.areas))
        told: list[tuple[str, str, bool]] = []
        hub.parts.troubles.page = lambda one: told.append((one.part, one.why, one.over_ms is not None))
        body = {"receiver": "lianfang-hub", "version": "1", "alerts": [alert("firing"), alert("firing", area=area)]}
        async with hub.api("vera") as viewer:
            assert 403 == (await viewer.post(PATH, json=body)).status_code
        async with hub.api("olga") as operator:
            assert 401 == (await operator.post(PATH, json=body, headers={"Authorization": "Bearer x"})).status_code
            for _ in range(2):
                given = await operator.post(PATH, json=body)
                assert (200, ["watch/hub-silent", f"watch/hub-silent/{area}"]) == (
                    given.status_code,
                    given.json()["standing"],
                )
            over = await operator.post(PATH, json={"alerts": [alert("resolved")]})
            assert [f"watch/hub-silent/{area}"] == over.json()["standing"]
        why = "no word of the hub"
        assert [
            ("watch/hub-silent", why, False), (f"watch/hub-silent/{area}", why, False), ("watch/hub-silent", why, True),
        ] == told  # fmt: skip


async def test_what_is_not_ours_is_refused_with_every_reason(broker: Broker, tmp_path: Path) -> None:
    """A rule without our label, an area nobody knows, too many names: all faults at once, and nothing is told."""
    async with running(tmp_path, broker) as hub, hub.api("olga") as operator:
        bad = await operator.post(
            PATH, json={"alerts": [alert("firing"), alert("firing", None), alert("firing", area="x")]}
        )
        assert 422 == bad.status_code
        assert ["alerts[1].labels.lianfang", "alerts[2].labels.area"] == [one["key"] for one in bad.json()["faults"]]
        for at in range(PARTS_MAX):
            assert 200 == (await operator.post(PATH, json={"alerts": [alert("firing", f"r-{at}")]})).status_code
            assert [] == (await operator.post(PATH, json={"alerts": [alert("resolved", f"r-{at}")]})).json()["standing"]
        assert 409 == (await operator.post(PATH, json={"alerts": [alert("firing", "one-more")]})).status_code
        assert {} == hub.parts.troubles.standing
