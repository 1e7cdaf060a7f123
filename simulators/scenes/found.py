"""What came of a scenario, in one form whether it was played in virtual time or by real processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.core.drill import Drill
from hub.core.effects import Page
from hub.core.incident import Incident
from hub.core.proof import ProofView

STOOD_DOWN = "stood down "


@dataclass(frozen=True, slots=True)
class Found:
    """At the end of a scenario. `sirens` maps a premises to when it sounded, in s of the scenario.

    What could not be seen is None: real processes tell nobody whom they paged, or every record they took.
    `floods` are (from, until or None, alarms) in s of the scenario, `listed` the places in lists of alarm management.
    `trouble` is what must never be, whatever a scenario expects.
    """

    incidents: tuple[Incident, ...]
    sirens: Mapping[str, tuple[tuple[float, float | None], ...]]
    pages: tuple[Page, ...] | None = None
    records: Mapping[str, int] | None = None
    trouble: tuple[str, ...] = ()
    floods: tuple[tuple[float, float | None, int], ...] | None = None
    listed: Mapping[str, Sequence[str]] | None = None
    drills: tuple[Drill, ...] = ()
    proofs: Mapping[str, ProofView] | None = None

    def pages_of(self, incident: str) -> dict[str, int] | None:
        """How often each rung was told of an incident."""
        if self.pages is None:
            return None
        counts: dict[str, int] = {}
        for page in self.pages:
            if page.incident == incident:
                counts[page.rung.value] = counts.get(page.rung.value, 0) + 1
        return counts

    def parent_of(self, incident: Incident) -> str:
        """The rule of an incident's parent; "none" where it has none."""
        return next((other.rule for other in self.incidents if other.id == incident.parent), "none")


def stood_down(incident: Incident) -> set[str]:
    """Everybody who was told that it is over."""
    lines = (line.what for line in incident.history if line.what.startswith(STOOD_DOWN))
    return {name for line in lines for name in line.removeprefix(STOOD_DOWN).split(", ")}


def lines(incident: Incident) -> list[str]:
    """Its history in words."""
    return [f"{line.what}: {line.why}" if line.why else line.what for line in incident.history]


def read(views: Iterable[Mapping[str, Any]]) -> tuple[Incident, ...]:
    """Incidents as the API tells them."""
    return tuple(msgspec.convert(view, Incident, strict=False) for view in views)
