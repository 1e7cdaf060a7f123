"""What is lost together: three ways of a group are a possible cut or jam, with those of its neighbours an outage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulators.world.oracle.facts import EXPANDER, LINK, Fact, Near, least_ms, most_ms, together
from simulators.world.oracle.found import Found
from simulators.world.oracle.parents import Window, children_belong, parents
from simulators.world.village import AREA, GROUPS

if TYPE_CHECKING:
    from simulators.world.world import World

WINDOW_MS = 60_000
ENOUGH = 3
HOLDERS = ("silence", "area_outage", "sabotage")


def silences(world: World, found: Found, facts: Sequence[Fact]) -> None:
    """Three or more ways out of a group lost within 60 s of one another; whose loss that is, is told by one parent."""
    for group in GROUPS:
        lost = _ways(world, facts, group)
        standing = parents(found, "silence", lost, f"group:{group}")
        Window("silence", WINDOW_MS, ENOUGH, lambda fact: fact.way).judge(world, lost, standing)
        children_belong(world, found, standing, HOLDERS)


def outages(world: World, found: Found, facts: Sequence[Fact]) -> None:
    """Where neighbouring groups are gone too there is one outage, and what is lost is part of it or of a sabotage."""
    standing = parents(found, "area_outage", facts)
    ways = {group: _ways(world, facts, group) for group in GROUPS}
    possible = [gone for group in GROUPS for gone in _gone(world, ways, group, least_ms)]
    for parent in standing:
        named = set(found.incidents[parent.id]["gateways"])
        if not any({fact.gateway for fact in gone} >= {next(iter(sorted(named)))} for gone in possible):
            world.witness.broken("no parent", f"{parent.id} stands for {sorted(named)}: no two groups were gone")
        strangers = [
            name
            for name in found.incidents[parent.id].get("children", ())
            if found.incidents[name]["rule"] not in ("silence", "area_outage")
            and not any(fact.incident == name and fact.sort in (LINK, EXPANDER) for fact in facts)
        ]
        if strangers:
            world.witness.broken("no child", f"{strangers[0]} is part of {parent.id}, and no way was lost by it")
    for group in GROUPS:
        for gone in _gone(world, ways, group, most_ms):
            if together(gone) and not _in_one(world, found, gone):
                return


def _in_one(world: World, found: Found, gone: Sequence[Fact]) -> bool:
    for fact in gone:
        rules = {found.incidents[name]["rule"] for name in found.above(fact.incident)}
        if not rules & {"area_outage", "sabotage"} and not found.goes_on_alone(fact.incident):
            world.witness.broken("parent missing", f"{fact} is in no area outage; gone with it: {len(gone)} ways")
            return False
    idents, wall_ms = {fact.ident for fact in gone}, max(fact.known_ms for fact in gone)
    for name in found.of_rule("silence"):
        mine = {mark[1] for mark in found.marks[name]}
        covered = any(found.incidents[above]["rule"] == "area_outage" for above in found.above(name))
        if mine <= idents and found.over_ms(name) > wall_ms and not covered:
            world.witness.broken("parent missing", f"{name} is a cut of its own, though its neighbours are gone too")
            return False
    return True


def _ways(world: World, facts: Sequence[Fact], group: str) -> list[Fact]:
    gateways = _gateways(world, group)
    return [fact for fact in facts if fact.sort in (LINK, EXPANDER) and fact.gateway in gateways]


def _gateways(world: World, group: str) -> set[str]:
    return {house.gateway for house in world.village.houses if house.group == group}


def _gone(world: World, ways: dict[str, list[Fact]], group: str, near: Near) -> Iterator[list[Fact]]:
    """Around each loss of a group: what is lost within the window of it of the group and of its neighbours, where both
    are gone: three ways of each, or all it has."""
    adjacent = world.village.registry.groups[AREA, group].adjacent
    for anchor in ways[group]:
        lost = {name: [f for f in ways[name] if near(anchor, f) <= WINDOW_MS] for name in (group, *adjacent)}
        lost = {
            name: mine
            for name, mine in lost.items()
            if len({fact.way for fact in mine}) >= min(ENOUGH, len(_gateways(world, name)))
        }
        all_of = {fact.ident: fact for mine in lost.values() for fact in mine}
        if group in lost and len(lost) > 1 and len({fact.way for fact in all_of.values()}) >= ENOUGH:
            yield list(all_of.values())
