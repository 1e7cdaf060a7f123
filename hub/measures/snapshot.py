"""How everything stands, as points: areas one by one, so that whoever takes it can let alarms go between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from hub.core.desk import Desk
from hub.core.incident import Incident
from hub.core.plan import Level
from hub.core.proof import ProofView
from hub.core.registry import Key, Registry, of_area
from hub.links import Links
from hub.measures.fleet import Fleet, counts, healths, place_point
from hub.measures.load import Load, standing
from hub.measures.places import Places
from hub.measures.point import NS_PER_MS, Point, Value, known, tags_of
from hub.measures.schema import SLICE_ROWS
from hub.registry.coverage import Village, villages

LEVELS = {Level.NORMAL: 0, Level.ENHANCED: 1, Level.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class _Area:
    """What its groups have in common: open incidents by group, the premises they call, the health of its zones."""

    opened: dict[str | None, list[Incident]]
    called: set[str]
    zones: dict[tuple[str, str], Counter[str]]


class Standing:
    """One hub's places. `config` says what became of a gateway's configuration."""

    def __init__(
        self, desk: Desk, registry: Registry, links: Links, config: Callable[[str, str], str], places: Places
    ) -> None:
        self.load = Load(desk.incidents())
        self.fleet = Fleet(registry, places)
        self._desk, self._registry, self._links, self._config, self._places = desk, registry, links, config, places
        self._stored_ms: dict[str, int] = {}
        self._villages: dict[str, list[Village]] = {}
        self._turn = 0
        self._began_ms: int | None = None

    def under(self, registry: Registry) -> None:
        """Another registry is in force."""
        self._places.under(registry)
        self.fleet.under(registry)
        self._registry, self._villages = registry, {}

    def stored(self, areas: Iterable[str], now_ms: int) -> None:
        """Readings of these areas are in the store."""
        for area in areas:
            self._stored_ms[area] = now_ms

    def area(self, area: str, now_ms: int) -> Iterator[Point]:
        """Its desk and its villages."""
        links = self._links.known
        gateways = {one: links[area, one] for one in of_area(self._registry.gateways, area)}
        level = LEVELS[self._desk.plan(area).level]
        due_ms = [self._desk.accept_due_ms(area, one.id) for one in self.load.open(area)]
        stored_ms = self._stored_ms.get(area)
        proofs = self._desk.proofs(area, now_ms)
        ages = {one.gateway: one.age_ms for one in proofs if one.age_ms is not None}
        self._began_ms = now_ms if self._began_ms is None else self._began_ms
        silent_ms = now_ms - (self._began_ms if stored_ms is None else stored_ms)
        said = known(
            proofs_overdue=sum(one.overdue for one in proofs),
            proof_age_ms=max(ages.values(), default=None),
            accept_left_ms=min((one - now_ms for one in due_ms if one is not None), default=None),
            telemetry_age_ms=None if stored_ms is None else now_ms - stored_ms,
            telemetry_silent_ms=silent_ms,
        )
        flood = int(self._desk.alarms.flooded(area))
        fields = {**self.load.desk(area, now_ms), **counts(gateways.values()), "level": level, "flood": flood, **said}
        yield Point("desk", tags_of(area=area), fields, now_ms * NS_PER_MS)
        zones: dict[str, Counter[str]] = {}
        for (village, _), found in self.fleet.zones(area, links).items():
            zones.setdefault(village, Counter()).update(found)
        by_village: dict[str, list[str]] = {}
        for gateway in gateways:
            by_village.setdefault(self._places.of_gateway(area, gateway) or "", []).append(gateway)
        here = _by(self._open(area), lambda incident: self._places.of_group(area, incident.group))
        for one in self._village(area):
            mine = by_village.get(one.station, ())
            fields = {
                "groups": one.groups,
                "enrolled": one.enrolled,
                **known(households=one.households, coverage_percent=None if one.share is None else 100 * one.share),
                **counts(gateways[gateway] for gateway in mine),
                **known(proof_age_ms=max((ages[gateway] for gateway in mine if gateway in ages), default=None)),
                **healths(zones.get(one.station, Counter())),
                **standing(here.get(one.station, ())),
            }
            yield place_point("village", area, one.station, "", fields, now_ms)

    def slice(self, mono_ms: int, now_ms: int) -> Iterator[Point]:
        """Gateways and groups whose turn it is: all, where there are no more than `SLICE_ROWS`."""
        proven: dict[str, dict[str, ProofView]] = {}
        for area, gateway in self._turns(self._registry.gateways, len(self._registry.gateways)):
            if area not in proven:
                proven[area] = {view.gateway: view for view in self._desk.proofs(area, now_ms)}
            known_, config = self._links.known[area, gateway], self._config(area, gateway)
            yield self.fleet.point(known_, config, proven[area].get(gateway), mono_ms, now_ms)
        areas: dict[str, _Area] = {}
        for area, group in self._turns(self._registry.groups, len(self._registry.groups)):
            if area not in areas:
                opened = self._open(area)
                called = {call for incident in opened for call in incident.calls}
                zones = self.fleet.zones(area, self._links.known)
                areas[area] = _Area(_by(opened, lambda incident: incident.group), called, zones)
            yield self._group(area, group, areas[area], now_ms)
        self._turn += 1

    def _group(self, area: str, group: str, now: _Area, now_ms: int) -> Point:
        entry = self._registry.groups[area, group]
        members = set(entry.members)
        fields: dict[str, Value] = {
            "members": len(members),
            "calling": len(now.called & members),
            **healths(now.zones.get((entry.station, group), Counter())),
            **standing(now.opened.get(group, ())),
        }
        return place_point("group", area, entry.station, group, fields, now_ms)

    def _open(self, area: str) -> list[Incident]:
        return [one for one in self.load.open(area) if not one.drill]

    def _village(self, area: str) -> list[Village]:
        if area not in self._villages:
            self._villages[area] = list(villages(self._registry, area))
        return self._villages[area]

    def _turns(self, table: Iterable[Key], total: int) -> Iterable[Key]:
        slices = max(1, -(-total // SLICE_ROWS))
        first = self._turn % slices * SLICE_ROWS
        return islice(table, first, first + SLICE_ROWS)


def _by(incidents: Iterable[Incident], place: Callable[[Incident], str | None]) -> dict[str | None, list[Incident]]:
    found: dict[str | None, list[Incident]] = {}
    for incident in incidents:
        found.setdefault(place(incident), []).append(incident)
    return found
