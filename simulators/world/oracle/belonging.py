"""Which incident each cause at the wire belongs to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from edge.core.site import ZoneKind
from simulators.world.oracle.found import Found, Shown
from simulators.world.seen import Cause, Made

if TYPE_CHECKING:
    from simulators.world.world import World

RULE_OF = {
    ZoneKind.PANIC: "panic", ZoneKind.DURESS: "duress", ZoneKind.SMOKE: "fire", ZoneKind.GAS: "gas",
    ZoneKind.DOOR: "intrusion", ZoneKind.WINDOW: "intrusion", ZoneKind.TAMPER: "tamper",
    ZoneKind.NVR_ONLINE: "nvr_blind", ZoneKind.MAINS: "fault",
}  # fmt: skip
PARENTS = ("group_intrusion", "sabotage", "silence", "area_outage")
ABOUT_ZONES = ("chatter", "swinger_bypass", "zone_fault")
CHATTER_MS = 130_000
CHATTERS = 5


def owners_of(found: Found) -> dict[str, set[str]]:
    """Which incidents hold a record, by its identity; what was found to be one counts as the one."""
    owners: dict[str, set[str]] = {}
    for name, marks in found.marks.items():
        if found.incidents[name]["rule"] not in PARENTS:
            root = found.root(name)
            for mark in marks:
                owners.setdefault(mark[1], set()).add(root)
    return owners


def belong(world: World, found: Found, owners: dict[str, set[str]]) -> None:
    """Every reportable cause belongs to exactly one incident, of its rule and its house."""
    incidents = found.incidents
    records: dict[int, list[tuple[str, Made]]] = {}
    for (gateway, instance, seq), made in world.witness.made.items():
        if made.cause is not None:
            records.setdefault(made.cause, []).append((f"{gateway}/{instance}/{seq}", made))
    for cause in world.witness.causes:
        rule = RULE_OF.get(cause.kind)
        if rule is None or not _reportable(cause) or _chattered(world, cause):
            continue
        mine = [
            (ident, made)
            for ident, made in records.get(cause.number, [])
            if made.event.qualifier != "restore" and made.event.kind not in ABOUT_ZONES
        ]
        named = {name for ident, _ in mine for name in owners.get(ident, ()) if incidents[name]["rule"] == rule}
        if not named and not _noted(cause, mine, incidents, world):
            made_words = f"{len(mine)} records were made" if mine else "no record was made"
            world.witness.broken("lost", f"{_said(cause)} belongs to no incident; {made_words}")
        elif len(named) > 1 and not _resolved_between(named, incidents):
            world.witness.broken("split", f"{_said(cause)} belongs to {len(named)} incidents: {sorted(named)}")
        elif any(cause.house.id not in incidents[name]["premises"] for name in named):
            world.witness.broken("house", f"{_said(cause)} belongs to an incident of another house: {sorted(named)}")


def _reportable(cause: Cause) -> bool:
    if cause.bounced:
        return False
    if cause.kind is ZoneKind.PANIC:
        return cause.sure or not cause.consoled  # else it was held until the lamp said that it is stored
    if cause.kind in (ZoneKind.SMOKE, ZoneKind.GAS):
        return cause.sure and cause.first  # a detector that stands in alarm says nothing new until it is reset
    return cause.sure


def _chattered(world: World, cause: Cause) -> bool:
    """A contact that moves ten times in a minute is left out until it is quiet: that is told instead."""
    if cause.kind in (ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SMOKE, ZoneKind.GAS):
        return False
    since_ms = cause.start_ms - CHATTER_MS
    mine = [one for one in world.witness.causes if one.zone == cause.zone]
    return sum(since_ms <= one.start_ms <= cause.start_ms for one in mine) >= CHATTERS


def _noted(cause: Cause, mine: list[tuple[str, Made]], incidents: dict[str, Shown], world: World) -> bool:
    """A record that says "still" is a line in the incident of its key, which must not have been over by then."""
    for _, made in mine:
        for incident in incidents.values():
            over_ms = incident.get("resolved_ms")
            if made.event.key in incident["keys"] and cause.house.id in incident["premises"]:
                began_ms = cause.start_ms + world.start_ms
                if over_ms is None or over_ms >= began_ms:
                    return True
    return False


def _resolved_between(named: set[str], incidents: dict[str, Shown]) -> bool:
    """A record after the resolution of the first is, by the rules, another incident."""
    ordered = sorted((incidents[name] for name in named), key=lambda one: one["raised_ms"])
    pairs = pairwise(ordered)
    return all((a.get("resolved_ms") or 2**62) <= b["raised_ms"] for a, b in pairs)


def _said(cause: Cause) -> str:
    until = f"{cause.end_ms / 1000:.3f}" if cause.end_ms is not None else "the end"
    return f"{cause.zone} from {cause.start_ms / 1000:.3f} s to {until}"
