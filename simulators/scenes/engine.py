"""Plays a scenario on the example village in virtual time: real gateways, the real hub, the world's network."""

from __future__ import annotations

from hub.core.desk import Desk
from protocol.logs import quiet
from simulators.scenario import Scenario
from simulators.scenes.acts import Acting
from simulators.scenes.found import Found
from simulators.scenes.listing import listed
from simulators.world.book import Book
from simulators.world.hub import DEFAULTS
from simulators.world.loop import NS_PER_MS
from simulators.world.machine import START_MS
from simulators.world.story import Noise
from simulators.world.village import AREA

WARM_MS = 25_000
"""How long the village has to come up before the scenario's time begins."""
DRIFT_PPM = 20
"""An ordinary quartz: a night is half a second longer to it."""
BROKEN_MAX = 5
"""Broken promises told of one scenario."""


class Played(Acting):
    """One scenario under way. Times of steps count from when the village was up."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(Noise(*scenario.network.shares))
        self.scenario = scenario
        for machine in self.machines.values():
            machine.drift_ppm = DRIFT_PPM

    def play(self) -> Found:
        """From the first start to the end of the scenario."""
        with quiet():
            self.book = Book(self, Desk(self.village.registry, DEFAULTS).config_digest)
            self._start_hub()
            for machine in self.machines.values():
                machine.start()
            for step in self.scenario.step:
                self.loop.at(self._ns(step.at_s), self._step, step)
            self._watch()
            self.loop.run(self._ns(self.scenario.lasts_s + self.scenario.tail_s))
            return self._found()

    def _ns(self, at_s: float) -> int:
        return (WARM_MS + int(at_s * 1000)) * NS_PER_MS

    def _s(self, at_ms: int) -> float:
        return (at_ms - WARM_MS) / 1000

    def _found(self) -> Found:
        broken, more = self.witness.violations[:BROKEN_MAX], len(self.witness.violations) - BROKEN_MAX
        trouble = [*self.trouble, *(f"a promise is broken: {one}" for one in broken)]
        trouble += [f"and {more} promises more"] if more > 0 else []
        incidents = self.hub.desk.incidents() if self.hub is not None else []
        if self.hub is None:
            trouble.append("the hub is not up at the end: nobody knows")
        sirens = {
            who: tuple((self._s(a), None if b < 0 else self._s(b)) for a, b in spans)
            for who, spans in self.witness.sirens.items()
        }
        desk, now_ms = (self.hub.desk if self.hub is not None else None), self.true_ms()
        return Found(
            tuple(incidents),
            sirens,
            tuple(self.onlooker.pages),
            self.onlooker.records,
            tuple(trouble),
            self._floods(),
            listed(desk.alarms, AREA, now_ms) if desk is not None else None,
            tuple(reversed(desk.drills(AREA, now_ms))) if desk is not None else (),
            {one.gateway: one for one in desk.proofs(AREA, now_ms)} if desk is not None else {},
        )

    def _floods(self) -> tuple[tuple[float, float | None, int], ...]:
        found: list[tuple[float, float | None, int]] = []
        for flood in self.onlooker.floods:
            at_s = self._s(flood.at_ms - START_MS)
            if flood.began:
                found.append((at_s, None, flood.alarms))
            else:
                found[-1] = (found[-1][0], at_s, flood.alarms)
        return tuple(found)


def play(scenario: Scenario) -> tuple[Found, float]:
    """Play one scenario; what came of it, and how long it lasted in virtual s. The same every time."""
    played = Played(scenario)
    return played.play(), scenario.lasts_s + scenario.tail_s
