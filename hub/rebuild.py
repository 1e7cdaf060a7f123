"""At the start: the desk as it was, folded again from the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from hub.chain import Broken, Entry, followed
from hub.core.desk import Desk
from hub.core.io import NotAllowed, Recorded
from hub.digests import Digests, digest_of, name_of
from hub.journal import input_of


@dataclass(slots=True)
class Rebuilt:
    """What the journal gave. `differing`: moves that are refused today; `left_out`: entries the desk could not take.

    `broken` is the first entry that does not follow in its chain; `last_ms` when the last entry was taken (hub wall).
    """

    entries: int = 0
    differing: int = 0
    left_out: int = 0
    last_ms: int = 0
    broken: Broken | None = None
    digests: Digests = field(default_factory=Digests)


class Entries(Protocol):
    """A journal, to be read from its beginning."""

    def entries(self) -> Iterator[Entry]:
        """Every entry in order. Raises JournalError."""


def rebuild(desk: Desk, journal: Entries) -> Rebuilt:
    """Fold every entry. Raises JournalError.

    A journal somebody tampered with, or a rule that changed, must not leave a village without its hub: what cannot be
    taken is left out, loudly, and the rest stands.
    """
    log = structlog.get_logger("hub.rebuild")
    found = Rebuilt()
    for entry, broken in followed(journal.entries()):
        if broken is not None and found.broken is None:
            found.broken = broken
            log.error("the journal's chain is broken", entry=str(broken))
        found.entries += 1
        found.last_ms = max(found.last_ms, entry.at_ms)
        desk.begin()
        try:
            _fold(desk, entry, found)
        except NotAllowed:
            found.differing += 1
        except Exception as cause:
            desk.rollback()
            found.left_out += 1
            log.error("left out: the desk cannot take this entry", n=entry.n, kind=entry.kind, why=repr(cause))
            continue
        desk.commit()
    words = {"entries": found.entries, "differing": found.differing, "left_out": found.left_out}
    log.info("rebuilt from the journal", **words)
    return found


def _fold(desk: Desk, entry: Entry, found: Rebuilt) -> None:
    taken = input_of(entry)
    desk.step(taken, entry.at_ms, replayed=True)
    if isinstance(taken, Recorded):
        found.digests.remember({name_of(taken): digest_of(taken.event)})
