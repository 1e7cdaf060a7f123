"""Operators, responders and neighbours of the week: each incident is accepted, answered, reached and resolved, each in
its own time."""

from __future__ import annotations

import random

from hub.core.acts import Answer, Answered, Disposition, How, Move, Moved, Stage
from hub.core.incident import UNRESOLVED, Incident, State
from hub.core.rules.proof import NAME as PROOF
from simulators.week.hub import WeekHub

SLOW = 6
"""One of so many incidents is accepted too late for the station."""
CAUSES = {
    "panic": ("pressed_by_mistake", "child"),
    "fire": ("cooking", "steam_or_dust"),
    "intrusion": ("pet_or_animal", "wind_or_weather", "left_open"),
    "fault": ("sensor_fault", "battery_or_mains"),
}
MINUTE_MS = 60_000


class People:
    """Told of every incident that changes, they do what they would. After `home_ms` (virtual) nobody does anything
    more about what is new."""

    def __init__(self, hub: WeekHub, seed: str, home_ms: int) -> None:
        self._hub, self._loop, self._home_ms = hub, hub.loop, home_ms
        self._rng = random.Random(f"{seed}/people")
        self._known: set[str] = set()
        self.left: set[str] = set()
        """Rules whose next incident nobody takes up."""
        hub.saw = self.saw

    def saw(self, area: str, incident: str) -> None:
        """An incident is another than before."""
        found = self._hub.desk.incident(area, incident)
        if found is None or incident in self._known or found.rule == PROOF:
            return
        self._known.add(incident)
        if found.rule in self.left:
            self.left.discard(found.rule)
            return
        if self._loop.now_ms >= self._home_ms and not found.drill:
            return
        rng, after = self._rng, self._loop.after
        slow = rng.randrange(SLOW) == 0
        accept_ms = rng.uniform(75_000, 150_000) if slow else rng.uniform(12_000, 50_000)
        after(accept_ms, self._move, area, incident, Move.ACCEPT, {})
        if found.priority == 1:
            after(rng.uniform(15_000, 70_000), self._answer, area, incident)
            stage = {"stage": Stage.ON_SCENE}
            after(accept_ms + rng.uniform(3, 12) * MINUTE_MS, self._move, area, incident, Move.RESPOND, stage)
        if not found.drill:
            done_ms = accept_ms + rng.uniform(14, 45) * MINUTE_MS
            after(done_ms, self._move, area, incident, Move.RESOLVE, self._ending(found))

    def _ending(self, incident: Incident) -> dict[str, object]:
        if self._rng.random() < 0.4:
            return {"disposition": Disposition.GENUINE}
        causes = CAUSES.get(incident.rule, ("unknown", "work_on_site"))
        return {"disposition": Disposition.FALSE_ALARM, "false_cause": self._rng.choice(causes)}

    def _move(self, area: str, incident: str, move: Move, more: dict[str, object]) -> None:
        found = self._hub.desk.incident(area, incident)
        if (
            found is None
            or found.state not in UNRESOLVED
            or (move is Move.ACCEPT and found.state is not State.REPORTED)
        ):
            return
        self._hub.take(Moved(area, incident, move, "op-1", **more))  # type: ignore[arg-type]

    def _answer(self, area: str, incident: str) -> None:
        found = self._hub.desk.incident(area, incident)
        if found is not None and found.calls:
            self._hub.take(Answered(area, incident, sorted(found.calls)[0], Answer.GOING, How.PHONE, "op-1"))
