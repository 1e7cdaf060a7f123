"""The demo village's desk with a clock that jumps, and short words for what reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hub.core.acts import Move, Moved
from hub.core.desk import Desk
from hub.core.effects import Effect, Page, Send
from hub.core.heard import Linked, Recorded, Replied
from hub.core.incident import Incident, State
from hub.core.io import Input
from hub.core.registry import Registry
from hub.defaults import load_defaults
from hub.registry import load
from protocol.kinds import CODES, Kind, Qualifier
from protocol.messages import Action, Outcome, Result
from protocol.records import ClockQuality, Event, Stamp

AREA = "hengjie"
INSTANCE = "a" * 32
START_MS = 1_800_000_000_000
HENGJIE = Path(__file__).parents[2] / "firmware_configs" / "registry" / "hengjie.toml"
REGISTRY = load(HENGJIE).registry
DEFAULTS = load_defaults()
S, MIN, H = 1_000, 60_000, 3_600_000


class DeskAtWork:
    """Steps and commits one input at a time; times are ms from `start_ms`. Keeps what a journal would keep."""

    def __init__(self, registry: Registry = REGISTRY, start_ms: int = START_MS) -> None:
        self.registry = registry
        self.start_ms = start_ms
        self.desk = Desk(registry, DEFAULTS)
        self.now = 0
        self.journal: list[tuple[int, bytes]] = []
        self.effects: list[Effect] = []
        self._seq = 0

    def take(self, item: Input, at: int | None = None) -> list[Effect]:
        """One input, in a batch of its own; gives its effects and keeps them."""
        self.now = self.now if at is None else at
        self.desk.begin()
        try:
            effects = self.desk.step(item, self.start_ms + self.now)
        except BaseException:
            self.desk.rollback()
            raise
        self.desk.commit()
        if self.desk.verdict.effective:
            self.journal.append((self.start_ms + self.now, msgspec.json.encode(item)))
        self.effects += effects
        return effects

    def again(self) -> Desk:
        """Its journal, folded anew."""
        desk = Desk(self.registry, DEFAULTS)
        for at_ms, data in self.journal:
            desk.begin()
            desk.step(msgspec.json.decode(data, type=Input), at_ms, replayed=True)
            desk.commit()
        return desk

    def record(self, kind: Kind, where: str, event: int, at: int | None = None, **more: Any) -> Recorded:
        """A record of `kind` at a zone or premises that happened at `event` and arrives at `at` (default: then)."""
        zone = where if (AREA, where) in self.registry.zones else None
        premises = self.registry.zones[AREA, where].premises if zone else where
        gateway = self.registry.premises[AREA, premises].gateway
        self._seq += 1
        seq = more.pop("seq", self._seq)
        qualifier = more.pop("qualifier", Qualifier.NEW)
        age = more.pop("age_ms", (event if at is None else at) - event)
        stamp = more.pop("stamp", Stamp(0, self.start_ms + event, ClockQuality.UNSET))
        key = more.pop("key", f"{gateway}-1-{seq}")
        process = (more.pop("instance", INSTANCE), more.pop("boot", 1))
        kboot = more.pop("kboot", "")
        made = Event(seq, kind, qualifier, CODES[kind].priority, stamp, key, premises, zone, **more)
        return Recorded(AREA, gateway, *process, made, age, kboot)

    def happen(self, kind: Kind, where: str, event: int, at: int | None = None, **more: Any) -> list[Effect]:
        """Make such a record and take it."""
        return self.take(self.record(kind, where, event, at, **more), event if at is None else at)

    def press(self, premises: str, event: int, at: int | None = None, **more: Any) -> list[Effect]:
        """Somebody presses the panic button of a household."""
        return self.happen(Kind.PANIC, f"{premises}-panic", event, at, **more)

    def move(self, incident: Incident, move: Move, by: str = "op-1", **more: Any) -> list[Effect]:
        """Somebody moves an incident now."""
        return self.take(Moved(AREA, incident.id, move, by, **more))

    def link(self, gateway: str, up: bool, at: int, heard: int | None = None) -> list[Effect]:
        """A gateway is lost or heard again."""
        return self.take(Linked(AREA, gateway, up, self.start_ms + (at if heard is None else heard)), at)

    def reply(self, order: Send, outcome: Outcome = Outcome.DONE, at: int | None = None) -> list[Effect]:
        """The gateway answers an order for all its premises."""
        results = [Result(premises, outcome) for premises in order.premises]
        return self.take(Replied(AREA, order.gateway, order.order, results), at)

    def wait(self, until: int) -> list[Effect]:
        """Let every deadline up to `until` come at its time."""
        effects: list[Effect] = []
        while (due_ms := self.desk.next_due_ms()) is not None and due_ms <= self.start_ms + until:
            for due in self.desk.due(due_ms):
                effects += self.take(due, due_ms - self.start_ms)
        self.now = until
        return effects

    def only(self) -> Incident:
        """The one incident there is."""
        (incident,) = self.desk.incidents()
        return incident

    def now_of(self, incident: Incident) -> Incident:
        """The incident as it is by now."""
        found = self.desk.incident(AREA, incident.id)
        assert found is not None
        return found

    def open(self) -> list[Incident]:
        """Incidents nobody accepted yet, oldest event first."""
        found = self.desk.incidents(AREA, {State.REPORTED})
        return sorted(found, key=lambda incident: (incident.event_ms, incident.id))


def sends(effects: list[Effect], action: Action) -> list[Send]:
    """The orders of one action among effects."""
    return [effect for effect in effects if isinstance(effect, Send) and effect.action is action]


def pages(effects: list[Effect]) -> list[tuple[str, str]]:
    """(rung, why) of each page among effects."""
    return [(str(effect.rung), effect.why) for effect in effects if isinstance(effect, Page)]


def called(effects: list[Effect]) -> set[str]:
    """Every premises that a siren is ordered for."""
    return {premises for order in sends(effects, Action.SIREN) for premises in order.premises}


def everyone(*groups: str) -> set[str]:
    """The members of groups."""
    return {member for group in groups for member in REGISTRY.groups[AREA, group].members}
