"""The hub's notices in the week: its real notifier and queues, and an SMS gateway that takes most of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from hub.announcing import Announcer
from hub.core.desk import Desk
from hub.core.effects import Changed, Page
from hub.core.registry import Registry
from hub.metrics import Metrics
from hub.notify.board import Reads
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import Channel, Outcome, Posting, Refused, Sent, TryLater, Withheld
from hub.notify.notifier import Notifier
from hub.notify.outbox import Outbox
from hub.notify.people import People
from hub.notify.table import Channels, ChannelTable, routes_of
from hub.registry.contacts import Contact, ContactBook
from hub.rounds import Done
from simulators.world.loop import VirtualLoop

NAME = "sms"
LATER_SHARE, REFUSED_SHARE = 0.06, 0.02


class Simulated(ChannelTable):
    """A gateway that nobody runs."""

    kind: Literal["simulated"] = "simulated"

    @property
    def place(self) -> str:
        """Nowhere."""
        return "nowhere"

    def opened(self) -> Channel:
        """It is not opened: its answers are drawn."""
        raise AssertionError("a simulated channel is not opened")


class WeekNotices:
    """Everything that is told to people outside, in virtual time."""

    def __init__(
        self, loop: VirtualLoop, desk: Desk, registry: Registry, metrics: Metrics, start_ms: int, seed: str
    ) -> None:
        self._loop, self._start_ms = loop, start_ms
        self._rng = random.Random(f"{seed}/notices")
        table = Simulated(name=NAME, kind="simulated")
        people = People(registry, _book(registry), {NAME: table}, routes_of((), (table,)))
        self._metrics = NoticeMetrics(metrics.registry)
        self._numbers = 0
        reads = Reads(desk.incident, self._now_ms, self._number, None)
        self.outbox = Outbox(None)
        self.notifier = Notifier(people, {NAME: table}, Channels(), self.outbox, self._metrics, reads)
        self.notifier.board.news = self._news

    def _now_ms(self) -> int:
        return self._start_ms + self._loop.now_ms

    def _number(self) -> str:
        self._numbers += 1
        return f"n{self._numbers}"

    def _news(self, channel: str) -> None:
        self._loop.after(200, self._send)

    def _send(self) -> None:
        queue = self.notifier.board.queues[NAME]
        while (posting := queue.take(self._now_ms())) is not None:
            self._loop.after(self._rng.uniform(300, 2_500), self._came, posting)
        if (next_ms := queue.next_ms(self._now_ms())) is not None:
            self._loop.after(max(1, next_ms - self._now_ms()), self._send)

    def _came(self, posting: Posting) -> None:
        outcome = self._answer(posting)
        self._metrics.tries.labels(NAME, type(outcome).__name__.lower()).inc()
        self.notifier.came(posting, outcome, self._rng.random())
        self._metrics.waiting.labels(NAME).set(len(self.notifier.board.queues[NAME]))
        self._send()

    def _answer(self, posting: Posting) -> Outcome:
        if posting.drill:
            return Withheld()
        drawn = self._rng.random()
        if drawn < REFUSED_SHARE:
            return Refused("number barred")
        return TryLater(None, "busy") if drawn < REFUSED_SHARE + LATER_SHARE else Sent()


class WeekAnnouncer(Announcer):
    """The real one; the week's notices and its people hear of what changed."""

    desk: Desk
    notices: WeekNotices
    saw: Callable[[str, str], None]

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before."""
        super().changed(effect, done)
        incident = self.desk.incident(effect.area, effect.incident)
        if incident is not None:
            self.notices.notifier.changed(incident)
        self.saw(effect.area, effect.incident)

    def page(self, page: Page, done: Done) -> None:
        """Somebody is to be called."""
        super().page(page, done)
        self.notices.notifier.page(page, done.received_ms)


def _book(registry: Registry) -> ContactBook:
    """One contact for every place; the numbers are of nobody."""
    owners = [(area, one) for area, one in registry.premises] + [(area, one) for area, one in registry.stations]
    owners += [(area.id, centre) for area in registry.areas.values() for centre in (area.town, area.county)]
    return ContactBook(
        Contact(f"c-{at}", area, owner, "N. N.", f"+8613{at:09}") for at, (area, owner) in enumerate(owners)
    )
