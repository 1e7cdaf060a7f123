"""Sirens: each for a cause, once, and silent in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.site import ZoneKind
from simulators.world.oracle.found import Found
from simulators.world.village import GROUPS

if TYPE_CHECKING:
    from simulators.world.world import World

RINGERS = {ZoneKind.PANIC, ZoneKind.SMOKE, ZoneKind.GAS, ZoneKind.DOOR, ZoneKind.WINDOW}
ONE_RING_MS = 300_000
SLACK_MS = 20_000
JOIN_MS = 300_000
REACH_MS = 700_000
"""How long after a cause a siren may begin for it: its order's life, a dead gateway, a restart of a ringing."""


def _bells(world: World, house: str) -> list[tuple[int, int]]:
    """Every cause that may ring a house, as (start, end) in ms; presses that are one cause count once."""
    found: list[tuple[int, int]] = []
    first: dict[str, int] = {}
    parted = sorted(ms for ms, _ in world.people.resolved)
    for cause in world.witness.causes:
        if cause.kind not in RINGERS or cause.house.group not in GROUPS:
            continue
        end_ms = cause.end_ms if cause.end_ms is not None else world.loop.now_ms
        began_ms = first.get(cause.house.id)
        joined = began_ms is not None and cause.start_ms - began_ms <= JOIN_MS - SLACK_MS
        if cause.kind is ZoneKind.PANIC:
            if joined and began_ms is not None and not any(began_ms < ms <= cause.start_ms for ms in parted):
                continue
            first[cause.house.id] = cause.start_ms
        found.append((cause.start_ms, end_ms))
    return found


def rang(world: World) -> None:
    """Every ringing has a cause, ends in its time, and no cause rings a house twice."""
    for house, spans in world.witness.sirens.items():
        bells = _bells(world, house)
        gateway = world.village.house(house).gateway
        starts = world.witness.starts.get(gateway, [])
        free = list(bells)
        for begun_ms, over_ms in spans:
            over_ms = world.loop.now_ms if over_ms < 0 else over_ms
            near = [bell for bell in bells if bell[0] <= over_ms and bell[1] + REACH_MS >= begun_ms]
            if not near:
                world.witness.broken("siren", f"the siren of {house} rang at {begun_ms} ms for nothing")
                return
            causes = sum(bell[0] <= over_ms and bell[1] >= begun_ms - REACH_MS for bell in bells)
            if over_ms - begun_ms > causes * ONE_RING_MS + SLACK_MS:
                world.witness.broken("siren", f"the siren of {house} rang for {over_ms - begun_ms} ms from {begun_ms}")
                return
            if any(0 <= begun_ms - start_ms <= SLACK_MS for start_ms in starts):
                continue  # a restart goes on with what it rang for
            if world.was_dead(world.village.house(house).device, begun_ms):
                continue
            mine = next((bell for bell in free if bell[0] <= begun_ms <= bell[1] + REACH_MS), None)
            if mine is None:
                world.witness.broken("twice rung", f"the siren of {house} rang again at {begun_ms} ms for no new cause")
                return
            free.remove(mine)


def stood_down(world: World, found: Found) -> None:
    """Where nothing failed, what was resolved is silent a minute later."""
    for _, name in world.people.resolved:
        one = found.incidents.get(name)
        if one is None or one["rule"] not in ("panic", "fire", "gas") or one.get("resolved_ms") is None:
            continue
        done_ms = one["resolved_ms"] - world.start_ms
        if any(a < done_ms + 90_000 and b > done_ms - 300_000 for a, b in world.disturbed):
            continue
        for house in one["premises"]:
            group = world.village.house(house).group
            for other in (h.id for h in world.village.houses if h.group == group):
                late = done_ms + 75_000
                sounding = [a for a, b in world.witness.sirens.get(other, ()) if a < done_ms and (b < 0 or b > late)]
                others = [bell for bell in _bells(world, other) if bell[0] > done_ms - 1_000_000 and bell[0] < late]
                if sounding and len(others) <= 1:
                    world.witness.broken("stand-down", f"{other} still rings {late - done_ms} ms after {name} was over")
                    return
