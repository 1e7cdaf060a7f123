"""What the hub cannot do just now, told to operators past the journal: nothing here waits for a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import structlog

from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.heard import Recorded
from hub.core.io import Input
from hub.live import EVERYBODY, LiveStream
from hub.metrics import Metrics
from hub.plain import json_of
from protocol.kinds import Priority, Qualifier

JOURNAL, TELEMETRY, REGISTRY = "journal", "telemetry", "registry"
WAITING_MAX = 1_024
"""Waiting alarms told one by one; as many as the desk's inbox holds of urgent ones."""


class Trouble(msgspec.Struct, frozen=True):
    """The live stream's `trouble` event. `over_ms` is None while it lasts; times are hub wall ms."""

    part: str
    why: str
    since_ms: int
    over_ms: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """The live stream's `waiting` event: a P1 that is not on disk, so it has no incident and no receipt yet."""

    area: str
    gateway: str
    premises: str | None
    zone: str | None
    kind: str
    age_ms: int | None
    at_ms: int
    why: str


class Troubles:
    """`standing` has each part's trouble while it lasts."""

    def __init__(self, desk: Desk, live: LiveStream, clock: HubClock, metrics: Metrics) -> None:
        self.standing: dict[str, Trouble] = {}
        self.known: set[str] = set()
        """Every part that was ever in trouble."""
        self.page: Callable[[Trouble], None] = lambda trouble: None
        """Told of the beginning and the end of each: here a channel that needs no journal is wired."""
        self.page_waiting: Callable[[Waiting], None] = lambda waiting: None
        """Told of each P1 that waits."""
        self._desk = desk
        self._live = live
        self._clock = clock
        self._metrics = metrics
        self._waiting: set[tuple[str, str, str, int]] = set()
        self._log = structlog.get_logger("hub.troubles")
        for part in (JOURNAL, TELEMETRY, REGISTRY):
            metrics.trouble_since.labels(part).set(0)

    def tell(self, part: str, why: str | None) -> None:
        """A part's state as it is now: its trouble in words, or None. Only a change of it is told."""
        known = self.standing.get(part)
        if why is None:
            if known is not None:
                del self.standing[part]
                self._say(msgspec.structs.replace(known, over_ms=self._clock.now_ms()))
            return
        now = Trouble(part, why, self._clock.now_ms() if known is None else known.since_ms)
        self.standing[part] = now
        self.known.add(part)
        if known is None:
            self._say(now)

    def _say(self, trouble: Trouble) -> None:
        if trouble.part == JOURNAL and trouble.over_ms is not None:
            self._waiting.clear()
        self._metrics.trouble_since.labels(trouble.part).set(0 if trouble.over_ms else trouble.since_ms / 1000)
        self._live.tell("trouble", EVERYBODY, json_of(trouble).decode())
        self.page(trouble)

    def hold(self, inputs: Iterable[Input]) -> None:
        """These could not be committed: each P1 among them that is new is told to the operators of its area."""
        why = self.standing[JOURNAL].why if JOURNAL in self.standing else "the journal takes nothing"
        for one in inputs:
            if not isinstance(one, Recorded) or one.event.priority > Priority.P1:
                continue
            key = (one.area, one.gateway, one.instance, one.event.seq)
            known = key in self._waiting or self._desk.seen(*key)
            if known or one.event.qualifier is not Qualifier.NEW or len(self._waiting) >= WAITING_MAX:
                continue
            self._waiting.add(key)
            event = one.event
            said = (one.area, one.gateway, event.premises, event.zone, event.kind.value, one.age_ms)
            told = Waiting(*said, self._clock.now_ms(), why)
            words = {name: getattr(told, name) for name in ("area", "gateway", "premises", "kind", "why")}
            self._log.warning("a P1 waits: the hub cannot write", **words)
            self._live.tell("waiting", one.area, json_of(told).decode())
            self.page_waiting(told)
