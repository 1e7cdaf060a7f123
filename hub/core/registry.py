"""Who is where: areas, groups, premises, gateways and zones, by id alone. Names and phones are never in here.

Ids are unique within their area (an area is a township: the unit of sharding and of access), so everything but an
area is looked up by (area, id). A county has millions of entries: they are structs without a collector's header, kept
by area, and share the texts they name one another by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

import msgspec

Key: TypeAlias = tuple[str, str]
"""(area, id)."""
V = TypeVar("V")


class PremisesKind(StrEnum):
    """A member of a group is a household or an enterprise site; a village station may have zones of its own."""

    HOUSEHOLD = "household"
    SITE = "site"
    STATION = "station"


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Base of every entry. What it holds refers to nothing that refers back, so the collector need not look."""


class Area(Entry, frozen=True, gc=False, omit_defaults=True):
    """A township, with the town centre and county centre it reports to."""

    id: str
    town: str
    county: str
    name: str = ""


class Station(Entry, frozen=True, gc=False, omit_defaults=True):
    """A village station (站); `households` live in its village, enrolled or not (0: nobody has said)."""

    id: str
    area: str
    name: str = ""
    households: int = 0


class Group(Entry, frozen=True, gc=False, omit_defaults=True):
    """A joint-defence group: its members, its neighbours, and the head household.

    `beyond` are adjacent groups of other areas, as (area, id). `any_size`: its size is meant, however small or large.
    """

    id: str
    area: str
    station: str
    members: tuple[str, ...]
    adjacent: tuple[str, ...] = ()
    head: str | None = None
    beyond: tuple[Key, ...] = ()
    any_size: bool = False


class Premises(Entry, frozen=True, gc=False, omit_defaults=True):
    """One household, site or station; `groups` in the order of the registry, the first is where it is counted.

    `report_every`: the household opted in to let each change of its zones' conditions into telemetry.
    """

    id: str
    area: str
    kind: PremisesKind
    gateway: str
    groups: tuple[str, ...] = ()
    report_every: bool = False


class GatewayEntry(Entry, frozen=True, gc=False, omit_defaults=True):
    """A gateway that may speak; `profile_ms` is its reporting-time profile (EN 50136-1 as vocabulary)."""

    id: str
    area: str
    profile_ms: int = 90_000


class ZoneEntry(Entry, frozen=True, gc=False, omit_defaults=True):
    """A zone that may be spoken of; `kind` is the edge's word for its sensor."""

    id: str
    area: str
    premises: str
    gateway: str
    kind: str


class ByArea(MutableMapping[Key, V], Generic[V]):
    """Entries by (area, id), kept by area, in the order they came within each. It reads like a dictionary."""

    __slots__ = ("_areas",)

    def __init__(self, entries: Mapping[Key, V] | None = None) -> None:
        self._areas: dict[str, dict[str, V]] = {}
        for key, value in (entries or {}).items():
            self[key] = value

    def of(self, area: str) -> dict[str, V]:
        """Those of one area by id; to be changed only by who loads them."""
        found = self._areas.get(area)
        if found is None:
            found = self._areas[area] = {}
        return found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[0] in self._areas and key[1] in self._areas[key[0]]

    def __getitem__(self, key: Key) -> V:
        return self._areas[key[0]][key[1]]

    def __setitem__(self, key: Key, value: V) -> None:
        self.of(key[0])[key[1]] = value

    def __delitem__(self, key: Key) -> None:
        del self._areas[key[0]][key[1]]

    def __iter__(self) -> Iterator[Key]:
        return ((area, one) for area, entries in self._areas.items() for one in entries)

    def __len__(self) -> int:
        return sum(map(len, self._areas.values()))


def of_area(table: Mapping[Key, V], area: str) -> Mapping[str, V]:
    """The entries of one area by id, without a look at the others where the table is kept by area."""
    if isinstance(table, ByArea):
        return table._areas.get(area) or {}
    return {one: value for (of, one), value in table.items() if of == area}


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything the desk knows of the world. `digest` is the SHA-256 of what it was loaded from, contacts apart."""

    areas: dict[str, Area] = field(default_factory=dict)
    stations: MutableMapping[Key, Station] = field(default_factory=ByArea)
    groups: MutableMapping[Key, Group] = field(default_factory=ByArea)
    premises: MutableMapping[Key, Premises] = field(default_factory=ByArea)
    gateways: MutableMapping[Key, GatewayEntry] = field(default_factory=ByArea)
    zones: MutableMapping[Key, ZoneEntry] = field(default_factory=ByArea)
    digest: str = "0" * 64

    def fault(self, area: str, gateway: str, zone: str | None, premises: str | None) -> str | None:
        """Why a record of this origin cannot be taken ("unknown_gateway", "unknown_zone"); None when it can."""
        if (area, gateway) not in self.gateways:
            return "unknown_gateway"
        if zone is not None:
            known = self.zones.get((area, zone))
            if known is None or known.gateway != gateway or premises not in (None, known.premises):
                return "unknown_zone"
        elif premises is not None and (area, premises) not in self.premises:
            return "unknown_zone"
        return None

    def groups_of(self, area: str, premises: str) -> tuple[str, ...]:
        """The groups of a premises; none when it left the registry while an incident of it is open."""
        known = self.premises.get((area, premises))
        return known.groups if known is not None else ()

    def home(self, area: str, premises: str | None) -> str | None:
        """The group a premises is counted in: its first."""
        groups = self.groups_of(area, premises) if premises is not None else ()
        return groups[0] if groups else None

    def gateway_of(self, area: str, premises: str) -> str | None:
        """The gateway a premises is wired to; None when it left the registry."""
        known = self.premises.get((area, premises))
        return known.gateway if known is not None else None
