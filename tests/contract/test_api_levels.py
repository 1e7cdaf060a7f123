"""Response levels over the API: who may set them, and what is shown."""

from __future__ import annotations

from pathlib import Path

from simulators.broker import Broker
from tests.support.centre import running


async def test_a_supervisor_sets_a_level_and_everybody_sees_it(broker: Broker, tmp_path: Path) -> None:
    """Who, why and until when; an operator may not; what cannot be is refused with the reason."""
    async with running(tmp_path, broker) as hub:
        area = next(iter(hub.parts.registry.areas))
        path = f"/api/v1/areas/{area}/level"
        until_ms = hub.parts.clock.now_ms() + 3_600_000
        body = {"level": "enhanced", "why": "the spring fair", "until_ms": until_ms}
        async with hub.api("olga") as operator:
            assert 403 == (await operator.put(path, json=body)).status_code
        async with hub.api("susi") as supervisor:
            given = await supervisor.put(path, json=body)
            assert (200, "enhanced", 2, until_ms) == (given.status_code, *_of(given.json()))
            refused = await supervisor.put(path, json=body | {"until_ms": 1})
            assert (409, True) == (refused.status_code, "`until_ms` is past" in refused.json()["detail"])
            assert 404 == (await supervisor.get("/api/v1/areas/nowhere/level")).status_code
        async with hub.api("olga") as operator:
            shown = (await operator.get(path)).json()
        (period,) = shown["periods"]
        assert ("enhanced", 2, until_ms, "susi", "the spring fair") == (*_of(shown), period["by"], period["why"])


def _of(shown: dict[str, object]) -> tuple[object, ...]:
    return shown["level"], shown["divides"], shown["until_ms"]
