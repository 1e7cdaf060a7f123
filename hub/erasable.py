"""What the chain must not hold in the clear: who somebody is, and what somebody wrote. Both can be erased.

The desk and the journal know persons by alias and texts by salted hash; only what is shown turns them back.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import Executor

from msgspec.structs import replace

from hub.core.incident import Happening, Incident
from hub.journal import Alias, Journal, Note

TEXTS_MAX = 10_000
"""Texts kept in memory; an older one is read from disk when its incident is."""


class Erasable:
    """Aliases and texts, in memory and on disk."""

    def __init__(self, journal: Journal, writer: Executor) -> None:
        self._journal = journal
        self._writer = writer
        self._alias = journal.aliases()
        self._person = {alias: person for person, alias in self._alias.items()}
        self._texts = OrderedDict(journal.newest_notes(TEXTS_MAX))
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

    def keep(self, note: Note) -> None:
        """Remember a text, for showing it; the journal stores it with the move it belongs to."""
        self._remember({note.hash: note.text})

    async def recall(self, incident: str) -> None:
        """Read the texts of one incident from disk. Raises JournalError."""
        found = await asyncio.get_running_loop().run_in_executor(self._writer, self._journal.notes, incident)
        self._remember(found)

    def _remember(self, texts: dict[str, str]) -> None:
        for digest, text in texts.items():
            self._texts[digest] = text
            self._texts.move_to_end(digest)
        while len(self._texts) > TEXTS_MAX:
            self._texts.popitem(last=False)

    def shown(self, incident: Incident) -> Incident:
        """The incident as it may be shown: persons by their ids, texts as written, where neither was erased."""
        return replace(
            incident,
            accepted_by=self.who(incident.accepted_by),
            assigned_to=self.who(incident.assigned_to),
            resolved_by=self.who(incident.resolved_by),
            cause=self.text(incident.cause) if incident.cause else incident.cause,
            responders={self.who(alias) or alias: stages for alias, stages in incident.responders.items()},
            answers={one: replace(said, by=self.who(said.by)) for one, said in incident.answers.items()},
            history=[self._line(line) for line in incident.history],
        )

    def words(self, text: str) -> str:
        """A sentence of the desk's, with persons by their ids."""
        return " ".join(self._person.get(word.rstrip(",;"), word) for word in text.split(" "))

    def _line(self, line: Happening) -> Happening:
        return replace(line, what=self.words(line.what), by=self.who(line.by), why=self.text(line.why))

    def who(self, alias: str | None) -> str | None:
        """The person of an alias, where that was not erased; what is no alias, as it is."""
        return alias if alias is None else self._person.get(alias, alias)

    def text(self, hash_or_words: str) -> str:
        """The text of a hash, where that was not erased; what is no hash, as it is."""
        return self._texts.get(hash_or_words, hash_or_words)
