"""The views that are made of committed state: zones, gateways, groups, counts."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hub.core.abroad import key_of
from hub.core.registry import Group, ZoneEntry
from hub.core.state import Tables
from protocol.kinds import Kind
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


def group_view(tables: Tables, area: str, group: str, known: Group) -> GroupView:
    """A group as it stands; a neighbour group's incident may call its members too."""
    ids = list(tables.open.committed((area, f"in {group}")) or ())
    members = set(known.members)
    groups = [*((area, one) for one in (group, *known.adjacent)), *known.beyond]
    near = {(of, i) for of, g in groups for i in tables.open.committed((of, f"in {g}")) or ()}
    calling: dict[str, str | None] = {}
    for at in sorted(near):
        shown = tables.incidents.committed(at)
        for member, call in shown.calls.items() if shown is not None else ():
            of, premises = key_of(at[0], member)
            if of == area and premises in members:
                calling[premises] = None if call.outcome is None else str(call.outcome)
    return GroupView(area, group, known.station, list(known.members), list(known.adjacent), known.head, ids, calling)


def gateway_view(tables: Tables, area: str, gateway: str, profile_ms: int) -> GatewayView:
    """A gateway with its link as last told."""
    link = tables.links.committed((area, gateway))
    told = (None, None, None) if link is None else (link.up, link.since_ms, link.heard_ms)
    twins = tables.twins.committed((area, gateway))
    who = (None, ()) if twins is None else (twins.rightful, twins.seconds)
    return GatewayView(area, gateway, profile_ms, *told, *who)


def zone_view(tables: Tables, entry: ZoneEntry) -> ZoneView:
    """A zone with what its events say."""
    lives = tables.zones.committed((entry.area, entry.id)) or {}
    times = [told.at_ms for live in lives.values() for told in (live.began, live.ended) if told is not None]
    live = sorted(Kind(what) for what, state in lives.items() if state.live and what in Kind._value2member_map_)
    link = tables.links.committed((entry.area, entry.gateway))
    heard = link is None or link.up
    condition = _condition(live) if heard and lives else Condition.UNKNOWN
    since_ms = max(times, default=None)
    return ZoneView(entry.area, entry.id, entry.premises, entry.gateway, entry.kind, condition, live, since_ms)


def _condition(live: Collection[Kind]) -> Condition:
    if not live:
        return Condition.NORMAL
    if any(kind in ALARMS for kind in live):
        return Condition.ALARM
    return Condition.TAMPER if Kind.TAMPER in live else Condition.FAULT
