"""The judgement after a run: naive, from what happened at the wires and what stands in the journal. It shares no
code with the rules it judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.world.oracle.belonging import belong, owners_of
from simulators.world.oracle.climbing import climbed
from simulators.world.oracle.facts import happened
from simulators.world.oracle.family import kept, ring
from simulators.world.oracle.found import Found
from simulators.world.oracle.intruding import group_intrusions, sabotages
from simulators.world.oracle.losing import outages, silences
from simulators.world.oracle.replaying import replayed
from simulators.world.oracle.ringing import rang, stood_down
from simulators.world.oracle.standing import live, placed

if TYPE_CHECKING:
    from simulators.world.world import World


def judge(world: World) -> None:
    """Every check that needs the end."""
    state = replayed(world)
    if state is None:
        return
    found = Found.of(state)
    if ring(world, found):
        return
    belong(world, found, owners_of(found))
    placed(world, found)
    live(world)
    facts = happened(world, found)
    group_intrusions(world, found, facts)
    sabotages(world, found, facts)
    silences(world, found, facts)
    outages(world, found, facts)
    kept(world, found)
    climbed(world, found)
    rang(world)
    stood_down(world, found)
