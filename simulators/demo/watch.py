"""Follows the incidents of a hub from its live stream, and says when one of them has settled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from hub.clock import utc
from simulators.centre import Centre, Told

REPLIES_S_MAX = 10.0
"""How long the sirens of an incident may take to answer before it is told as it is."""
ANSWERED = ("done", "joined")


def settled(incident: Mapping[str, Any]) -> bool:
    """Whether every premises that was called has answered (or none was to be called)."""
    return all(call.get("outcome") for call in incident.get("calls", {}).values())


def summary(incident: Mapping[str, Any], latency_ms: float | None, committed_ms: int) -> dict[str, Any]:
    """An incident as one line for a program: ids, UTC times, who was called and rang, wire to commit in ms."""
    calls = incident.get("calls", {})
    return {
        "id": incident["id"],
        "priority": f"P{int(incident['priority'])}",
        "rule": incident["rule"],
        "group": incident.get("group"),
        "households": incident["premises"],
        "zones": incident["zones"],
        "event_time": utc(incident["event_ms"]),
        "committed_time": utc(committed_ms),
        "called": sorted(premises for premises, call in calls.items() if call.get("outcome") in ANSWERED),
        "latency_ms": latency_ms,
        "why": incident["why"],
    }


class Followed:
    """The incidents seen so far: their newest view, and how their opening was committed."""

    def __init__(self) -> None:
        self.views: dict[str, dict[str, Any]] = {}
        self.opened: dict[str, tuple[float | None, int]] = {}
        self.since_s: dict[str, float] = {}

    def take(self, told: Told, now_s: float) -> str | None:
        """Take an event of the live stream; gives the id of the incident that changed."""
        if told.event != "incident":
            return None
        view = told.data["incident"]
        incident = str(view["id"])
        self.views[incident] = view
        if incident not in self.opened:
            self.opened[incident] = (told.data.get("latency_ms"), int(told.data["committed_ms"]))
            self.since_s[incident] = now_s
        return incident

    def ready(self, incident: str, now_s: float) -> bool:
        """Whether it has settled, or its sirens had their time."""
        return settled(self.views[incident]) or now_s - self.since_s[incident] > REPLIES_S_MAX

    def line(self, incident: str) -> dict[str, Any]:
        """Its summary."""
        latency_ms, committed_ms = self.opened[incident]
        return summary(self.views[incident], latency_ms, committed_ms)


async def settled_incidents(centre: Centre, about: str, started: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
    """Incidents as they settle. Those of the rule the scenario is `about` come first: what led to one follows it.

    `started` is set once the stream is being heard, so that nothing can happen before.
    """
    clock = asyncio.get_running_loop().time
    followed = Followed()
    told: set[str] = set()
    found = False
    stream = centre.live()
    waiting: asyncio.Task[Told] | None = None
    try:
        while True:
            if waiting is None:
                waiting = asyncio.ensure_future(anext(stream))
            done, _ = await asyncio.wait({waiting}, timeout=0.05)
            if done:
                event, waiting = waiting.result(), None
                started.set()
                followed.take(event, clock())
            for incident, view in followed.views.items():
                about_it = view["rule"] == about
                if incident not in told and (found or about_it) and followed.ready(incident, clock()):
                    told.add(incident)
                    yield followed.line(incident)
                    found = found or about_it
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
