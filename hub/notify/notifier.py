"""From pages, changes and troubles to postings, and what came of them.

Synchronous and without I/O of its own: it runs in the hub's loop, after the commit, and never waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from hub.core.effects import Page
from hub.core.incident import UNRESOLVED, Incident
from hub.core.rules.proof import NAME as PROOF
from hub.notify.board import Board, Reads, part_of
from hub.notify.ending import Ending
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import Outcome, Posting, Sort, State
from hub.notify.outbox import Outbox
from hub.notify.people import Address, People
from hub.notify.table import Channels, ChannelTable, Told
from hub.notify.wording import Wording
from hub.troubles import JOURNAL, Trouble, Waiting
from protocol.kinds import Priority

LOADED_MS = 8 * 24 * 3_600_000
"""How far back a start reads the outbox: longer than anything waits, or an incident stays without its end."""
NOBODY = "nobody is registered for it"
REPORTED = {State.SENT: 0, State.UNKNOWN: 1, State.FAILED: 2, State.DELIVERED: 3}
"""What a report may turn into what: only what says more. Who was reached was reached."""


class Notifier:
    """Decides who is told; `board` has what it decided, `notice` the words for it."""

    def __init__(
        self,
        people: People,
        channels: Mapping[str, ChannelTable],
        rules: Channels,
        outbox: Outbox,
        metrics: NoticeMetrics,
        reads: Reads,
    ) -> None:
        self.board = Board(channels, rules, outbox, metrics, reads)
        self.notice = Wording(people, rules, reads).notice
        self._ending = Ending(self.board, reads)
        self._channels = channels
        self._people = people
        self._rules = rules
        self._outbox = outbox
        self._metrics = metrics
        self._reads = reads
        self._standing: set[str] = set()

    def page(self, page: Page, at_ms: int) -> None:
        """A page was committed that the desk asked for at `at_ms`."""
        if not self._channels:
            return
        self._outbox.took(key_of(page, at_ms), at_ms)
        incident = self._reads.incident(page.area, page.incident)
        if incident is None:
            return
        rung = Told(page.rung.value)
        places = self._people.places(incident, rung)
        priority = _priority(incident)
        addresses = self._people.told(rung, page.area, priority, places)
        if not addresses and self._people.leads(rung, page.area, priority):
            self._nobody(incident, rung, page.why, at_ms, f"{NOBODY}: {', '.join(places[:20])}")
        elif rung is Told.GROUP:
            self._neighbours(incident, page.why)
        else:
            for address in addresses:
                self.board.post(address, incident, Sort.PAGE, rung, page.why, at_ms)

    def changed(self, incident: Incident) -> None:
        """An incident is another: neighbours newly called are told, and who was told hears of its end."""
        if not self._channels:
            return
        if incident.state not in UNRESOLVED:
            self._ending.over(incident)
        elif "cancelled" in incident.conditions:
            self._ending.cancelled(incident)
        else:
            self._neighbours(incident, incident.why)

    def trouble(self, trouble: Trouble) -> None:
        """The hub's own: past the journal, to whoever looks after the hub."""
        if trouble.over_ms is not None:
            self._standing.discard(trouble.part)
            self._ending.well(trouble.part)
            return
        self._standing.add(trouble.part)
        priority = Priority.P1 if trouble.part == JOURNAL else Priority.P3
        for address in self._people.hub(priority):
            why = f"{trouble.part}: {trouble.why}"
            self.board.put(self.board.made(address, Sort.TROUBLE, Told.HUB, priority, why))

    def held(self, held: Waiting) -> None:
        """A P1 that no journal has: its station is told past it."""
        stations = self._people.stations(held.area, [held.premises] if held.premises else [])
        for address in self._people.told(Told.STATION, held.area, Priority.P1, stations):
            why = f"{held.kind}: {held.premises or held.gateway}"
            self.board.put(self.board.made(address, Sort.WAITING, Told.STATION, Priority.P1, why, held.at_ms))

    def came(self, posting: Posting, outcome: Outcome, chance: float) -> None:
        """What a try came to."""
        now_ms = self._reads.now_ms()
        now = self.board.queues[posting.channel].came(posting, outcome, now_ms, chance)
        if now is None:
            return
        if now.state is State.SENT:
            self._metrics.seconds.labels(now.channel).observe(max(0, now_ms - now.at_ms) / 1000)
        self.board.keep(now)
        incident = self._reads.incident(now.area, now.incident) if now.incident else None
        if incident is not None and now.sort is Sort.PAGE:
            self.changed(incident)  # it may have ended while this was on its way
        elif now.sort is Sort.TROUBLE and part_of(now) not in self._standing:
            self._ending.well(part_of(now))

    def reported(self, posting: Posting, state: State, why: str) -> Posting:
        """A delivery report. What says less than is known changes nothing."""
        known = self.board.incidents.get((posting.area, posting.incident), {}).get(posting.id, posting)
        if REPORTED.get(state, 0) <= REPORTED.get(known.state, 0):
            return known
        if known.channel in self.board.queues:
            self.board.queues[known.channel].end(known.id)
        return self.board.end(known, state, why)

    def overdue(self) -> None:
        """What was sent and nobody reports on is unknown; what the desk has forgotten is forgotten."""
        now_ms = self._reads.now_ms()
        for one in list(self.board.unreported.values()):
            wait_s = self._channels[one.channel].reports_s
            if wait_s is not None and now_ms - one.changed_ms >= wait_s * 1_000:
                self.board.end(one, State.UNKNOWN, "no delivery report")
        self.board.forget()

    def resume(self, pages: Iterable[tuple[int, Page]]) -> None:
        """A start: what waits goes on, pages of the journal that nobody took up are told, ends are told."""
        now_ms = self._reads.now_ms()
        if not self._channels:
            return
        postings, taken = self._outbox.since(now_ms - LOADED_MS)
        for one in postings:
            self.board.hang(one)
            if one.state is State.WAITING:
                self._again(one)
            elif one.state is State.SENT and one.channel in self._channels:
                self.board.queues[one.channel].remember(one)
        for at_ms, page in pages:
            if key_of(page, at_ms) not in taken:
                self._late(page, at_ms, now_ms)
        for key in list(self.board.incidents):
            incident = self._reads.incident(*key)
            if incident is not None:
                self.changed(incident)

    def _again(self, posting: Posting) -> None:
        incident = self._reads.incident(posting.area, posting.incident) if posting.incident else None
        over = incident is None or incident.state not in UNRESOLVED
        if posting.channel not in self._channels:
            self.board.end(posting, State.FAILED, "no such channel any more")
        elif over and posting.sort is not Sort.STAND_DOWN:
            self.board.end(posting, State.WITHDRAWN, "over before it left")
        else:
            self.board.put(posting)

    def _late(self, page: Page, at_ms: int, now_ms: int) -> None:
        """A page that was committed, and perhaps never told."""
        incident = self._reads.incident(page.area, page.incident)
        if incident is None or incident.state not in UNRESOLVED:
            self._outbox.took(key_of(page, at_ms), at_ms)
        elif now_ms - at_ms > self._rules.give_up_s[incident.priority - 1] * 1_000:
            self._outbox.took(key_of(page, at_ms), at_ms)
            self._nobody(incident, Told(page.rung.value), page.why, at_ms, "too late: the hub was down")
        else:
            self.page(page, at_ms)

    def _neighbours(self, incident: Incident, why: str) -> None:
        """Everybody of the premises that were called, each once."""
        if incident.silent or not incident.calls:
            return
        told = {
            (one.channel, one.to) for one in self.board.of(incident) if one.rung == Told.GROUP and one.sort is Sort.PAGE
        }
        for address in self._people.told(Told.GROUP, incident.area, incident.priority, incident.calls):
            if (address.channel, address.to) not in told:
                self.board.post(address, incident, Sort.PAGE, Told.GROUP, why)

    def _nobody(self, incident: Incident, rung: Told, why: str, at_ms: int, detail: str) -> None:
        """That nobody is told is itself something to be told."""
        nobody = Address("", incident.area, "", "")
        posting = self.board.made(nobody, Sort.PAGE, rung, incident.priority, why, at_ms, incident)
        self.board.end(posting, State.FAILED, detail)


def _priority(incident: Incident) -> Priority:
    """By which it is led: a proof goes the way of a P1."""
    return Priority.P1 if incident.rule == PROOF else incident.priority


def key_of(page: Page, at_ms: int) -> str:
    """What a page of the journal is known by."""
    why = hashlib.sha256(page.why.encode()).hexdigest()[:12]
    return f"{at_ms}/{page.area}/{page.incident}/{page.rung}/{why}"
