"""Who was told that nobody accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.world.oracle.found import Found

if TYPE_CHECKING:
    from simulators.world.world import World

SLACK_MS = 20_000
ACCEPT_MS = 60_000


def climbed(world: World, found: Found) -> None:
    """A P1 that nobody accepted in time was told to the town."""
    for name, one in found.incidents.items():
        if one["rule"] not in ("panic", "fire", "gas", "duress") or one.get("parent"):
            continue
        if {"must_look", "cancelled"} & set(one.get("conditions", ())):
            continue
        due_ms = one["raised_ms"] - world.start_ms + ACCEPT_MS
        for ill_ms, well_ms in world.hub_ill:
            if ill_ms - SLACK_MS <= due_ms and (well_ms < 0 or due_ms <= well_ms + SLACK_MS):
                due_ms = (world.loop.now_ms if well_ms < 0 else well_ms) + SLACK_MS
        accepted_ms = one.get("accepted_ms")
        if accepted_ms is not None and accepted_ms - world.start_ms <= due_ms + SLACK_MS:
            continue
        pages = [line["at_ms"] for line in one["history"] if line.get("why", "").startswith("not accepted")]
        first_ms = min(pages, default=2**62) - world.start_ms
        if due_ms + SLACK_MS < world.loop.now_ms and first_ms > due_ms + SLACK_MS:
            world.witness.broken("escalation", f"{name}: nobody accepted it and the town was not told in time")
