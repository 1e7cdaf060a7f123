"""The journal, folded again by another desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.chain import Broken, walk
from hub.core.desk import Desk
from hub.core.effects import Effect, Page, Send
from hub.core.io import NotAllowed

if TYPE_CHECKING:
    from simulators.world.world import World


def replayed(world: World) -> dict[str, Any] | None:
    """The journal, folded again, gives the same state to the byte; and nothing was done that it does not say."""
    assert world.hub is not None
    for found in walk(world.book.entries()):
        if isinstance(found, Broken):
            world.witness.broken("chain", str(found))
            return None
    from simulators.world.hub import DEFAULTS

    desk, effects = Desk(world.village.registry, DEFAULTS), set[Effect]()
    desk.begin()
    for at_ms, taken in world.book.inputs():
        try:
            effects |= {effect for effect in desk.step(taken, at_ms, replayed=True) if isinstance(effect, Send | Page)}
        except NotAllowed as cause:
            world.witness.broken("replay", f"a committed move is refused in a replay: {cause}")
        desk.commit()
        desk.begin()
    desk.commit()
    ran, folded = world.hub.desk.snapshot(), desk.snapshot()
    if ran != folded:
        world.witness.broken("replay", "the journal folds to another state than the hub's")
        return None
    for effect in world.witness.effects - effects:
        world.witness.broken("backed", f"done though no commit asked for it: {effect}"[:300])
        break
    state: dict[str, Any] = msgspec.json.decode(folded)
    return state
