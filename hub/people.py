"""Persons as the journal calls them: an alias that only an erasable row ties to who it was."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from msgspec.structs import replace

from hub.core.incident import Incident
from hub.journal import Alias, Journal


class People:
    """Aliases by person and back, kept in memory and on disk."""

    def __init__(self, journal: Journal, writer: Executor) -> None:
        self._journal = journal
        self._writer = writer
        self._alias = journal.aliases()
        self._person = {alias: person for person, alias in self._alias.items()}
        self._making = asyncio.Lock()

    async def alias(self, person: str) -> str:
        """What the chain calls `person`; made and stored when first needed. Raises JournalError."""
        async with self._making:
            if (known := self._alias.get(person)) is not None:
                return known
            row = Alias(person)
            await asyncio.get_running_loop().run_in_executor(self._writer, self._journal.name, row)
            self._alias[person] = row.alias
            self._person[row.alias] = person
            return row.alias

    def person(self, alias: str | None) -> str | None:
        """Who that was; the alias itself once erased, or where it never was one (the system, a team)."""
        return alias if alias is None else self._person.get(alias, alias)

    def shown(self, incident: Incident) -> Incident:
        """The incident as it may be shown: persons by their ids."""
        return replace(
            incident,
            accepted_by=self.person(incident.accepted_by),
            assigned_to=self.person(incident.assigned_to),
            resolved_by=self.person(incident.resolved_by),
            responders={self.person(alias) or alias: stages for alias, stages in incident.responders.items()},
            history=[replace(line, by=self.person(line.by)) if line.by else line for line in incident.history],
        )
