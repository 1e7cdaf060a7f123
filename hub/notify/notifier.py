"""From pages, changes and troubles to postings: who is told, what came of it, and who must hear that it is over.

Synchronous and without I/O of its own: it runs in the hub's loop, after the commit, and never waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from msgspec.structs import replace

from hub.core.incident import UNRESOLVED, Incident
from hub.core.io import Page
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import TOLD, Notice, Outcome, Posting, Sort, State
from hub.notify.outbox import Outbox
from hub.notify.people import Address, People
from hub.notify.table import Channels, ChannelTable, Told
from hub.notify.texts import facts_of, written
from hub.notify.waiting import Waiting
from hub.troubles import JOURNAL, Trouble
from hub.troubles import Waiting as Held
from protocol.kinds import Priority

Key: TypeAlias = tuple[str, str]
"""(area, incident)."""
KEPT_MS = 90 * 24 * 3_600_000
"""How long the outbox remembers."""
LOADED_MS = 8 * 24 * 3_600_000
NOBODY = "nobody is registered, or no route leads there"
REPORTED = {State.SENT: 0, State.UNKNOWN: 1, State.FAILED: 2, State.DELIVERED: 3}
"""What a report may turn into what: only what says more. Who was reached was reached."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What the notifier reads of the hub. `answer_link` makes a neighbour's link for (area, incident, premises)."""

    incident: Callable[[str, str], Incident | None]
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    answer_link: Callable[[str, str, str], str | None] | None = None


class Notifier:
    """`queues` by channel; `news(channel)` is called when there is something to send, `told` with every posting that
    changed."""

    def __init__(
        self,
        people: People,
        channels: Mapping[str, ChannelTable],
        rules: Channels,
        outbox: Outbox,
        metrics: NoticeMetrics,
        reads: Reads,
    ) -> None:
        self.queues = {name: Waiting(channel, rules) for name, channel in channels.items()}
        self.news: Callable[[str], None] = lambda channel: None
        self.told: Callable[[Posting], None] = lambda posting: None
        self._channels = channels
        self._people = people
        self._rules = rules
        self._outbox = outbox
        self._metrics = metrics
        self._reads = reads
        self._of: dict[Key, dict[str, Posting]] = {}
        self._unreported: dict[str, Posting] = {}
        self._standing: set[str] = set()
        self._troubles: dict[str, dict[str, Posting]] = {}
        self._log = structlog.get_logger("hub.notices")

    # What is told.

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
        addresses = self._people.told(rung, page.area, incident.priority, places)
        if not addresses and self._people.leads(rung, page.area, incident.priority):
            self._nobody(incident, rung, ", ".join(places), page.why, at_ms)
        if rung is Told.GROUP:
            self._neighbours(incident, page.why)
            return
        for address in addresses:
            self._post(address, incident, Sort.PAGE, rung, page.why, at_ms)

    def changed(self, incident: Incident) -> None:
        """An incident is another: neighbours newly called are told, and who was told hears of its end."""
        if not self._channels:
            return
        if incident.state not in UNRESOLVED:
            self._over(incident)
        elif "cancelled" in incident.conditions:
            self._withdraw(incident, _at_home)
            self._stand_down([incident], _at_home)
        else:
            self._neighbours(incident, incident.why)

    def trouble(self, trouble: Trouble) -> None:
        """The hub's own: past the journal, to whoever looks after the hub."""
        now_ms, part = self._reads.now_ms(), trouble.part
        if trouble.over_ms is not None:
            self._standing.discard(part)
            for one in list(self._troubles.get(part, {}).values()):
                self._well(part, one)
            return
        self._standing.add(part)
        priority = Priority.P1 if part == JOURNAL else Priority.P3
        for address in self._people.hub(priority):
            why = f"{part}: {trouble.why}"
            self._put(self._posting(address, "", Sort.TROUBLE, Told.HUB, priority, why, now_ms))

    def _well(self, part: str, posting: Posting) -> None:
        """Who heard of a trouble that is over hears of that, once."""
        if posting.state is State.WAITING:
            self._recall(posting)
        elif self._troubles[part].pop(posting.id, None) is not None and posting.state in TOLD:
            address = Address(posting.channel, posting.area, posting.to, posting.of)
            over = (Sort.TROUBLE_OVER, Told.HUB, posting.priority, part, self._reads.now_ms())
            self._put(self._posting(address, "", *over))

    def held(self, held: Held) -> None:
        """A P1 that no journal has: its station is told past it."""
        stations = self._people.stations(held.area, [held.premises] if held.premises else [])
        for address in self._people.told(Told.STATION, held.area, Priority.P1, stations):
            why = f"{held.kind}: {held.premises or held.gateway}"
            self._put(self._posting(address, "", Sort.WAITING, Told.STATION, Priority.P1, why, held.at_ms))

    # What becomes of it.

    def notice(self, posting: Posting) -> Notice | None:
        """The words of a posting, as things are now; None when whom it is for has left the registry."""
        contact = None
        if not self._people.is_room(posting.channel):
            contact = self._people.contact(posting.area, posting.to, posting.of)
            if contact is None:
                return None
        incident = self._reads.incident(posting.area, posting.incident) if posting.incident else None
        near = self._rules.names and posting.rung in (Told.GROUP, Told.STATION)
        where, who = self._people.words(posting.area, incident, posting.of, near)
        link = self._reads.answer_link if posting.sort is Sort.PAGE and posting.rung == Told.GROUP else None
        answer = (link(posting.area, posting.incident, posting.of) or "") if link is not None else ""
        facts = facts_of(posting, incident, where, who, answer)
        title, text = written(facts, self._rules.language, self._rules.offset_min)
        return Notice(
            id=posting.key,
            to=posting.to,
            sort=posting.sort,
            priority=posting.priority,
            title=title,
            text=text,
            phone=contact.phone if contact is not None else "",
            name=contact.name if contact is not None else "",
            area=posting.area,
            incident=posting.incident,
            rung=posting.rung,
            at_ms=posting.at_ms,
            link=answer,
        )

    def came(self, posting: Posting, outcome: Outcome, chance: float) -> None:
        """What a try came to."""
        queue, now_ms = self.queues[posting.channel], self._reads.now_ms()
        now = queue.came(posting, outcome, now_ms, chance)
        if now is None:
            return
        if now.state is State.SENT:
            self._metrics.seconds.labels(now.channel).observe(max(0, now_ms - now.at_ms) / 1000)
        self._keep(now)
        incident = self._reads.incident(now.area, now.incident) if now.incident else None
        if incident is not None and now.sort is Sort.PAGE:
            self.changed(incident)  # it may have ended while this was on its way
        elif now.sort is Sort.TROUBLE and (part := now.why.partition(": ")[0]) not in self._standing:
            self._well(part, now)

    def reported(self, posting: Posting, state: State, why: str) -> Posting:
        """A delivery report. What says less than is known changes nothing."""
        known = self._of.get((posting.area, posting.incident), {}).get(posting.id, posting)
        if REPORTED.get(state, 0) <= REPORTED.get(known.state, 0):
            return known
        if known.channel in self.queues:
            self.queues[known.channel].end(known.id)
        now = replace(known, state=state, changed_ms=self._reads.now_ms(), detail=why)
        self._keep(now)
        return now

    def overdue(self) -> None:
        """What was sent and nobody reports on is unknown; what the desk has forgotten is forgotten."""
        now_ms = self._reads.now_ms()
        for one in list(self._unreported.values()):
            wait_s = self._channels[one.channel].reports_s
            if wait_s is not None and now_ms - one.changed_ms >= wait_s * 1_000:
                self._keep(replace(one, state=State.UNKNOWN, changed_ms=now_ms, detail="no delivery report"))
        for key in [key for key in self._of if self._reads.incident(*key) is None]:
            del self._of[key]

    # A start.

    def resume(self, pages: Iterable[tuple[int, Page]]) -> None:
        """What is on disk: what waits goes on, pages of the journal that nobody took up are told, ends are told."""
        now_ms = self._reads.now_ms()
        if not self._channels:
            return
        postings, taken = self._outbox.since(now_ms - LOADED_MS)
        for one in postings:
            if one.incident:
                _remember(self._of.setdefault((one.area, one.incident), {}), one)
            if one.state is State.WAITING:
                self._again(one)
            elif one.channel in self._channels:
                self.queues[one.channel].remember(one)
                if one.state is State.SENT and self._channels[one.channel].reports_s is not None:
                    self._unreported[one.id] = one
        for at_ms, page in pages:
            if key_of(page, at_ms) not in taken:
                self._late(page, at_ms, now_ms)
        for key in list(self._of):
            incident = self._reads.incident(*key)
            if incident is not None:
                self.changed(incident)

    def _again(self, posting: Posting) -> None:
        incident = self._reads.incident(posting.area, posting.incident) if posting.incident else None
        over = incident is None or incident.state not in UNRESOLVED
        if posting.channel not in self._channels:
            self._keep(self._ended(posting, State.FAILED, "no such channel any more"))
        elif over and posting.sort is not Sort.STAND_DOWN:
            self._keep(self._ended(posting, State.WITHDRAWN, "over before it left"))
        else:
            self._put(posting)

    def _late(self, page: Page, at_ms: int, now_ms: int) -> None:
        """A page that was committed, and perhaps never told."""
        incident = self._reads.incident(page.area, page.incident)
        if incident is None or incident.state not in UNRESOLVED:
            self._outbox.took(key_of(page, at_ms), at_ms)
        elif now_ms - at_ms > self._rules.give_up_s[incident.priority - 1] * 1_000:
            self._outbox.took(key_of(page, at_ms), at_ms)
            self._nobody(incident, Told(page.rung.value), "", page.why, at_ms, "too late: the hub was down")
        else:
            self.page(page, at_ms)

    # How.

    def _neighbours(self, incident: Incident, why: str) -> None:
        """Everybody of the premises that were called, each once."""
        if incident.silent or not incident.calls:
            return
        told = {
            (one.channel, one.to)
            for one in self._of.get((incident.area, incident.id), {}).values()
            if one.rung == Told.GROUP and one.sort is Sort.PAGE
        }
        for address in self._people.told(Told.GROUP, incident.area, incident.priority, incident.calls):
            if (address.channel, address.to) not in told:
                self._post(address, incident, Sort.PAGE, Told.GROUP, why, self._reads.now_ms())

    def _over(self, incident: Incident) -> None:
        parent = self._reads.incident(incident.area, incident.parent) if incident.parent else None
        if parent is not None and parent.state in UNRESOLVED:
            return  # it leaves the end to its parent
        found = [self._reads.incident(incident.area, child) for child in incident.children]
        family = [incident, *(child for child in found if child is not None and child.state not in UNRESOLVED)]
        for one in family:
            self._withdraw(one, lambda posting: True)
        self._stand_down(family, lambda posting: True)

    def _withdraw(self, incident: Incident, which: Callable[[Posting], bool]) -> None:
        for one in list(self._of.get((incident.area, incident.id), {}).values()):
            if one.state is State.WAITING and one.sort is Sort.PAGE and which(one):
                self._recall(one)

    def _recall(self, posting: Posting) -> None:
        """What has not left yet does not leave."""
        queue = self.queues[posting.channel]
        if queue.is_here(posting.id):
            queue.end(posting.id)
            self._keep(self._ended(posting, State.WITHDRAWN, "over before it left"))

    def _stand_down(self, family: list[Incident], which: Callable[[Posting], bool]) -> None:
        """Everyone who was told hears that it is over, over the same channel, once."""
        told: dict[Key, Posting] = {}
        ended: dict[Key, int] = {}
        for incident in family:
            for one in self._of.get((incident.area, incident.id), {}).values():
                who = (one.channel, one.to)
                if one.sort is Sort.STAND_DOWN:
                    ended[who] = max(ended.get(who, 0), one.at_ms)
                elif one.state in TOLD and which(one):
                    told[who] = max(told.get(who, one), one, key=lambda posting: posting.at_ms)
        first = family[0]
        for who, one in told.items():
            if who not in ended or ended[who] < one.at_ms:
                address = Address(one.channel, one.area, one.to, one.of)
                self._post(address, first, Sort.STAND_DOWN, Told(one.rung), first.rule, self._reads.now_ms())

    def _post(self, to: Address, incident: Incident, sort: Sort, rung: Told, why: str, at_ms: int) -> None:
        posting = self._posting(to, incident.id, sort, rung, incident.priority, why, at_ms, incident.presses)
        if incident.drill:
            self._keep(self._ended(posting, State.DRILL, "a drill: nothing leaves"))
        else:
            self._put(posting)

    def _posting(
        self,
        to: Address,
        incident: str,
        sort: Sort,
        rung: Told,
        priority: Priority,
        why: str,
        at_ms: int,
        presses: int = 0,
    ) -> Posting:
        return Posting(
            id=self._reads.new_id(),
            area=to.area,
            incident=incident,
            sort=sort,
            rung=rung.value,
            channel=to.channel,
            to=to.to,
            of=to.of,
            priority=priority,
            why=why,
            at_ms=at_ms,
            changed_ms=self._reads.now_ms(),
            presses=presses,
        )

    def _put(self, posting: Posting) -> None:
        for changed in self.queues[posting.channel].put(posting, self._reads.now_ms()):
            self._keep(changed)
        self.news(posting.channel)

    def _nobody(self, incident: Incident, rung: Told, places: str, why: str, at_ms: int, detail: str = NOBODY) -> None:
        """That nobody is told is itself something to be told."""
        posting = self._posting(
            Address("", incident.area, "", places), incident.id, Sort.PAGE, rung, incident.priority, why, at_ms
        )
        self._keep(self._ended(posting, State.FAILED, detail))

    def _ended(self, posting: Posting, state: State, detail: str) -> Posting:
        return replace(posting, state=state, detail=detail, changed_ms=self._reads.now_ms())

    def _keep(self, posting: Posting) -> None:
        """Remember how a posting fares, and say it."""
        if posting.incident:
            _remember(self._of.setdefault((posting.area, posting.incident), {}), posting)
        elif posting.sort is Sort.TROUBLE:
            self._troubles.setdefault(posting.why.partition(": ")[0], {})[posting.id] = posting
        self._unreported.pop(posting.id, None)
        if posting.state is State.SENT and self._channels[posting.channel].reports_s is not None:
            self._unreported[posting.id] = posting
        if posting.state is not State.WAITING:
            self._metrics.notices.labels(posting.channel, posting.state.value).inc()
        if posting.state in (State.FAILED, State.DROPPED):
            words = {name: getattr(posting, name) for name in ("area", "incident", "rung", "channel", "to", "detail")}
            self._log.warning("nobody was told", sort=posting.sort.value, **words)
        self._outbox.keep(posting)
        self.told(posting)


def _at_home(posting: Posting) -> bool:
    return posting.rung == Told.GROUP


def _remember(known: dict[str, Posting], posting: Posting) -> None:
    """Of each recipient the last that reached them is enough: a button that hangs pages for hours."""
    known[posting.id] = posting
    if posting.sort is Sort.PAGE and posting.state in TOLD:
        who = (posting.rung, posting.channel, posting.to)
        older = [
            one.id
            for one in known.values()
            if one.id != posting.id
            and one.sort is Sort.PAGE
            and one.state in TOLD
            and (one.rung, one.channel, one.to) == who
            and one.at_ms <= posting.at_ms
        ]
        for one in older:
            del known[one]


def key_of(page: Page, at_ms: int) -> str:
    """What a page of the journal is known by."""
    why = hashlib.sha256(page.why.encode()).hexdigest()[:12]
    return f"{at_ms}/{page.area}/{page.incident}/{page.rung}/{why}"
