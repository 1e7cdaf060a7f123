"""What waits for people, by area, kept as incidents change: to look at it costs what is open, not what ever was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hub.core.incident import UNRESOLVED, Incident, State
from hub.measures.incidents import MUST_LOOK
from hub.measures.point import Value
from hub.measures.schema import PRIORITIES

LATELY_MS = 10 * 60_000
DAY_MS = STALE_MS = 24 * 3_600_000
DAY_MAX = 50_000
"""Incidents of an area counted for a day; of more the oldest is no more counted."""


class Raised(NamedTuple):
    """What a day's counts need of an incident."""

    at_ms: int
    priority: int
    presses: int


class Load:
    """`see` every incident as it changes; drills are counted apart from all the rest."""

    def __init__(self, incidents: Iterable[Incident] = ()) -> None:
        self._open: dict[str, dict[str, Incident]] = {}
        self._day: dict[str, dict[str, Raised]] = {}
        for incident in sorted(incidents, key=lambda one: one.raised_ms):
            self.see(incident)

    def see(self, incident: Incident) -> None:
        """An incident as it is now."""
        if incident.state in UNRESOLVED:
            self._open.setdefault(incident.area, {})[incident.id] = incident
        else:
            self._open.get(incident.area, {}).pop(incident.id, None)
        if not incident.drill:
            day = self._day.setdefault(incident.area, {})
            presses = incident.presses if incident.rule == "panic" else 0
            day[incident.id] = Raised(incident.raised_ms, int(incident.priority), presses)
            if len(day) > DAY_MAX:
                del day[next(iter(day))]

    def open(self, area: str) -> list[Incident]:
        """Unresolved incidents of an area."""
        return list(self._open.get(area, {}).values())

    def desk(self, area: str, now_ms: int) -> dict[str, Value]:
        """The load of an area's desk, as measurement `desk` has it."""
        real = [one for one in self.open(area) if not one.drill]
        new = [one for one in real if one.state is State.REPORTED and one.parent is None]
        ages = {level: [now_ms - one.raised_ms for one in new if one.priority == level] for level in PRIORITIES}
        return {
            **standing(real),
            "unaccepted": len(new),
            **{f"unaccepted_p{level}_age_ms": max(0, *ages[level], 0) for level in PRIORITIES},
            "must_look": sum(MUST_LOOK in one.conditions for one in real),
            "calls": sum(len(one.calls) for one in real),
            "drills": len(self._open.get(area, {})) - len(real),
            "stale": sum(now_ms - one.raised_ms > STALE_MS for one in real),
            **self._raised(area, now_ms),
        }

    def _raised(self, area: str, now_ms: int) -> dict[str, Value]:
        day = self._day.get(area, {})
        for incident in [one for one, raised in day.items() if now_ms - raised.at_ms > DAY_MS]:
            del day[incident]
        lately = sum(now_ms - raised.at_ms <= LATELY_MS for raised in day.values())
        return {
            "raised_10min": lately,
            **{f"raised_24h_p{level}": sum(one.priority == level for one in day.values()) for level in PRIORITIES},
            "presses_24h": sum(raised.presses for raised in day.values()),
        }


def standing(incidents: Iterable[Incident]) -> dict[str, Value]:
    """Unresolved incidents by priority, and the worst of them as a colour."""
    found = [int(one.priority) for one in incidents]
    worst = {1: 3, 2: 2}.get(min(found, default=0), 1) if found else 0
    return {**{f"open_p{level}": found.count(level) for level in PRIORITIES}, "worst": worst}
