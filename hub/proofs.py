"""Sees the notice of each gateway's proof through to where it is stopped, and hands the desk what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.effects import Page
from hub.core.incident import Incident
from hub.core.rules.proof import NAME
from hub.core.trials import Proved
from hub.inbox import Item
from hub.notify.notice import Posting, State
from hub.rounds import Done, Rounds

Key = tuple[str, str]
"""(area, incident)."""


class Proofs:
    """`postings` are those of an incident; a hub without channels has none, and a proof ends with its page."""

    def __init__(self, desk: Desk, rounds: Rounds, clock: HubClock) -> None:
        self._desk, self._rounds, self._clock = desk, rounds, clock
        self._under_way: dict[Key, tuple[int | None, float]] = {}
        self.postings: Callable[[Incident], Iterable[Posting]] = lambda incident: ()
        self._log = structlog.get_logger("hub.proofs")

    def paged(self, page: Page, done: Done) -> None:
        """A page was handed to the channels; of a proof it is the last that is wanted."""
        if self._of(page.area, page.incident) is not None:
            self._under_way[page.area, page.incident] = (round(done.handling_ms), self._clock.exact_ms())
            self._look(page.area, page.incident)

    def told(self, posting: Posting) -> bool:
        """A posting fares thus; says whether it is of a proof, and so nobody's news."""
        if not posting.drill or self._of(posting.area, posting.incident) is None:
            return False
        self._look(posting.area, posting.incident)
        return True

    def resume(self) -> None:
        """A start: what was under way, and ended while nobody looked."""
        for incident in self._desk.incidents():
            if incident.rule == NAME:
                self._under_way[incident.area, incident.id] = (None, 0.0)
                self._look(incident.area, incident.id)

    def _of(self, area: str, incident: str) -> Incident | None:
        found = self._desk.incident(area, incident)
        return found if found is not None and found.rule == NAME else None

    def _look(self, area: str, incident: str) -> None:
        found, began = self._of(area, incident), self._under_way.get((area, incident))
        if found is None or began is None:
            return
        postings = list(self.postings(found))
        if any(one.state is State.WAITING for one in postings):
            return
        (commit_ms, began_ms), now_ms = began, self._clock.exact_ms()
        reached = sum(one.state is State.DRILL for one in postings)
        failed = sorted({_words(one) for one in postings if one.state is not State.DRILL})
        notice_ms = None if commit_ms is None else round(now_ms - began_ms)
        taken = Proved(area, incident, reached, "; ".join(failed)[:500], commit_ms, notice_ms)
        if self._rounds.inbox.put(Item(taken, self._clock.now_ms(), now_ms)):
            del self._under_way[area, incident]
        if failed:
            self._log.warning("a proof's notice failed", area=area, gateways=found.gateways, why=failed)


def _words(posting: Posting) -> str:
    where = f"{posting.channel}: " if posting.channel else ""
    return f"{where}{posting.detail or posting.state.value}"
