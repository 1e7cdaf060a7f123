"""Where things are, for tags: the village of a gateway and of a group."""

from __future__ import annotations

from collections import Counter

from hub.core.registry import PremisesKind, Registry, of_area
from hub.measures.point import Tags, tags_of


class Places:
    """Villages by gateway; an area is looked through once, when it is first asked for."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._villages: dict[str, dict[str, str]] = {}

    def under(self, registry: Registry) -> None:
        """Another registry is in force."""
        self._registry, self._villages = registry, {}

    def of_gateway(self, area: str, gateway: str) -> str | None:
        """The village most of its premises are in; None of a gateway without a group."""
        found = self._villages.get(area)
        if found is None:
            found = self._villages[area] = self._look(area)
        return found.get(gateway)

    def of_group(self, area: str, group: str | None) -> str | None:
        """The village of a group."""
        known = self._registry.groups.get((area, group)) if group is not None else None
        return known.station if known is not None else None

    def tags(self, area: str, gateway: str, **more: str | None) -> Tags:
        """The tags of what a gateway says."""
        return tags_of(area=area, village=self.of_gateway(area, gateway), gateway=gateway, **more)

    def kind_of_zone(self, area: str, zone: str) -> str | None:
        """The edge's word for a zone's sensor."""
        known = self._registry.zones.get((area, zone))
        return known.kind if known is not None else None

    def _look(self, area: str) -> dict[str, str]:
        counts: dict[str, Counter[str]] = {}
        groups = of_area(self._registry.groups, area)
        stations = of_area(self._registry.stations, area)
        for premises in of_area(self._registry.premises, area).values():
            if premises.groups:
                counts.setdefault(premises.gateway, Counter())[groups[premises.groups[0]].station] += 1
            elif premises.kind is PremisesKind.STATION and premises.id in stations:
                counts.setdefault(premises.gateway, Counter())[premises.id] += 1
        return {gateway: found.most_common(1)[0][0] for gateway, found in counts.items()}
