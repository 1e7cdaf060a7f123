"""The village of the simulation: 3 gateways, 18 houses in two groups that reach across them, 200 zones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from edge.core.site import NATURES, Contact, Limits, Mode, Output, Premises, Role, Site, Zone, ZoneKind
from hub.core.registry import Area, GatewayEntry, Group, PremisesKind, Registry, Station, ZoneEntry
from hub.core.registry import Premises as Registered

AREA = "hengjie"
GATEWAYS = ("gw-a", "gw-b", "gw-c")
GROUPS = ("east", "west")
HOUSES_PER_GATEWAY = 6
HOUSES_PER_DEVICE = 2
FRESH_MS = 12_000
LOOK_MS = 5_000
"""How often a device is looked at when nothing changes; a change is seen at once, as a line's edge is."""
HEARTBEAT_MS = 30_000
PROFILE_MS = 90_000
SENSORS = (
    ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.DOOR, ZoneKind.WINDOW, ZoneKind.MOTION, ZoneKind.SMOKE, ZoneKind.GAS,
    ZoneKind.TAMPER, ZoneKind.WATER, ZoneKind.NVR_ONLINE, ZoneKind.MAINS,
)  # fmt: skip
ARMED = 3
"""Every third house is empty and armed."""
DIGEST = "5" * 64


@dataclass(frozen=True, slots=True)
class House:
    """One house: whose gateway, which group, what it is wired to."""

    id: str
    gateway: str
    group: str
    device: str
    armed: bool

    def zone(self, kind: ZoneKind) -> str:
        """The id of its zone of this kind."""
        return f"{self.id}-{kind.replace('_', '-')}"


def point_of(zone: str) -> str:
    """The point a zone is wired to."""
    return zone.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Village:
    """What gateways, hub and oracle are all told."""

    houses: tuple[House, ...]
    sites: dict[str, Site]
    registry: Registry
    profile_ms: int = PROFILE_MS
    heartbeat_ms: int = HEARTBEAT_MS

    def house(self, name: str) -> House:
        """One house by id."""
        return next(house for house in self.houses if house.id == name)

    def zones(self) -> int:
        """How many zones there are."""
        return len(self.registry.zones)


@cache
def village() -> Village:
    """The one village."""
    houses = tuple(_house(at) for at in range(len(GATEWAYS) * HOUSES_PER_GATEWAY))
    sites = {gateway: _site(gateway, houses) for gateway in GATEWAYS}
    return Village(houses, sites, _registry(houses, sites))


def _house(at: int) -> House:
    gateway = GATEWAYS[at // HOUSES_PER_GATEWAY]
    device = f"{gateway}-d{at % HOUSES_PER_GATEWAY // HOUSES_PER_DEVICE + 1}"
    return House(f"h{at + 1:02}", gateway, GROUPS[at % len(GROUPS)], device, at % ARMED == 0)


def _site(gateway: str, houses: tuple[House, ...]) -> Site:
    mine = [house for house in houses if house.gateway == gateway]
    zones = [_zone(house, kind) for house in mine for kind in SENSORS]
    if gateway != GATEWAYS[-1]:  # two station zones make it two hundred
        zones.append(replace(_zone(mine[0], ZoneKind.BATTERY), report="every"))
    outputs = [
        output
        for house in mine
        for output in (
            Output(f"{house.id}-siren", house.id, Role.SIREN, f"{house.device}/{house.id}_siren"),
            Output(
                f"{house.id}-lamp", house.id, Role.LAMP, f"{house.device}/{house.id}_lamp", house.zone(ZoneKind.PANIC)
            ),
        )
    ]
    premises = tuple(
        Premises(h.id, True, (h.group,), Mode.ARMED_AWAY if h.armed else Mode.DISARMED, entry_ms=0, exit_ms=0)
        for h in mine
    )
    groups = {group: tuple(h.id for h in houses if h.group == group) for group in GROUPS}
    fresh = dict.fromkeys((house.device for house in mine), FRESH_MS)
    return Site(AREA, gateway, tuple(zones), premises, tuple(outputs), groups, Limits(), DIGEST, fresh)


def _zone(house: House, kind: ZoneKind) -> Zone:
    nature, name = NATURES[kind], house.zone(kind)
    source = f"{house.device}/{point_of(name)}"
    return Zone(
        name, house.id, kind, source, Contact(True), nature.arming, FRESH_MS, latches=nature.latches, swinger_trips=6
    )


def _registry(houses: tuple[House, ...], sites: dict[str, Site]) -> Registry:
    members = {group: tuple(h.id for h in houses if h.group == group) for group in GROUPS}
    return Registry(
        areas={AREA: Area(AREA, "hengjie-town", "county")},
        stations={(AREA, "station"): Station("station", AREA)},
        groups={
            (AREA, group): Group(group, AREA, "station", members[group], tuple(o for o in GROUPS if o != group))
            for group in GROUPS
        },
        premises={(AREA, h.id): Registered(h.id, AREA, PremisesKind.HOUSEHOLD, h.gateway, (h.group,)) for h in houses},
        gateways={(AREA, gateway): GatewayEntry(gateway, AREA, PROFILE_MS) for gateway in GATEWAYS},
        zones={
            (AREA, zone.id): ZoneEntry(zone.id, AREA, zone.premises, gateway, zone.kind)
            for gateway, site in sites.items()
            for zone in site.zones
        },
        digest=DIGEST,
    )
