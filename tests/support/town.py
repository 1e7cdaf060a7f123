"""A town whose households have gateways of their own: what is lost together can be told from what is lost alone."""

from __future__ import annotations

from hub.core.registry import Area, GatewayEntry, Group, Premises, PremisesKind, Registry, Station, ZoneEntry
from tests.support.desk import AREA

HOMES = 4
NEAR = {"a": ("b",), "b": ("a", "c"), "c": ("b", "lane"), "lane": ("c", "yard"), "yard": ("lane",), "far": ()}
"""Groups and their neighbours. Those of lane and of yard hang on one gateway each; far has no neighbours."""
ONE_GATEWAY = ("lane", "yard")
SHOP = "a-shop"
"""A site of group a on the gateway of a-1: sites say when they are armed."""


def town() -> Registry:
    """Groups a, b, c and far of four households with a gateway each; lane and yard with one gateway."""
    made = Registry(areas={AREA: Area(AREA, "centre", "county")})
    made.stations[AREA, "s"] = Station("s", AREA)
    for group, near in NEAR.items():
        members = tuple(f"{group}-{number}" for number in range(1, HOMES + 1))
        for home in members:
            _home(made, home, group, gateway_of(home), PremisesKind.HOUSEHOLD)
        if group == "a":
            members = (*members, SHOP)
            _home(made, SHOP, group, gateway_of("a-1"), PremisesKind.SITE)
        made.groups[AREA, group] = Group(group, AREA, "s", members, near, f"{group}-1")
    return made


def gateway_of(home: str) -> str:
    """The gateway a household is wired to."""
    group = home.partition("-")[0]
    return f"gw-{group}" if group in ONE_GATEWAY else f"gw-{home}"


def _home(made: Registry, home: str, group: str, gateway: str, kind: PremisesKind) -> None:
    made.gateways.setdefault((AREA, gateway), GatewayEntry(gateway, AREA, 20_000))
    made.premises[AREA, home] = Premises(home, AREA, kind, gateway, (group,))
    for zone in ("panic", "door", "motion", "mains", "nvr"):
        made.zones[AREA, f"{home}-{zone}"] = ZoneEntry(f"{home}-{zone}", AREA, home, gateway, zone)
