"""What control rooms are told on the live stream of what was committed, and what the hub counts of it."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from hub.core.desk import Desk
from hub.core.effects import Changed, Page, StoodDown
from hub.core.heard import Linked, Recorded, Replied
from hub.core.hold import PutBack, Shelved, TakenOut
from hub.core.holding import UNSHELVE, unshelved
from hub.core.incident import Incident
from hub.core.instruction import Instructed
from hub.core.io import Due, Input
from hub.core.load import Flooded
from hub.core.moves import FORGET
from hub.core.plan import Levelled
from hub.core.rules.proof import NAME as PROOF
from hub.core.trials import Drilled
from hub.erasable import Erasable
from hub.live import LiveStream
from hub.metrics import Metrics
from hub.plain import json_of
from hub.rounds import Done

HISTORY_TOLD = 5
"""Lines of an incident's history that go with each change; the API has all of them."""


class Told(msgspec.Struct, frozen=True):
    """The live stream's `incident` event: its view, with the newest lines of its history. Times are hub wall ms.

    One event a batch and incident: `what` is its last change, and the times are those of the first. `event_ms`: when it
    happened, by the age stated; `received_ms`: when it reached the hub; `latency_ms`: from event to commit (None where
    the age is unknown); `handling_ms`: the hub's share of it.
    """

    what: str
    incident: Incident
    event_ms: int | None
    received_ms: int
    committed_ms: int
    latency_ms: float | None
    handling_ms: float


class Announcer:
    """Tells changes with names and texts put in where they were not erased."""

    def __init__(self, desk: Desk, live: LiveStream, erasable: Erasable, metrics: Metrics) -> None:
        self._desk = desk
        self._live = live
        self._erasable = erasable
        self._metrics = metrics
        self._known = {(one.area, one.id) for one in desk.incidents()}
        self._log = structlog.get_logger("hub.effects")

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before; `done` is what changed it first."""
        incident = self._desk.incident(effect.area, effect.incident)
        if incident is None:
            return
        if (effect.area, effect.incident) not in self._known:
            self._known.add((effect.area, effect.incident))
            self._metrics.incidents.labels(incident.rule, incident.priority.name).inc()
        event_ms, age_ms = _when(done)
        told = Told(
            what=self._erasable.words(effect.what),
            incident=self._erasable.shown(replace(incident, history=incident.history[-HISTORY_TOLD:])),
            event_ms=event_ms,
            received_ms=done.received_ms,
            committed_ms=done.committed_ms,
            latency_ms=None if age_ms is None else round(age_ms + done.handling_ms, 3),
            handling_ms=round(done.handling_ms, 3),
        )
        self._live.tell("incident", effect.area, json_of(told).decode())

    def page(self, page: Page, done: Done) -> None:
        """Somebody is to be called; of a proof no control room hears."""
        incident = self._desk.incident(page.area, page.incident)
        if incident is not None and incident.rule == PROOF:
            return
        self._metrics.pages.labels(page.rung.value).inc()
        words = {"incident": page.incident, "area": page.area, "rung": page.rung.value, "why": page.why}
        self._log.warning("page", **words)
        self._live.tell("page", page.area, json_of(words | {"at_ms": done.committed_ms}).decode())

    def stood_down(self, over: StoodDown, done: Done) -> None:
        """It is over, for everyone who was called."""
        words = {"incident": over.incident, "area": over.area, "premises": list(over.premises), "why": over.why}
        self._live.tell("stand_down", over.area, json_of(words | {"at_ms": done.committed_ms}).decode())

    def flooded(self, flood: Flooded) -> None:
        """More alarms than an operator can take, or no more so: nothing is held back for it."""
        words = {"area": flood.area, "began": flood.began, "at_ms": flood.at_ms, "alarms": flood.alarms}
        self._log.warning("flood of alarms" if flood.began else "flood of alarms is over", **words)
        self._live.tell("flood", flood.area, json_of(words).decode())

    def drilled(self, drill: Drilled) -> None:
        """A drill came to another state, by whom or whatever it was."""
        words = {"area": drill.area, "drill": drill.drill, "state": drill.state, "reason": drill.reason}
        self._live.tell("drill", drill.area, json_of(words).decode())

    def committed(self, done: Done) -> None:
        """An input was committed; news of links and replies are told too."""
        taken = done.taken
        if isinstance(taken, Due) and taken.timer.startswith(FORGET):
            self._known.discard((taken.area, taken.timer.removeprefix(FORGET)))
        elif isinstance(taken, Recorded):
            if not done.effective:
                self._metrics.duplicates.labels("alarm").inc()
                return
            self._metrics.committed.labels(taken.area, taken.event.priority.name).inc()
            if taken.age_ms is not None:
                self._metrics.wire_seconds.observe((taken.age_ms + done.handling_ms) / 1000)
        elif isinstance(taken, Linked) and done.effective:
            words = {"area": taken.area, "gateway": taken.gateway, "up": taken.up, "heard_ms": taken.heard_ms}
            self._live.tell("gateway", taken.area, json_of(words).decode())
        elif isinstance(taken, Levelled) and done.effective:
            words = {"area": taken.area, "level": taken.level, "from_ms": taken.from_ms, "until_ms": taken.until_ms}
            self._live.tell("level", taken.area, json_of(words).decode())
        elif (held := _held(taken)) is not None and done.effective:
            self._live.tell("hold", taken.area, json_of(held).decode())
        elif isinstance(taken, Instructed) and done.effective:
            words = {"area": taken.area, "premises": taken.premises, "order": taken.order, "action": taken.action}
            self._live.tell("order", taken.area, json_of(words).decode())
        elif isinstance(taken, Replied) and done.effective:
            words = {"area": taken.area, "gateway": taken.gateway, "order": taken.order, "results": taken.results}
            self._live.tell("reply", taken.area, json_of(words).decode())


def _held(taken: Input) -> dict[str, Any] | None:
    """What is withheld now, or no more; None of anything else."""
    if isinstance(taken, Shelved | TakenOut | PutBack):
        rule = None if isinstance(taken, TakenOut) else taken.rule
        what = taken.__struct_config__.tag
        return {"area": taken.area, "what": what, "at": taken.at, "place": taken.place, "rule": rule}
    if isinstance(taken, Due) and taken.timer.startswith(UNSHELVE):
        at, place, rule = unshelved(taken.timer)
        return {"area": taken.area, "what": "expired", "at": at, "place": place, "rule": rule}
    return None


def _when(done: Done) -> tuple[int | None, float | None]:
    """(hub wall ms of the event, its age on arrival) of a record; of anything else, its arrival and no age."""
    if not isinstance(done.taken, Recorded):
        return done.received_ms, 0.0
    age_ms = done.taken.age_ms
    return (None, None) if age_ms is None else (done.received_ms - age_ms, float(age_ms))
