"""What the API shows of the desk's committed state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from hub.core.abroad import key_of
from hub.core.incident import UNRESOLVED, Incident, State
from hub.core.registry import Registry, ZoneEntry, of_area
from hub.core.state import Tables
from protocol.kinds import Kind, Priority
from protocol.records import Condition

ALARMS = frozenset(
    {
        Kind.PANIC,
        Kind.DURESS,
        Kind.SILENT_HOLDUP,
        Kind.FIRE,
        Kind.GAS,
        Kind.WATER,
        Kind.INTRUSION,
        Kind.ENTRY_EXIT,
    }
)


class ZoneView(msgspec.Struct, frozen=True):
    """A zone by its events: `live` kinds began and did not end; `condition` is unknown while the link is down.

    `since_ms` is the event time of the newest change; None where no event of the zone was ever seen (then the
    condition is unknown as far as the desk can tell, and the gateway's birth says more).
    """

    area: str
    id: str
    premises: str
    gateway: str
    kind: str
    condition: Condition
    live: list[Kind]
    since_ms: int | None


class GatewayView(msgspec.Struct, frozen=True):
    """A gateway's link: `up` None was never told; `since_ms` when that was told; `heard_ms` last heard before.

    `seconds` are processes of a second gateway under its name, beside the `rightful` one.
    """

    area: str
    id: str
    profile_ms: int
    up: bool | None
    since_ms: int | None
    heard_ms: int | None
    rightful: str | None = None
    seconds: tuple[str, ...] = ()


class GroupView(msgspec.Struct, frozen=True):
    """A group, its unresolved incidents and the members being called for them (premises to outcome or None)."""

    area: str
    id: str
    station: str
    members: list[str]
    adjacent: list[str]
    head: str | None
    incidents: list[str]
    calling: dict[str, str | None]


class Counts(msgspec.Struct, frozen=True):
    """Unresolved incidents by priority ("P1" ...) and all remembered ones by state; zones and gateways by condition."""

    unresolved: dict[str, int]
    states: dict[str, int]
    unaccepted: int
    gateways_down: int
    zones_live: int


class Viewer:
    """Reads committed state."""

    def __init__(self, registry: Registry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    def incidents(self, area: str | None, states: Collection[State] | None) -> list[Incident]:
        """Most urgent first, then newest."""
        found = [
            incident
            for (of, _), incident in self._tables.incidents.items()
            if area in (None, of) and (states is None or incident.state in states)
        ]
        return sorted(found, key=lambda i: (i.priority, -i.event_ms, i.area, i.id))

    def group(self, area: str, group: str) -> GroupView | None:
        """One group; None when there is none."""
        known = self._registry.groups.get((area, group))
        if known is None:
            return None
        ids = list(self._tables.open.committed((area, f"in {group}")) or ())
        members = set(known.members)
        # A neighbour group's incident may call these members too.
        groups = [*((area, one) for one in (group, *known.adjacent)), *known.beyond]
        near = {(of, i) for of, g in groups for i in self._tables.open.committed((of, f"in {g}")) or ()}
        calling: dict[str, str | None] = {}
        for at in sorted(near):
            shown = self._tables.incidents.committed(at)
            for member, call in shown.calls.items() if shown is not None else ():
                of, premises = key_of(at[0], member)
                if of == area and premises in members:
                    calling[premises] = None if call.outcome is None else str(call.outcome)
        return GroupView(
            area, group, known.station, list(known.members), list(known.adjacent), known.head, ids, calling
        )

    def gateways(self, area: str | None) -> list[GatewayView]:
        """Every registered gateway with its link as last told."""
        views = []
        for of in self._areas(area):
            for gateway, entry in sorted(of_area(self._registry.gateways, of).items(), key=lambda item: item[0]):
                link = self._tables.links.committed((of, gateway))
                told = (None, None, None) if link is None else (link.up, link.since_ms, link.heard_ms)
                twins = self._tables.twins.committed((of, gateway))
                who = (None, ()) if twins is None else (twins.rightful, twins.seconds)
                views.append(GatewayView(of, gateway, entry.profile_ms, *told, *who))
        return views

    def groups(self, area: str | None) -> list[GroupView]:
        """Every group of an area, or of all."""
        keys = [(of, group) for of in self._areas(area) for group in sorted(of_area(self._registry.groups, of))]
        return [view for key in keys if (view := self.group(*key)) is not None]

    def zones(self, area: str | None, gateway: str | None) -> list[ZoneView]:
        """Every registered zone with what its events say."""
        return [
            self._zone(entry)
            for of in self._areas(area)
            for _, entry in sorted(of_area(self._registry.zones, of).items(), key=lambda item: item[0])
            if gateway in (None, entry.gateway)
        ]

    def zone(self, area: str, zone: str) -> ZoneView | None:
        """One zone; None when the registry has none."""
        entry = self._registry.zones.get((area, zone))
        return self._zone(entry) if entry is not None else None

    def _areas(self, area: str | None) -> list[str]:
        return sorted(self._registry.areas) if area is None else [area]

    def counts(self, area: str | None) -> Counts:
        """Live counts."""
        incidents = self.incidents(area, None)
        unresolved = [i for i in incidents if i.state in UNRESOLVED]
        by_priority = Counter(i.priority.name for i in unresolved)
        states = Counter(str(i.state) for i in incidents)
        return Counts(
            unresolved={priority.name: by_priority[priority.name] for priority in Priority},
            states={str(state): states[str(state)] for state in State},
            unaccepted=sum(i.state is State.REPORTED and i.parent is None for i in unresolved),
            gateways_down=sum(not link.up for (of, _), link in self._tables.links.items() if area in (None, of)),
            zones_live=sum(
                any(live.live for live in lives.values())
                for (of, zone), lives in self._tables.zones.items()
                if area in (None, of) and (of, zone) in self._registry.zones
            ),
        )

    def _zone(self, entry: ZoneEntry) -> ZoneView:
        lives = self._tables.zones.committed((entry.area, entry.id)) or {}
        times = [told.at_ms for live in lives.values() for told in (live.began, live.ended) if told is not None]
        live = sorted(Kind(what) for what, state in lives.items() if state.live and what in Kind._value2member_map_)
        link = self._tables.links.committed((entry.area, entry.gateway))
        condition = Condition.UNKNOWN
        if link is None or link.up:
            condition = _condition(live) if lives else Condition.UNKNOWN
        return ZoneView(
            entry.area,
            entry.id,
            entry.premises,
            entry.gateway,
            entry.kind,
            condition,
            live,
            max(times, default=None),
        )


def _condition(live: Collection[Kind]) -> Condition:
    if not live:
        return Condition.NORMAL
    if any(kind in ALARMS for kind in live):
        return Condition.ALARM
    return Condition.TAMPER if Kind.TAMPER in live else Condition.FAULT
