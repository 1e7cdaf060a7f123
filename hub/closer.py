"""Closes the holes of both lanes that their gateways can no longer fill, as `hub.core.closing` decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from hub.clock import HubClock
from hub.core.closing import REASON, Close, Closing
from hub.core.heard import Gapped
from hub.core.ledger import Book
from hub.inbox import Item
from hub.intake import Delivery, Intake
from hub.rounds import Rounds
from hub.store.port import Loss
from protocol.messages import Session
from protocol.records import Lane


class Closer:
    """Hears the live sessions. What it closes goes the way of everything else: inbox, commit, effects.

    Whoever has the telemetry store takes each session that is `due` (`on_news` hears of it), and has it close `alarms`
    and `readings`.
    """

    def __init__(self, rounds: Rounds, intake: Intake, clock: HubClock) -> None:
        self.on_news: Callable[[], None] = lambda: None
        self._desk = rounds.desk
        self._rounds = rounds
        self._intake = intake
        self._clock = clock
        self._closing = Closing()
        self._said: dict[tuple[str, str], Session] = {}
        self._log = structlog.get_logger("hub.closer")

    def spoke(self, area: str, gateway: str, instance: str) -> None:
        """A process of a gateway said something just now."""
        self._closing.heard(area, gateway, instance)

    def beat(self, area: str, gateway: str, session: Session) -> None:
        """A gateway's session was heard just now; of each gateway only the newest waits."""
        self._said[area, gateway] = session
        self.on_news()

    def due(self) -> tuple[str, str, Session] | None:
        """The gateway (area, id) that waits longest, with its session; it waits no more."""
        if not self._said:
            return None
        area, gateway = next(iter(self._said))
        return area, gateway, self._said.pop((area, gateway))

    def alarms(self, area: str, gateway: str, session: Session) -> None:
        """Through the desk and the journal: somebody must look. What finds no room is closed by a later session."""
        books = self._desk.books(area, gateway) if self._desk.tally([area]).open else []
        for one in self._closing.session(area, gateway, Lane.ALARM, session, books):
            self._say(area, gateway, Lane.ALARM, one)
            taken = Gapped(area, gateway, one.instance, one.first, one.last, REASON, one.boot, by_hub=True)
            self._rounds.inbox.put(Item(taken, self._clock.now_ms(), self._clock.exact_ms()))

    def readings(self, area: str, gateway: str, session: Session, books: Sequence[Book]) -> None:
        """Through the telemetry store, whose `books` of the gateway these are."""
        for one in self._closing.session(area, gateway, Lane.TELEMETRY, session, books):
            self._say(area, gateway, Lane.TELEMETRY, one)
            source = (area, gateway, one.instance)
            loss = Loss(source, one.first, one.last, REASON, self._clock.now_ms(), by_hub=True)
            self._intake.put(Delivery(source, one.boot or 0, [], losses=[loss]))

    def _say(self, area: str, gateway: str, lane: Lane, one: Close) -> None:
        words = {"area": area, "gateway": gateway, "lane": lane.value, "instance": one.instance}
        self._log.warning("records are lost", first=one.first, last=one.last, why=REASON, **words)
