"""At the start: the desk as it was, folded again from the journal."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import structlog

from hub.clerk import DIGESTS_MAX
from hub.core.desk import Desk
from hub.core.io import NotAllowed, Recorded
from hub.ingest import digest_of
from hub.journal import Journal

BATCH = 500


@dataclass(slots=True)
class Rebuilt:
    """What the journal gave: entries, how many of them are refused today, and when the last was taken."""

    entries: int = 0
    differing: int = 0
    last_ms: int = 0
    digests: OrderedDict[tuple[str, str, str, int], bytes] = field(default_factory=OrderedDict)


def rebuild(desk: Desk, journal: Journal) -> Rebuilt:
    """Fold every entry. A move that today's rules refuse changes nothing and is counted. Raises JournalError."""
    found = Rebuilt()
    desk.begin()
    for at_ms, taken in journal.inputs():
        try:
            desk.step(taken, at_ms)
        except NotAllowed:
            found.differing += 1
        found.entries += 1
        found.last_ms = max(found.last_ms, at_ms)
        if isinstance(taken, Recorded):
            found.digests[taken.area, taken.gateway, taken.instance, taken.event.seq] = digest_of(taken.event)
            if len(found.digests) > DIGESTS_MAX:
                found.digests.popitem(last=False)
        if found.entries % BATCH == 0:
            desk.commit()
            desk.begin()
    desk.commit()
    log = structlog.get_logger("hub.rebuild")
    log.info("rebuilt from the journal", entries=found.entries, differing=found.differing)
    return found
