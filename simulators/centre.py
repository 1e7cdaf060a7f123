"""The hub's API as somebody at the centre uses it: lists, moves, the live stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx


class CentreError(Exception):
    """The hub refused a request; carries its own words."""


class Told(NamedTuple):
    """One event of the live stream."""

    event: str
    data: dict[str, Any]


class Centre:
    """One person's session; enter it to use it. Everything raises OSError when the hub is not there."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"{url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10.0, read=30.0),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def gateways(self) -> list[dict[str, Any]]:
        """Every gateway with its session."""
        return await self._all("gateways")

    async def zones(self) -> list[dict[str, Any]]:
        """Every zone with its health."""
        return await self._all("zones")

    async def incidents(self, **wanted: str) -> list[dict[str, Any]]:
        """Every incident the desk knows, or those the query's keys (rule, state, unresolved ...) ask for."""
        return await self._all("incidents", wanted)

    async def readings(self, area: str, gateway: str, point: str) -> list[dict[str, Any]]:
        """Every stored reading of one point, in the order they were stored."""
        return await self._all("telemetry/range", {"area": area, "gateway": gateway, "point": point})

    async def move(self, incident: Mapping[str, Any], move: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Accept, assign, respond, resolve ... an incident. Raises CentreError."""
        return await self._ask("POST", f"incidents/{incident['area']}/{incident['id']}/{move}", json=dict(given))

    async def drills(self, area: str) -> list[dict[str, Any]]:
        """Every drill with its report, the newest plan first."""
        return await self._all("drills", {"area": area})

    async def plan(self, area: str, drill: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a drill. Raises CentreError."""
        return await self._ask("POST", f"drills/{area}", json=dict(drill))

    async def drill(self, area: str, drill: str, move: str, why: str) -> dict[str, Any]:
        """Start, end or break off a drill. Raises CentreError."""
        return await self._ask("POST", f"drills/{area}/{drill}/{move}", json={"why": why})

    async def live(self) -> AsyncIterator[Told]:
        """What happens from now on, until the hub ends the stream."""
        async with self._client.stream("GET", "live", timeout=httpx.Timeout(10.0, read=None)) as response:
            if response.status_code != httpx.codes.OK:
                raise CentreError((await response.aread()).decode())
            event = "message"
            async for line in response.aiter_lines():
                name, _, value = line.partition(":")
                if name == "event":
                    event = value.strip()
                elif name == "data":
                    yield Told(event, json.loads(value))

    async def _all(self, path: str, params: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        given = dict(params or {})
        while True:
            page = await self._ask("GET", path, params=given)
            found += page["items"]
            if not page.get("next"):
                return found
            given["cursor"] = str(page["next"])

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, **request)
        except httpx.TransportError as cause:
            raise ConnectionError(f"{path}: {str(cause) or type(cause).__name__}") from cause
        if response.is_error:
            raise CentreError(f"{method} {path}: {response.text}")
        answer: dict[str, Any] = response.json()
        return answer
