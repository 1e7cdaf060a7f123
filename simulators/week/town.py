"""The places of the week: two townships, three villages, seven gateways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hub.core.registry import Area, GatewayEntry, Group, Premises, PremisesKind, Registry, Station, ZoneEntry

PROFILE_MS = 300_000
HOUSES = 5
"""Households of a gateway."""
HOUSE_ZONES = ("panic", "door", "motion", "smoke")
RECORDER_ZONES = ("nvr_online", "nvr_channels", "nvr_disk", "nvr_recording")
SITE_ZONES = ("panic", "door", "tamper", *RECORDER_ZONES)


@dataclass(frozen=True, slots=True)
class Wired:
    """A gateway with what is wired to it. `site`: its enterprise site, whose zones tell everything; "" for none."""

    area: str
    village: str
    group: str
    name: str
    houses: tuple[str, ...]
    site: str = ""
    devices: tuple[str, ...] = ("io-1", "io-2")
    bus: str = "rs485"


@dataclass(frozen=True, slots=True)
class Town:
    """What the hub is told, and what is wired to what."""

    registry: Registry
    gateways: tuple[Wired, ...]

    def of(self, name: str) -> Wired:
        """One gateway."""
        return next(one for one in self.gateways if one.name == name)


VILLAGES = {
    ("hengjie", "donghu"): ("donghu-1", "donghu-2", "donghu-3"),
    ("hengjie", "xihu"): ("xihu-1", "xihu-2"),
    ("nanyang", "beishan"): ("beishan-1", "beishan-2"),
}
SITES = {"donghu-1": "donghu-works", "beishan-1": "beishan-mill"}
LIVING = {"donghu": 22, "xihu": 12, "beishan": 16}


@cache
def town() -> Town:
    """The one town."""
    gateways = tuple(
        Wired(
            area,
            village,
            f"{name}-group",
            name,
            tuple(f"{name}-h{at}" for at in range(1, HOUSES + 1)),
            SITES.get(name, ""),
        )
        for (area, village), names in VILLAGES.items()
        for name in names
    )
    return Town(_registry(gateways), gateways)


def zones_of(one: Wired) -> dict[str, tuple[str, str]]:
    """Zone to (premises, kind) of a gateway."""
    houses = {f"{house}-{kind}": (house, kind) for house in one.houses for kind in HOUSE_ZONES}
    site = {f"{one.site}-{kind.replace('_', '-')}": (one.site, kind) for kind in SITE_ZONES} if one.site else {}
    return houses | site


def _registry(gateways: tuple[Wired, ...]) -> Registry:
    made = Registry(
        areas={area: Area(area, f"{area}-town", "county") for area in dict.fromkeys(one.area for one in gateways)},
        digest="d" * 64,
    )
    for (area, village), names in VILLAGES.items():
        made.stations[area, village] = Station(village, area, households=LIVING[village])
        groups = tuple(f"{name}-group" for name in names)
        for name in names:
            one = next(gateway for gateway in gateways if gateway.name == name)
            members = (*one.houses, *([one.site] if one.site else []))
            others = tuple(group for group in groups if group != one.group)
            made.groups[area, one.group] = Group(one.group, area, village, members, others)
    for one in gateways:
        made.gateways[one.area, one.name] = GatewayEntry(one.name, one.area, PROFILE_MS)
        for premises in (*one.houses, *([one.site] if one.site else [])):
            kind = PremisesKind.SITE if premises == one.site else PremisesKind.HOUSEHOLD
            made.premises[one.area, premises] = Premises(premises, one.area, kind, one.name, (one.group,))
        for zone, (premises, sensor) in zones_of(one).items():
            made.zones[one.area, zone] = ZoneEntry(zone, one.area, premises, one.name, sensor)
    return made
