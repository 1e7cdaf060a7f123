"""What was committed, told on the live stream and to people outside; and how postings fare, to control rooms."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec
import structlog

from hub.announcing import Announcer
from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.effects import Changed, Page
from hub.live import EVERYBODY, LiveStream
from hub.metrics import Metrics
from hub.notify.board import Reads
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import Channel, Posting, State
from hub.notify.notifier import Notifier
from hub.notify.outbox import NAME, Outbox, opened
from hub.notify.people import People
from hub.notify.sending import Sending
from hub.notify.table import ChannelTable, routes_of
from hub.plain import json_of
from hub.proofs import Proofs
from hub.registry import Loaded
from hub.rounds import Done
from hub.settings import Settings
from protocol.faults import Fault, Refused

AnswerLink = Callable[[str, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Telling:
    """Everything that tells people outside."""

    notifier: Notifier
    outbox: Outbox
    sending: Sending
    tables: dict[str, ChannelTable]
    people: People

    def resume(self, pages: Iterable[tuple[int, Page]]) -> None:
        """Go on from what is on disk. Not to know it must not keep alarms from being taken."""
        try:
            self.notifier.resume(pages)
        except (sqlite3.Error, msgspec.MsgspecError) as cause:
            structlog.get_logger("hub.notices").error("what came of notices cannot be read", why=str(cause))


def telling(
    stack: ExitStack,
    settings: Settings,
    loaded: Loaded,
    desk: Desk,
    clock: HubClock,
    live: LiveStream,
    metrics: Metrics,
    proofs: Proofs,
    answer_link: AnswerLink | None = None,
) -> Telling:
    """Open the channels and the outbox. Raises Refused with every fault of every channel."""
    people, channels = usable(settings, loaded)
    tables = {table.name: table for table in settings.channel}
    outbox = opened(settings.hub.data_dir / NAME)
    stack.callback(outbox.close)
    counted = NoticeMetrics(metrics.registry)
    reads = Reads(desk.incident, clock.now_ms, lambda: secrets.token_hex(12), answer_link)
    notifier = Notifier(people, tables, settings.channels, outbox, counted, reads)

    def told(posting: Posting) -> None:
        if posting.state is State.WAITING and not posting.tries:
            return  # it is only about to leave
        if not proofs.told(posting):
            live.tell("notice", posting.area or EVERYBODY, json_of(posting).decode())

    notifier.board.told = told
    proofs.postings = notifier.board.of
    sending = Sending(notifier, tables, channels, counted, clock.now_ms)
    return Telling(notifier, outbox, sending, tables, people)


def usable(settings: Settings, loaded: Loaded) -> tuple[People, dict[str, Channel]]:
    """Who is told, and the channels opened. Raises Refused with every fault."""
    people, faults = people_of(settings, loaded)
    channels = {}
    for name, table in ((table.name, table) for table in settings.channel):
        try:
            channels[name] = table.opened()
        except Refused as refused:
            faults += refused.faults
    if faults:
        raise Refused(faults)
    return people, channels


def people_of(settings: Settings, loaded: Loaded) -> tuple[People, list[Fault]]:
    """Who is told by this registry, and every route that leads to what it has not."""
    tables = {table.name: table for table in settings.channel}
    people = People(loaded.registry, loaded.contacts, tables, routes_of(settings.route, settings.channel))
    faults = [Fault("hub", "route.to", name, "a contact of the registry") for name in people.strange()]
    for at, route in enumerate(settings.route):
        for area in sorted(set(route.areas) - {"*", *loaded.registry.areas}):
            faults.append(Fault("hub", f"route[{at}].areas", area, "'*', or an area of the registry"))
    return people, faults


class Teller(Announcer):
    """Tells the live stream first, then people."""

    notifier: Notifier | None = None

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before."""
        super().changed(effect, done)
        incident = self._desk.incident(effect.area, effect.incident)
        if incident is not None and self.notifier is not None:
            self.notifier.changed(incident)

    def page(self, page: Page, done: Done) -> None:
        """Somebody is to be called."""
        super().page(page, done)
        if self.notifier is not None:
            self.notifier.page(page, done.received_ms)
