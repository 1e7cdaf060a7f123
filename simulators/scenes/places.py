"""The example village by name: what a scenario may speak of, and the sites and registry its play is built on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from edge.config import load as load_site
from edge.core.site import NATURES, Contact, Role, Site, Zone, ZoneKind
from edge.profiles import load_profiles
from hub.core.registry import Registry, ZoneEntry
from hub.core.rules import rules
from hub.registry import load as load_registry
from simulators.village import REGISTRY, SITES
from simulators.world.village import AREA, FRESH_MS, Village, point_of

ALL = "all"
SPARE = (
    ("works-holdup", "works", ZoneKind.SILENT_HOLDUP),
    ("works-gas", "works", ZoneKind.GAS),
    ("works-battery", "works", ZoneKind.BATTERY),
    ("h07-water", "h07", ZoneKind.WATER),
    ("h03-smoke-loft", "h03", ZoneKind.SMOKE),
)
"""Sensors the example village has none of, so that every rule can be played: on a board of their own."""
BOARD = "spare"
HUB, BROKER = "hub", "broker"


@dataclass(frozen=True, slots=True)
class Places:
    """Every name of the example village. `members` maps a group to its premises, and "all" to everybody."""

    village: Village
    zones: dict[str, Zone]
    devices: tuple[str, ...]
    premises: tuple[str, ...]
    members: dict[str, tuple[str, ...]]

    @property
    def gateways(self) -> tuple[str, ...]:
        """The gateways, by their sites."""
        return tuple(self.village.sites)

    @property
    def sites(self) -> tuple[str, ...]:
        """What has a line to the broker."""
        return (*self.gateways, HUB)

    @property
    def processes(self) -> tuple[str, ...]:
        """What may be killed and started."""
        return (*self.gateways, HUB, BROKER)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups."""
        return tuple(name for name in self.members if name != ALL)

    def gateway_of(self, zone: str) -> str:
        """The gateway a zone is wired to."""
        return next(name for name, site in self.village.sites.items() if any(one.id == zone for one in site.zones))

    def sirens(self) -> dict[str, str]:
        """Premises to its siren, of those that have one."""
        outputs = (output for site in self.village.sites.values() for output in site.outputs)
        return {output.premises: output.id for output in outputs if output.role is Role.SIREN}

    def everyone(self, who: list[str]) -> set[str]:
        """The premises a list names: premises, groups, "all", and with a minus those that are not meant."""
        meant: set[str] = set()
        for name in who:
            bare = name.removeprefix("-")
            found = set(self.members.get(bare, (bare,)))
            meant = meant - found if name.startswith("-") else meant | found
        return meant


@cache
def places() -> Places:
    """The example village of firmware_configs."""
    profiles = load_profiles()
    configs = [load_site(path, profiles) for path in SITES]
    registry = load_registry(REGISTRY).registry
    sites = {config.site.gateway: _watched_slowly(_with_spares(config.site)) for config in configs}
    spares = {(AREA, name): _entry(registry, name, of, kind) for name, of, kind in SPARE}
    registry = replace(registry, zones={**registry.zones, **spares})
    first = configs[0]
    village = Village((), sites, registry, first.profile_ms, first.heartbeat_ms)
    zones = {zone.id: zone for site in sites.values() for zone in site.zones}
    devices = tuple(f"{gateway}/{device}" for gateway, site in sites.items() for device in site.fresh)
    return Places(village, zones, devices, *_members(registry))


def _members(registry: Registry) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    premises = tuple(one for _, one in registry.premises)
    groups = {name: group.members for (_, name), group in registry.groups.items()}
    return premises, {**groups, ALL: premises}


def _entry(registry: Registry, name: str, of: str, kind: ZoneKind) -> ZoneEntry:
    return ZoneEntry(name, AREA, of, registry.premises[AREA, of].gateway, kind)


def _with_spares(site: Site) -> Site:
    mine = {premises.id for premises in site.premises}
    spares = tuple(_zone(name, of, kind) for name, of, kind in SPARE if of in mine)
    return replace(site, zones=(*site.zones, *spares), fresh={**site.fresh, BOARD: FRESH_MS}) if spares else site


def _zone(name: str, of: str, kind: ZoneKind) -> Zone:
    nature, source = NATURES[kind], f"{BOARD}/{point_of(name)}"
    return Zone(name, of, kind, source, Contact(True), nature.arming, FRESH_MS, latches=nature.latches)


def _watched_slowly(site: Site) -> Site:
    """Hours of polls ten times a second tell nothing new: in virtual time a change is seen at once, and a device is
    looked at now and then to see that it is there."""
    zones = tuple(replace(zone, fresh_ms=FRESH_MS) for zone in site.zones)
    return replace(site, zones=zones, fresh=dict.fromkeys(site.fresh, FRESH_MS))


def _one_of(what: str) -> AfterValidator:
    """A name the village has; without a village at hand every name will do."""

    def check(name: str, info: ValidationInfo) -> str:
        known = info.context
        if isinstance(known, Places) and name not in (allowed := tuple(getattr(known, what))):
            raise ValueError(f"one of {', '.join(allowed)}")
        return name

    return AfterValidator(check)


def _somebody(name: str, info: ValidationInfo) -> str:
    known = info.context
    if isinstance(known, Places) and name.removeprefix("-") not in (*known.members, *known.premises):
        raise ValueError(f"a premises or one of {', '.join(known.members)}, with or without a minus")
    return name


def _rule(name: str) -> str:
    known = [rule.name for rule in rules()]
    if name not in known:
        raise ValueError(f"one of {', '.join(known)}")
    return name


ZoneId = Annotated[str, _one_of("zones")]
DeviceId = Annotated[str, _one_of("devices")]
GatewayId = Annotated[str, _one_of("gateways")]
SiteId = Annotated[str, _one_of("sites")]
ProcessId = Annotated[str, _one_of("processes")]
PremisesId = Annotated[str, _one_of("premises")]
GroupId = Annotated[str, _one_of("groups")]
RuleId = Annotated[str, AfterValidator(_rule)]
Who = list[Annotated[str, AfterValidator(_somebody)]]
"""Premises and groups; a minus takes away what was named before."""
