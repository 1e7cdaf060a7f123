"""What the API shows of alarm management: what is withheld and why, and what stands too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hub.core.defaults import Defaults
from hub.core.figures import TOP, Figures, figures, rate
from hub.core.hold import Hold, Sort
from hub.core.incident import UNRESOLVED, Incident
from hub.core.load import Watch
from hub.core.rules import named
from hub.core.rules.base import Mark, OutageRule
from hub.core.state import Tables
from hub.core.withholding import suppressed_words
from protocol.kinds import Kind, Priority

LEFT_OUT = {Kind.CHATTER.value: "chatter", Kind.SWINGER_BYPASS.value: "swinger"}
"""Zones that gateways leave out by themselves, by the record that says so."""
LEFT_OUT_RULES = frozenset({"chatter", "fault"})
LASTING = frozenset(Kind) - {
    *(Kind.ARMED, Kind.DISARMED, Kind.AUTO_ARMED, Kind.AUTO_DISARMED, Kind.CANCEL, Kind.ANSWER, Kind.RESET),
    *(Kind.TEST, Kind.WALK_TEST, Kind.CLOCK, Kind.RECORDS_LOST),
}
"""Kinds that begin and end; the rest only happen."""


class Suppressed(msgspec.Struct, frozen=True):
    """Something that is not told for itself by design: `by` which named reason, and the incident that is told for it
    (`cause`). `incident` is what is not told; None where the gateway itself leaves a zone out. `since_ms`: hub wall."""

    area: str
    by: str
    cause: str
    incident: str | None
    rule: str
    zones: list[str]
    gateways: list[str]
    since_ms: int


class Stale(msgspec.Struct, frozen=True):
    """What has been active for too long: an unresolved incident, or the condition of a place that no open incident
    speaks of. `since_ms` is when it began (hub wall ms)."""

    area: str
    incident: str | None
    what: str
    place: str
    state: str | None
    since_ms: int
    why: str


class Standing(msgspec.Struct, frozen=True):
    """An area just now: what is withheld and stale, the alarms presented in the last ten minutes (counted up to what
    begins a flood), and since when there is one. What follows counts for ever: floods, time in them, what was
    presented by priority, and what was withheld by reason."""

    area: str
    shelved: int
    out_of_service: int
    suppressed: int
    stale: int
    ten_minutes: int
    flood_since_ms: int | None
    floods: int
    flood_ms: int
    presented: dict[str, int]
    withheld: dict[str, int]


class AlarmViews:
    """Reads committed state."""

    def __init__(self, tables: Tables, defaults: Defaults) -> None:
        self._tables = tables
        self._defaults = defaults

    @property
    def reasons(self) -> list[str]:
        """Why something may be shelved or taken out of service."""
        return list(self._defaults.alarms.reasons)

    def holds(self, area: str, sort: Sort | None = None) -> list[Hold]:
        """What is shelved or out of service in an area, the oldest first, each with what it withholds now."""
        known = (hold for (of, _), holds in self._tables.holds.items() if of == area for hold in holds)
        found = [self._now(area, hold) for hold in known if sort in (None, hold.sort)]
        return sorted(found, key=lambda one: (one.set_ms, one.at, one.place, one.slot))

    def suppressed(self, area: str) -> list[Suppressed]:
        """What is suppressed by design in an area, the oldest first: by a cause that is told, under an outage, and
        what gateways leave out by themselves."""
        found = self._suppressed(area, self._unresolved(area))
        return sorted(found, key=lambda one: (one.since_ms, one.by, one.incident or "", one.cause))

    def stale(self, area: str, at_ms: int) -> list[Stale]:
        """What has been active for longer than is stale, the oldest first."""
        before_ms = at_ms - self._defaults.alarms.stale_ms
        found: list[Stale] = []
        spoken: set[tuple[str, str]] = set()
        for one in self._unresolved(area):
            spoken |= {(mark.what, place) for mark in self._marks(one) for place in (mark.zone, mark.premises) if place}
            if _stale(one, before_ms):
                place = next(iter((*one.zones, *one.premises, *one.gateways)), area)
                found.append(Stale(area, one.id, one.rule, place, one.state.value, one.event_ms, one.why))
        for (of, place), lives in self._tables.zones.items():
            for what, live in lives.items() if of == area else ():
                began_ms = live.began.at_ms if live.began is not None and live.live else at_ms
                if began_ms < before_ms and what in LASTING and (what, place) not in spoken:
                    found.append(Stale(area, None, what, place, None, began_ms, "no open incident speaks of it"))
        return sorted(found, key=lambda one: (one.since_ms, one.place, one.what))

    def standings(self, areas: Iterable[str], at_ms: int) -> list[Standing]:
        """Areas just now; each of the desk's tables is walked once."""
        incidents: dict[str, list[Incident]] = {area: [] for area in areas}
        for (of, _), one in self._tables.incidents.items():
            if of in incidents and one.state in UNRESOLVED:
                incidents[of].append(one)
        sorts = Counter((of, hold.sort) for (of, _), holds in self._tables.holds.items() for hold in holds)
        return [self._standing(area, found, sorts, at_ms) for area, found in incidents.items()]

    def flooded(self, area: str) -> bool:
        """Whether there is a flood in an area."""
        watch = self._tables.watch.committed((area,))
        return watch is not None and watch.since_ms is not None

    def figures(self, area: str, from_ms: int, until_ms: int, now_ms: int, top: int = TOP) -> Figures:
        """The figures of an area from one time to another (hub wall ms)."""
        return figures(self._tables, area, from_ms, until_ms, now_ms, top)

    def _now(self, area: str, hold: Hold) -> Hold:
        known = ((one, self._tables.incidents.committed((area, one))) for one in hold.held)
        held = tuple(one for one, shown in known if shown is not None and shown.withheld)
        return msgspec.structs.replace(hold, held=held)

    def _standing(
        self, area: str, found: list[Incident], sorts: Mapping[tuple[str, Sort], int], at_ms: int
    ) -> Standing:
        watch = self._tables.watch.committed((area,)) or Watch()
        before_ms = at_ms - self._defaults.alarms.stale_ms
        return Standing(
            area=area,
            shelved=sorts.get((area, Sort.SHELVED), 0),
            out_of_service=sorts.get((area, Sort.OUT_OF_SERVICE), 0),
            suppressed=len(self._suppressed(area, found)),
            stale=sum(_stale(one, before_ms) for one in found),
            ten_minutes=rate(self._tables, area, at_ms, self._defaults.alarms),
            flood_since_ms=watch.since_ms,
            floods=watch.floods,
            flood_ms=watch.flood_ms + (max(0, at_ms - watch.since_ms) if watch.since_ms is not None else 0),
            presented=dict(zip((one.name for one in Priority), watch.priorities, strict=True)),
            withheld={sort.value: watch.withheld.get(sort.value, 0) for sort in Sort},
        )

    def _unresolved(self, area: str) -> list[Incident]:
        return [one for (of, _), one in self._tables.incidents.items() if of == area and one.state in UNRESOLVED]

    def _marks(self, one: Incident) -> Iterator[Mark]:
        dossier = self._tables.dossiers.committed((one.area, one.id))
        yield from dossier.marks if dossier is not None else ()

    def _suppressed(self, area: str, incidents: Iterable[Incident]) -> list[Suppressed]:
        found: list[Suppressed] = []
        for one in incidents:
            if one.withheld is Sort.SUPPRESSED:
                found.append(self._by_cause(one))
            parent = self._tables.incidents.committed((area, one.parent)) if one.parent is not None else None
            rule = named(parent.rule) if parent is not None else None
            if parent is not None and isinstance(rule, OutageRule) and rule.hushes and parent.priority <= one.priority:
                found.append(_of(one, rule.name, parent.id, one.raised_ms))
            if one.rule in LEFT_OUT_RULES and "restored" not in one.conditions:
                for what in sorted({mark.what for mark in self._marks(one)} & LEFT_OUT.keys()):
                    found.append(_of(one, LEFT_OUT[what], one.id, one.event_ms, itself=True))
        return found

    def _by_cause(self, one: Incident) -> Suppressed:
        """The incident it follows from; the line of its history that says so names it."""
        line = next(line for line in reversed(one.history) if line.what == Sort.SUPPRESSED.value)
        by, cause = suppressed_words(line.why)
        return _of(one, by, cause, line.at_ms)


def _of(one: Incident, by: str, cause: str, since_ms: int, *, itself: bool = False) -> Suppressed:
    return Suppressed(one.area, by, cause, None if itself else one.id, one.rule, one.zones, one.gateways, since_ms)


def _stale(one: Incident, before_ms: int) -> bool:
    over = "restored" in one.conditions or "link_restored" in one.conditions
    return one.event_ms < before_ms and not over
