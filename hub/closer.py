"""Closes the holes of both lanes that their gateways can no longer fill, as `hub.core.closing` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from hub.clerk import Clerk
from hub.clock import HubClock
from hub.core.closing import REASON, Close, Closing
from hub.core.desk import Desk
from hub.core.io import Gapped
from hub.core.ledger import Book
from hub.inbox import Item
from hub.recorder import Delivery, Recorder
from hub.store.port import Loss, StoreError, TelemetryStore
from protocol.messages import Session
from protocol.records import Lane


class Closer:
    """Hears the live sessions. What it closes goes the way of everything else: inbox, commit, effects."""

    def __init__(self, desk: Desk, clerk: Clerk, store: TelemetryStore, recorder: Recorder, clock: HubClock) -> None:
        self._desk = desk
        self._clerk = clerk
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._closing = Closing()
        self._said: dict[tuple[str, str], Session] = {}
        self._wake = asyncio.Event()
        self._log = structlog.get_logger("hub.closer")

    def spoke(self, area: str, gateway: str, instance: str) -> None:
        """A process of a gateway said something just now."""
        self._closing.heard(area, gateway, instance)

    def beat(self, area: str, gateway: str, session: Session) -> None:
        """A gateway's session was heard just now; of each gateway only the newest waits."""
        self._said[area, gateway] = session
        self._wake.set()

    async def run(self) -> None:
        """Close what may be closed, for ever."""
        while True:
            while not self._said:
                self._wake.clear()
                await self._wake.wait()
            area, gateway = next(iter(self._said))
            session = self._said.pop((area, gateway))
            self.alarms(area, gateway, session)
            await self._telemetry(area, gateway, session)

    def alarms(self, area: str, gateway: str, session: Session) -> None:
        """Through the desk and the journal: somebody must look. What finds no room is closed by a later session."""
        books = self._desk.books(area, gateway) if self._desk.tally([area]).open else []
        for one in self._closing.session(area, gateway, Lane.ALARM, session, books):
            self._say(area, gateway, Lane.ALARM, one)
            taken = Gapped(area, gateway, one.instance, one.first, one.last, REASON, one.boot, by_hub=True)
            mono_ms = asyncio.get_running_loop().time() * 1000
            self._clerk.inbox.put(Item(taken, self._clock.now_ms(), mono_ms))

    async def _telemetry(self, area: str, gateway: str, session: Session) -> None:
        try:
            some = self._store.tally.open
            books = await self._recorder.call(self._store.books, area, gateway) if some else []
        except StoreError:
            return  # the recorder tells the trouble; a later session closes
        self.readings(area, gateway, session, books)

    def readings(self, area: str, gateway: str, session: Session, books: Sequence[Book]) -> None:
        """Through the telemetry store, whose `books` of the gateway these are."""
        for one in self._closing.session(area, gateway, Lane.TELEMETRY, session, books):
            self._say(area, gateway, Lane.TELEMETRY, one)
            source = (area, gateway, one.instance)
            loss = Loss(source, one.first, one.last, REASON, self._clock.now_ms(), by_hub=True)
            self._recorder.put(Delivery(source, one.boot or 0, [], losses=[loss]))

    def _say(self, area: str, gateway: str, lane: Lane, one: Close) -> None:
        words = {"area": area, "gateway": gateway, "lane": lane.value, "instance": one.instance}
        self._log.warning("records are lost", first=one.first, last=one.last, why=REASON, **words)
