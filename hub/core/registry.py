"""Who is where: areas, groups, premises, gateways and zones, by id alone. Names and phones are never in here.

Ids are unique within their area (an area is a township: the unit of sharding and of access), so everything but an
area is looked up by (area, id), each in one dictionary step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]
"""(area, id)."""


class PremisesKind(StrEnum):
    """A member of a group is a household or an enterprise site; a village station may have zones of its own."""

    HOUSEHOLD = "household"
    SITE = "site"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class Area:
    """A township, with the town centre and county centre it reports to."""

    id: str
    town: str
    county: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Station:
    """A village station (站)."""

    id: str
    area: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A joint-defence group: its members, its neighbours, and the head household."""

    id: str
    area: str
    station: str
    members: tuple[str, ...]
    adjacent: tuple[str, ...] = ()
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Premises:
    """One household, site or station; `groups` in the order of the registry, the first is where it is counted.

    `report_every`: the household opted in to let each change of its zones' conditions into telemetry.
    """

    id: str
    area: str
    kind: PremisesKind
    gateway: str
    groups: tuple[str, ...] = ()
    report_every: bool = False


@dataclass(frozen=True, slots=True)
class GatewayEntry:
    """A gateway that may speak; `profile_ms` is its reporting-time profile (EN 50136-1 as vocabulary)."""

    id: str
    area: str
    profile_ms: int = 90_000


@dataclass(frozen=True, slots=True)
class ZoneEntry:
    """A zone that may be spoken of; `kind` is the edge's word for its sensor."""

    id: str
    area: str
    premises: str
    gateway: str
    kind: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything the desk knows of the world. `digest` is the SHA-256 of what it was loaded from, contacts apart."""

    areas: dict[str, Area] = field(default_factory=dict)
    stations: dict[Key, Station] = field(default_factory=dict)
    groups: dict[Key, Group] = field(default_factory=dict)
    premises: dict[Key, Premises] = field(default_factory=dict)
    gateways: dict[Key, GatewayEntry] = field(default_factory=dict)
    zones: dict[Key, ZoneEntry] = field(default_factory=dict)
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
