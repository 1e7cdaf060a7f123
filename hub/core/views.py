"""What the API shows of the desk's committed state."""

from __future__ import annotations

import msgspec

from protocol.kinds import Kind
from protocol.records import Condition


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
    """A gateway's link: `up` None was never told; `since_ms` when that was told; `heard_ms` last heard before."""

    area: str
    id: str
    profile_ms: int
    up: bool | None
    since_ms: int | None
    heard_ms: int | None


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
