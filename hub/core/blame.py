"""Which zones raised false alarms, and of what: linked when an incident is resolved so, taken back when it is not over
after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from hub.core.acts import Disposition, Move, Moved
from hub.core.context import Context
from hub.core.incident import Incident
from hub.core.opening import absorbed
from hub.core.registry import Registry
from hub.core.rules import named
from hub.core.rules.base import ParentRule
from hub.core.state import Blame, Tables

OTHER = "other"
"""The cause that none of the list fits; its words are in the incident."""
BLAMES_MAX = 50
"""False alarms remembered of one zone; the oldest goes first (the journal has all)."""


class ZoneBlamed(msgspec.Struct, frozen=True):
    """A zone's false alarms: how many by cause, and the newest (hub wall ms). `more` when there were more of them than
    are remembered."""

    area: str
    zone: str
    premises: str | None
    count: int
    causes: dict[str, int]
    last_ms: int
    incidents: list[str]
    more: bool = False


def refusal(ctx: Context, incident: Incident, item: Moved) -> str | None:
    """Why a cause or its zones may not be named; None when they may."""
    if item.false_cause is None and not item.zones:
        return None
    if item.move is not Move.RESOLVE or item.disposition is not Disposition.FALSE_ALARM:
        return "`false_cause` and `zones` are for a false alarm"
    known = ctx.defaults.causes.false_alarm
    if item.false_cause is not None and item.false_cause not in known and not ctx.replayed:
        return f"no cause {item.false_cause}; allowed: {', '.join(known)}"
    others = [zone for zone in item.zones or () if zone not in incident.zones]
    if others:
        return f"{', '.join(others)} did not set it off; its zones: {', '.join(incident.zones) or 'none'}"
    return None


def blame(ctx: Context, incident: Incident, item: Moved) -> None:
    """It was a false alarm: its cause is linked to the zones named, or to all of its own. What only groups others, or
    turned out to be one with another, is linked by those."""
    named_zones = item.zones if item.zones is not None else incident.zones
    zones = [zone for zone in incident.zones if zone in named_zones]
    cause = item.false_cause or OTHER
    ctx.alter(incident.id, false_cause=cause, false_zones=zones)
    if isinstance(named(incident.rule), ParentRule) or absorbed(ctx, incident) or incident.drill:
        return
    for zone in zones:
        known = ctx.tables.blamed.get((ctx.area, zone)) or ()
        ctx.tables.blamed.put((ctx.area, zone), (*known, Blame(ctx.at_ms, cause, incident.id))[-BLAMES_MAX:])


def take_back(ctx: Context, incident: Incident) -> None:
    """It is not over: nothing is said of its zones."""
    for zone in incident.false_zones:
        left = tuple(one for one in ctx.tables.blamed.get((ctx.area, zone)) or () if one.incident != incident.id)
        ctx.tables.blamed.put((ctx.area, zone), left or None)
    ctx.alter(incident.id, false_cause=None, false_zones=[])


def worst(tables: Tables, registry: Registry, areas: Collection[str], since_ms: int) -> list[ZoneBlamed]:
    """Zones of these areas with their false alarms since then, the worst first."""
    found = []
    for (area, zone), blames in tables.blamed.items():
        since = [one for one in blames if one.at_ms >= since_ms]
        if area in areas and since:
            known = registry.zones.get((area, zone))
            causes = dict(sorted(Counter(one.cause for one in since).items()))
            found.append(
                ZoneBlamed(
                    area=area,
                    zone=zone,
                    premises=known.premises if known is not None else None,
                    count=len(since),
                    causes=causes,
                    last_ms=max(one.at_ms for one in since),
                    incidents=[one.incident for one in since],
                    more=len(since) == BLAMES_MAX,
                )
            )
    return sorted(found, key=lambda one: (-one.count, one.area, one.zone))
