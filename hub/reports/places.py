"""What a report may call a place. A household is never named: it is told with its group, and a group of few with its
village. This is the only file that looks from a household to a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from hub.core.registry import PremisesKind, Registry, of_area

FEW = 5
"""A group with fewer households is told with its village: its figures would be those of a house."""


class Place(msgspec.Struct, frozen=True):
    """Where something is: its village (station) and group; `site` where it is a station or an enterprise site.

    "" where there is none, or it may not be told.
    """

    village: str = ""
    group: str = ""
    site: str = ""


class GroupSize(msgspec.Struct, frozen=True):
    """A group that may be told by name: its members, households among them, and what its size should be."""

    id: str
    village: str
    members: int
    households: int
    has_head: bool
    any_size: bool
    gateways: frozenset[str]
    recorders: int


class VillageSize(msgspec.Struct, frozen=True):
    """A village: its members (of all its groups, and its station), their gateways, and how many have a recorder."""

    id: str
    name: str
    members: int
    gateways: frozenset[str]
    recorders: int


class Places:
    """The places of one area, as its registry has them."""

    def __init__(self, registry: Registry, area: str) -> None:
        self._premises = of_area(registry.premises, area)
        self._zones = of_area(registry.zones, area)
        self._groups = of_area(registry.groups, area)
        self.gateways = tuple(sorted(of_area(registry.gateways, area)))
        self.villages = {one: entry.name or one for one, entry in sorted(of_area(registry.stations, area).items())}
        self._served = Counter(one.gateway for one in self._premises.values() if one.kind is PremisesKind.HOUSEHOLD)
        self._recorders = {zone.premises for zone in self._zones.values() if zone.kind.startswith("nvr")}
        self.recorders = len(self._recorders)
        self.groups: tuple[GroupSize, ...] = tuple(self._told())
        self.sizes: tuple[VillageSize, ...] = tuple(map(self._village, self.villages))
        self._named = {group.id for group in self.groups}

    def of(self, premises: str | None, group: str | None = None) -> Place:
        """The place of a premises (None: of a gateway alone), in the group it is counted in."""
        known = self._premises.get(premises) if premises is not None else None
        home = known.groups[0] if known is not None and known.groups else group
        entry = self._groups.get(home) if home is not None else None
        village = entry.station if entry is not None else ""
        site = ""
        if known is not None and known.kind is not PremisesKind.HOUSEHOLD:
            site = known.id
            village = village or (known.id if known.id in self.villages else "")
        return Place(village, entry.id if entry is not None and entry.id in self._named else "", site)

    def of_zone(self, zone: str) -> Place:
        """The place of a zone's premises."""
        known = self._zones.get(zone)
        return self.of(known.premises if known is not None else None)

    def tells_gateway(self, gateway: str) -> bool:
        """Whether an incident may be told by its gateway: not of one that serves a house or two. That it was lost while
        somebody there was armed has another priority, and nobody reads from a report who was at home."""
        return self._served[gateway] == 0 or self._served[gateway] >= FEW

    def tells(self, zone: str) -> bool:
        """Whether a zone may be named: those of stations and enterprise sites."""
        known = self._zones.get(zone)
        premises = self._premises.get(known.premises) if known is not None else None
        return premises is not None and premises.kind is not PremisesKind.HOUSEHOLD

    def _told(self) -> list[GroupSize]:
        found = []
        for group in sorted(self._groups.values(), key=lambda one: one.id):
            kinds = [one.kind for name in group.members if (one := self._premises.get(name)) is not None]
            households = sum(kind is PremisesKind.HOUSEHOLD for kind in kinds)
            if households >= FEW or not households:
                size = (len(group.members), households, group.head is not None, group.any_size)
                found.append(GroupSize(group.id, group.station, *size, *self._wired(group.members)))
        return found

    def _village(self, station: str) -> VillageSize:
        groups = [group for group in self._groups.values() if group.station == station]
        members = {name for group in groups for name in group.members} | ({station} & self._premises.keys())
        return VillageSize(station, self.villages[station], len(members), *self._wired(members))

    def _wired(self, members: Iterable[str]) -> tuple[frozenset[str], int]:
        """Their gateways, and how many of them have a recorder."""
        known = [name for name in members if name in self._premises]
        gateways = frozenset(self._premises[name].gateway for name in known)
        return gateways, sum(name in self._recorders for name in known)
