"""Intrusions that belong together: of two households of a group, and of a house whose mains, video or link go too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulators.world.oracle.facts import LINK, MAINS, TRIP, VIDEO, Fact, least_ms, most_ms, perhaps_together, together
from simulators.world.oracle.found import Found
from simulators.world.oracle.parents import Parent, Window, children_belong, holding, parents
from simulators.world.village import GROUPS

if TYPE_CHECKING:
    from simulators.world.world import World

GROUP_MS = 600_000
SABOTAGE_MS = 300_000


def group_intrusions(world: World, found: Found, facts: Sequence[Fact]) -> None:
    """Two different households of a group within 10 min are one P1, which names both."""
    for group in GROUPS:
        homes = {house.id for house in world.village.houses if house.group == group}
        trips = [fact for fact in facts if fact.sort == TRIP and fact.house in homes]
        standing = parents(found, "group_intrusion", trips, f"group:{group}")
        Window("group_intrusion", GROUP_MS, 2, lambda fact: fact.house).judge(world, trips, standing)
        children_belong(world, found, standing, ("group_intrusion",))


def sabotages(world: World, found: Found, facts: Sequence[Fact]) -> None:
    """A loss of link, mains or video within 5 min of an intrusion there is a sabotage with it, and of nothing else:
    that beats an area outage."""
    for gateway in world.machines:
        mine = [fact for fact in facts if fact.gateway == gateway]
        trips = [fact for fact in mine if fact.sort == TRIP]
        losses = [fact for fact in mine if fact.sort in (LINK, MAINS, VIDEO)]
        standing = parents(found, "sabotage", trips + losses, f"gateway:{gateway}")
        for parent in standing:
            _may_be(world, parent)
        for trip in trips:
            for loss in losses:
                if _there(trip, loss) and most_ms(trip, loss) <= SABOTAGE_MS and together((trip, loss)):
                    _must_be(world, standing, trip, loss)
        children_belong(world, found, standing, ("sabotage",))


def _there(trip: Fact, loss: Fact) -> bool:
    """Where they are the same place: a link is of every house on its gateway."""
    return loss.house in (None, trip.house)


def _must_be(world: World, standing: Sequence[Parent], trip: Fact, loss: Fact) -> None:
    ours, theirs = holding(standing, trip), holding(standing, loss)
    if not ours or not theirs:
        world.witness.broken("parent missing", f"{trip} and {loss} are not in a sabotage")
    elif not set(ours) & set(theirs):
        both = [parent for parent in standing if parent.id in (*ours, *theirs)]
        if not all(parent.accepted for parent in both):
            world.witness.broken("two parents", f"{trip} and {loss} are in {ours[0]} and {theirs[0]}")


def _may_be(world: World, parent: Parent) -> None:
    """Each of its facts has one near it that makes it a sabotage, and some two of them stood open together."""
    ties = [
        (trip, loss)
        for trip in parent.facts
        for loss in parent.facts
        if trip.sort == TRIP and loss.sort != TRIP and _there(trip, loss) and least_ms(trip, loss) <= SABOTAGE_MS
    ]
    tied = {fact.ident for tie in ties for fact in tie}
    alone = [fact for fact in parent.facts if fact.ident not in tied]
    if alone or not any(perhaps_together(tie) for tie in ties):
        said = ", ".join(map(str, alone or parent.facts)) or "nothing"
        world.witness.broken("no parent", f"{parent.id} holds {said}, near which nothing makes it a sabotage")
