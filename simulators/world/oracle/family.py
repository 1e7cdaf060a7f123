"""Who is part of what: one parent each, nobody of oneself, and what a parent tells its children do not tell again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.world.oracle.found import NEVER_MS, Found

if TYPE_CHECKING:
    from simulators.world.world import World

LEAST_URGENT = {"intrusion": 2, "group_intrusion": 1, "sabotage": 1, "silence": 3, "nvr_blind": 3, "gateway_lost": 3}
"""What each is by itself, at the least; the rest is a P4."""


def ring(world: World, found: Found) -> bool:
    """No incident is, over however many parents, part of itself."""
    for name in found.incidents:
        above, seen = found.incidents[name].get("parent"), {name}
        while above and above not in seen:
            seen.add(above)
            above = found.incidents[above].get("parent")
        if above:
            world.witness.broken("parents", f"{name} is part of itself")
            return True
    return False


def kept(world: World, found: Found) -> None:
    """What holds between parents and children."""
    _one_parent(world, found)
    _not_lowered(world, found)
    _quiet(world, found)


def _one_parent(world: World, found: Found) -> None:
    for name, shown in found.incidents.items():
        parent = shown.get("parent")
        if parent and name not in found.incidents[parent].get("children", ()):
            world.witness.broken("parents", f"{name} is part of {parent}, which does not name it")
            return
        for child in shown.get("children", ()):
            if found.incidents[child].get("parent") != name and found.over_ms(name) == NEVER_MS:
                theirs = found.incidents[child].get("parent")
                world.witness.broken("two parents", f"{child} is named by {name} and is part of {theirs}")
                return


def _not_lowered(world: World, found: Found) -> None:
    """A parent never makes a child less urgent than it is by itself."""
    for name, shown in found.incidents.items():
        least = LEAST_URGENT.get(shown["rule"], 4)
        if shown["rule"] == "gateway_lost" and "armed" in _first_why(shown):
            least = 2
        if shown.get("parent") and shown["priority"] > least:
            world.witness.broken("lowered", f"{name} is a P{shown['priority']}, by itself it is a P{least}")
            return


def _first_why(shown: dict[str, object]) -> str:
    return str(shown["why"])


def _quiet(world: World, found: Found) -> None:
    """While a parent that is no less urgent stands, its child is not told of as not accepted."""
    for name, shown in found.incidents.items():
        parent = shown.get("parent")
        if not parent or found.incidents[parent]["priority"] > shown["priority"]:
            continue
        lines = shown.get("history", ())
        since_ms = [line["at_ms"] for line in lines if line["what"].startswith(("part of ", "one with "))]
        until_ms = min(found.over_ms(parent), shown.get("accepted_ms") or NEVER_MS)
        alone = [line["at_ms"] for line in lines if line.get("why", "").startswith("not accepted")]
        if since_ms and any(since_ms[-1] < ms < until_ms for ms in alone):
            world.witness.broken("escalates alone", f"{name} was told to the next rung, though {parent} is for it")
            return
