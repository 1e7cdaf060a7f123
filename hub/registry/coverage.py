"""How many of a village's households are enrolled in a joint-defence group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from hub.core.registry import PremisesKind, Registry, of_area

DEMONSTRATION = 0.8
"""From this share on a village is a demonstration village."""


class Village(msgspec.Struct, frozen=True):
    """A village by its station: households `enrolled` (in a group of this station), `households` that live there as the
    registry states it, and their `share`; None where nobody has stated the number."""

    area: str
    station: str
    name: str
    groups: int
    enrolled: int
    households: int | None
    share: float | None
    demonstration: bool


def villages(registry: Registry, area: str) -> Iterator[Village]:
    """Every village of an area, by its station's id. A household of several groups counts once, with its first."""
    groups = of_area(registry.groups, area)
    enrolled: Counter[str] = Counter()
    for premises in of_area(registry.premises, area).values():
        if premises.groups and premises.kind is PremisesKind.HOUSEHOLD:
            enrolled[groups[premises.groups[0]].station] += 1
    having = Counter(group.station for group in groups.values())
    for station, known in sorted(of_area(registry.stations, area).items(), key=lambda item: item[0]):
        stated = known.households or None
        share = None if stated is None else enrolled[station] / stated
        demonstration = share is not None and share >= DEMONSTRATION
        yield Village(area, station, known.name, having[station], enrolled[station], stated, share, demonstration)
