"""One step at work: the tables it reads and writes, its time, and the effects it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from hub.core.defaults import Defaults
from hub.core.effects import Changed, Effect, Page, Rung
from hub.core.incident import Happening, Incident
from hub.core.registry import Registry
from hub.core.rules.base import Mark
from hub.core.state import Dossier, Tables
from hub.core.wiring import Wiring

HISTORY_MAX = 500
HISTORY_HEAD = 100
"""The history shown keeps its first lines and its newest; between, lines go and are counted (the journal has all)."""

RUNGS = (Rung.STATION, Rung.TOWN, Rung.COUNTY)


@dataclass(slots=True)
class Context:
    """Handed down through a step. `changed` is told once per incident, at the end.

    `replayed`: the journal has this input, so its origin was known when it was taken, whatever the registry says now.
    `presented` are the incidents an operator is asked to look at, `withheld` those that are kept back, by reason, and
    `happened` the alarms behind them, by rule: for the operators' load.
    """

    registry: Registry
    defaults: Defaults
    tables: Tables
    wiring: Wiring
    area: str
    at_ms: int
    effects: list[Effect] = field(default_factory=list)
    changes: dict[str, list[str]] = field(default_factory=dict)
    replayed: bool = False
    presented: list[str] = field(default_factory=list)
    withheld: dict[str, str] = field(default_factory=dict)
    happened: list[tuple[str, Mark]] = field(default_factory=list)

    def stranger(self, gateway: str, zone: str | None = None, premises: str | None = None) -> str | None:
        """Why what comes from there cannot be taken; None when it can."""
        return None if self.replayed else self.registry.fault(self.area, gateway, zone, premises)

    def incident(self, incident: str) -> Incident:
        """An incident that is known to be there."""
        found = self.tables.incidents.get((self.area, incident))
        assert found is not None, incident
        return found

    def dossier(self, incident: str) -> Dossier:
        """Its dossier."""
        found = self.tables.dossiers.get((self.area, incident))
        assert found is not None, incident
        return found

    def alter(self, incident: str, **fields: Any) -> Incident:
        """Change fields of an incident as it is shown."""
        now = replace(self.incident(incident), **fields)
        self.tables.incidents.put((self.area, incident), now)
        return now

    def file(self, incident: str, **fields: Any) -> None:
        """Change fields of its dossier."""
        self.tables.dossiers.put((self.area, incident), replace(self.dossier(incident), **fields))

    def note(self, incident: str, what: str, **fields: Any) -> None:
        """Add a line to its history, and tell that it changed."""
        now = self.incident(incident)
        history, dropped = [*now.history, Happening(self.at_ms, what, **fields)], now.dropped
        if len(history) > HISTORY_MAX:
            del history[HISTORY_HEAD]
            dropped += 1
        self.alter(incident, history=history, dropped=dropped)
        self.changes.setdefault(incident, []).append(what)

    def flag(self, incident: str, condition: str, on: bool = True) -> None:
        """Set or clear one of its named conditions."""
        now = self.incident(incident)
        if on != (condition in now.conditions):
            conditions = {*now.conditions, condition} if on else {*now.conditions} - {condition}
            self.alter(incident, conditions=sorted(conditions))

    def page(self, incident: str, why: str, *rungs: Rung, premises: tuple[str, ...] = ()) -> None:
        """Tell operators: the rungs named, or every rung the incident has reached; of a group's `premises` alone. What
        is withheld pages nobody, whoever asks."""
        shown = self.incident(incident)
        if shown.withheld is not None:
            self.note(incident, "not paged", why=f"{shown.withheld}: {why}")
            return
        reached = RUNGS[: RUNGS.index(shown.rung) + 1]
        self.effects += [Page(self.area, incident, rung, why, premises) for rung in rungs or reached]
        self.note(incident, "paged", why=why)

    def hush(self, incident: str, why: str) -> None:
        """Take back what this step was to page of an incident: another incident pages for it."""
        self.presented[:] = [one for one in self.presented if one != incident]
        told = [e for e in self.effects if not (isinstance(e, Page) and e.incident == incident)]
        if len(told) < len(self.effects):
            self.effects[:] = told
            self.note(incident, "not paged", why=why)

    def done(self) -> list[Effect]:
        """The effects in order, each changed incident told once."""
        told = [Changed(self.area, incident, what[-1]) for incident, what in self.changes.items()]
        return [*self.effects, *told]
