"""People at the wire and at the desk: who presses holds until the lamp answers; operators accept and resolve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.site import ZoneKind
from hub.core.acts import Disposition, Move, Moved, Stage
from hub.core.incident import State
from simulators.world.loop import stream
from simulators.world.machine import Shown
from simulators.world.village import AREA, House

if TYPE_CHECKING:
    from simulators.world.world import World

LOOKS_MS = 250
STEADY_MS = 400
COMING_MS = (140, 170)
"""How long the lamp is on in each pulse of "somebody is coming"."""
TRIES_MS = 5_000
SURE_MS = 2_000
"""How long the lamp must answer: right after a restart it shows what it showed before, and nobody looks yet."""
DARK_MS = 700
"""Longer than any pattern is dark."""
AGAIN_MS = 5_000
"""Whoever sees the lamp answer and go dark for so long lets go, and presses again."""


def answered(lamp: Shown | None, pressed_ms: int, now_ms: int) -> bool:
    """Whether the lamp says that the call is stored, received, or somebody is coming."""
    if lamp is None:
        return False
    lit = lamp.on and now_ms - lamp.since_ms >= STEADY_MS
    coming = COMING_MS[0] <= lamp.was_on_ms <= COMING_MS[1] and lamp.since_ms >= pressed_ms
    blinked = lamp.was_on_ms >= STEADY_MS and lamp.since_ms >= pressed_ms + STEADY_MS
    return lit or coming or blinked


class People:
    """Everybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.holding: set[str] = set()
        self._seen: set[str] = set()
        self.resolved: list[tuple[int, str]] = []

    def press(self, house: House, at_least_ms: int) -> None:
        """Somebody presses the panic button, and holds it until the lamp answers."""
        if house.id in self.holding:
            return
        self.holding.add(house.id)
        pressed_ms = self.world.loop.now_ms
        self.world.hold(house, ZoneKind.PANIC)
        self.world.loop.after(at_least_ms, self._look, house, pressed_ms, None)

    def saw(self, incident: str) -> None:
        """An operator sees an incident on the screen, perhaps for the first time."""
        if incident in self._seen:
            return
        self._seen.add(incident)
        rng, after = stream(self.world.story.seed, "operator", incident), self.world.loop.after
        if rng.random() > 0.85:
            return
        accept_ms = rng.uniform(15_000, 150_000)
        after(accept_ms, self._move, Moved(AREA, incident, Move.ACCEPT, "op-1"))
        if rng.random() < 0.5:
            come = Moved(AREA, incident, Move.RESPOND, "neighbour-1", stage=Stage.EN_ROUTE)
            after(accept_ms + rng.uniform(1_000, 20_000), self._move, come)
        if rng.random() < 0.8:
            over = Moved(AREA, incident, Move.RESOLVE, "op-1", disposition=Disposition.GENUINE)
            after(accept_ms + rng.uniform(30_000, 400_000), self._move, over)

    def _look(self, house: House, pressed_ms: int, since_ms: int | None) -> None:
        lamp, now_ms = self.world.machines[house.gateway].outputs.get(f"{house.id}-lamp"), self.world.loop.now_ms
        if lamp is None or (not lamp.on and now_ms - lamp.since_ms > DARK_MS):
            since_ms = None
        elif since_ms is None and answered(lamp, pressed_ms, now_ms):
            since_ms = now_ms
        dark = lamp is not None and not lamp.on and pressed_ms < lamp.since_ms < now_ms - AGAIN_MS
        again = dark and self.world.machines[house.gateway].is_up(house.device)
        if again or (since_ms is not None and now_ms - since_ms >= SURE_MS):
            self.holding.discard(house.id)
            if lamp is not None and COMING_MS[0] <= lamp.was_on_ms <= COMING_MS[1]:
                self.world.witness.consoled(house.zone(ZoneKind.PANIC))
            self.world.let_go(house, ZoneKind.PANIC)
            if again:
                self.world.loop.after(LOOKS_MS, self.press, house, LOOKS_MS)
        else:
            self.world.loop.after(LOOKS_MS, self._look, house, pressed_ms, since_ms)

    def _move(self, moved: Moved) -> None:
        hub = self.world.hub
        if hub is None or not hub.moves(moved):
            if not self.world.ended:
                self.world.loop.after(TRIES_MS, self._move, moved)
            return
        if moved.move is Move.RESOLVE:
            shown = hub.desk.incident(AREA, moved.incident)
            if shown is not None and shown.state is not State.REPORTED:
                self.resolved.append((self.world.loop.now_ms, moved.incident))
