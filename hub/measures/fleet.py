"""Gateways and the health of zones as the hub knows them now; a gateway that is not heard says nothing of its zones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from hub.core.proof import ProofView
from hub.core.registry import PremisesKind, Registry, of_area
from hub.links import Known
from hub.measures.places import Places
from hub.measures.point import NS_PER_MS, Point, Value, known, tags_of
from hub.store.port import Placed, Sample

Place: TypeAlias = tuple[str, str]
"""(village, group); "" for none."""
HEALTHS = ("online", "fault", "unknown")
DRIFTING = ("drifts", "refused", "unfit")


@dataclass(slots=True)
class Told:
    """What the process now running said of its zones after its birth."""

    instance: str = ""
    healths: dict[str, str] = field(default_factory=dict)
    counted: dict[Place, Counter[str]] | None = None


class Fleet:
    """`hear` the readings; then ask for the points of gateways and the zones of a place."""

    def __init__(self, registry: Registry, places: Places) -> None:
        self._registry, self._places = registry, places
        self._told: dict[tuple[str, str], Told] = {}
        self._totals: dict[str, dict[str, Counter[Place]]] = {}

    def hear(self, samples: Iterable[Sample]) -> None:
        """Readings that just came; of them the health of zones is remembered, until the next birth."""
        for sample in samples:
            head, _, rest = sample.point.partition("/")
            zone, _, last = rest.partition("/")
            if head != "zone" or last != "health" or sample.placed is Placed.ARRIVAL:
                continue
            told = self._told.setdefault((sample.area, sample.gateway), Told())
            if told.instance != sample.instance:
                told.instance, told.healths = sample.instance, {}
            told.healths[zone] = str(sample.value)
            told.counted = None

    def zones(self, area: str, links: dict[tuple[str, str], Known]) -> dict[Place, Counter[str]]:
        """Zones of every village and group of an area by their health."""
        found: dict[Place, Counter[str]] = {}
        for gateway, totals in self._in(area).items():
            here = links.get((area, gateway))
            said = self._counted(area, gateway, here) if here is not None and heard(here) else {}
            for place, total in totals.items():
                counts = found.setdefault(place, Counter())
                counts["zones"] += total
                sure = said.get(place, Counter())
                for health in ("online", "fault"):
                    counts[health] += sure[health]
                counts["unknown"] += total - sure["online"] - sure["fault"]
        return found

    def point(self, known_: Known, config: str, proof: ProofView | None, mono_ms: int, at_ms: int) -> Point:
        """Measurement `gateway`."""
        birth, session = known_.birth, known_.session
        said = session or birth
        at = (session.at if session is not None else None) or (birth.at if birth is not None else None)
        queued = session.queued if session is not None else {}
        here = None if known_.told is None or (known_.told and known_.heard_mono_ms is None) else int(known_.told)
        fields = known(
            up=here,
            heard_age_ms=None if known_.heard_mono_ms is None else mono_ms - known_.heard_mono_ms,
            boot=said.boot if said is not None else None,
            connection=session.connection if session is not None else None,
            uptime_s=at.mono_ns // 1_000_000_000 if at is not None else None,
            **{f"queued_{lane.value}": count for lane, count in queued.items()},
            clock=at.quality.value if at is not None else None,
            software=birth.software if birth is not None else None,
            config=config,
            drift=int(config in DRIFTING),
            second=int(bool(known_.speakers.seconds)),
            proof_age_ms=proof.age_ms if proof is not None else None,
            proof_overdue=int(proof.overdue) if proof is not None and proof.age_ms is not None else None,
        )
        entry = known_.entry
        return Point("gateway", self._places.tags(entry.area, entry.id), fields, at_ms * NS_PER_MS)

    def under(self, registry: Registry) -> None:
        """Another registry is in force: what is where is looked at anew."""
        self._registry, self._totals = registry, {}
        self._told = {key: told for key, told in self._told.items() if key in registry.gateways}
        for told in self._told.values():
            told.counted = None

    def _counted(self, area: str, gateway: str, here: Known) -> dict[Place, Counter[str]]:
        told = self._told.setdefault((area, gateway), Told())
        instance = here.birth.instance if here.birth is not None else ""
        if told.instance != instance:
            told.instance, told.healths, told.counted = instance, {}, None
        if told.counted is None:
            told.counted = {}
            for zone, born in here.zones.items():
                place = self._place(area, born.premises)
                told.counted.setdefault(place, Counter())[told.healths.get(zone, born.health)] += 1
        return told.counted

    def _in(self, area: str) -> dict[str, Counter[Place]]:
        """Zones of the registry by gateway and place; an area is looked through once."""
        found = self._totals.get(area)
        if found is None:
            found = self._totals[area] = {}
            for zone in of_area(self._registry.zones, area).values():
                found.setdefault(zone.gateway, Counter())[self._place(area, zone.premises)] += 1
        return found

    def _place(self, area: str, premises: str) -> Place:
        entry = self._registry.premises.get((area, premises))
        group = self._registry.home(area, premises)
        if group is None and entry is not None and entry.kind is PremisesKind.STATION:
            return (premises if (area, premises) in self._registry.stations else "", "")
        return self._places.of_group(area, group) or "", group or ""


def heard(gateway: Known) -> bool:
    """Whether it is there, by its own word since the hub began."""
    return gateway.told is True and gateway.heard_mono_ms is not None


def counts(gateways: Iterable[Known]) -> dict[str, Value]:
    """Gateways by whether they are heard."""
    states = Counter("up" if heard(one) else "lost" if one.told is False else "unknown" for one in gateways)
    return {"gateways": states.total(), **{f"gateways_{state}": states[state] for state in ("up", "lost", "unknown")}}


def healths(zones: Counter[str]) -> dict[str, Value]:
    """Zones by their health, as the schema names them."""
    return {"zones": zones["zones"], **{f"zones_{health}": zones[health] for health in HEALTHS}}


def place_point(measurement: str, area: str, village: str, group: str, fields: dict[str, Value], at_ms: int) -> Point:
    """Measurement `village` or `group`."""
    tags = tags_of(area=area, village=village, group=group if measurement == "group" else None)
    return Point(measurement, tags, fields, at_ms * NS_PER_MS)
