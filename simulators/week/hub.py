"""The hub of the week: its real desk, workings, journal and measures in virtual time, and a telemetry store."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub import gauges
from hub.clock import HubClock
from hub.core.desk import RULES_VERSION, Desk
from hub.core.io import Input
from hub.core.registry import Registry
from hub.defaults import load_defaults
from hub.effects import Effects
from hub.erasable import Erasable
from hub.inbox import Item
from hub.intake import Intake, Write
from hub.journal import Journal
from hub.live import LiveStream
from hub.measures.point import Value
from hub.measuring import Measuring
from hub.metrics import Metrics
from hub.notify.notice import Posting, State
from hub.receipting import Receipting
from hub.rounds import Batch, Rounds
from hub.store.port import StoreError, TelemetryStore
from hub.troubles import JOURNAL, TELEMETRY, Troubles
from hub.workings import Workings
from protocol.link import Incoming
from protocol.records import Lane
from simulators.week.gateway import CONFIG
from simulators.week.telling import WeekAnnouncer, WeekNotices
from simulators.world.loop import NS_PER_MS, VirtualLoop

HUB = "hub-1"
KEY = "hub-key"
COMMIT_MS = (1.0, 12.0)
LINGER_MS = 500
DRAIN_POINTS = 4_000
"""The hub's own points go to the store in posts of about so many; in real time each snapshot is one."""


class WeekHub:
    """One hub's process. `store_down` is the story's: meanwhile the telemetry store takes nothing."""

    def __init__(
        self, loop: VirtualLoop, registry: Registry, store: TelemetryStore, start_ms: int, folder: Path, seed: str
    ) -> None:
        self.loop, self.store, self.store_down = loop, store, False
        self.rng = random.Random(f"{seed}/hub")
        self.metrics = Metrics()
        self.desk = Desk(registry, load_defaults())
        self.clock = HubClock(0, lambda: start_ms + loop.now_ms, lambda: loop.now_ms, lambda: loop.now_ns / NS_PER_MS)
        self.rounds = Rounds(self.desk, self.clock, self.metrics)
        self.intake = Intake(self.metrics)
        limits = load_defaults().credit
        self.receipting = Receipting(HUB, self.rounds, self.intake, self.clock, limits, self.metrics)
        self._journal = Journal(
            f"sqlite:///{folder / 'journal.db'}", config=self.desk.config_digest, rules=RULES_VERSION
        )
        self._writer = ThreadPoolExecutor(max_workers=1)
        self.saw: Callable[[str, str], None] = lambda area, incident: None
        live, erasable = LiveStream("week", self.metrics), Erasable(self._journal, self._writer)
        troubles = Troubles(self.desk, live, self.clock, self.metrics)
        self.rounds.trouble = partial(troubles.tell, JOURNAL)
        self.intake.trouble_told = partial(troubles.tell, TELEMETRY)
        told = WeekAnnouncer(self.desk, live, erasable, self.metrics)
        told.desk = self.desk
        told.saw = self._saw
        self.notices = told.notices = WeekNotices(loop, self.desk, registry, self.metrics, start_ms, seed)
        private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
        self.effects = Effects(told, self.receipting, self.metrics, KEY, private)
        inside = (self.rounds, self.intake, self.receipting, self.effects, self.metrics)
        self.inside = Workings(HUB, "a" * 32, self.desk, registry, self.clock, *inside)
        self.measuring = Measuring(
            told, HUB, self.desk, registry, self.inside.links, self.config, self.clock, self.metrics, self._allowed
        )
        board = self.notices.notifier.board
        self.inside.proofs.postings, board.told = board.of, self._noticed
        self.effects.announcer, self.intake.stored = self.measuring, self.measuring.stored
        self._busy = self._storing = False
        self._asked_ns: int | None = None
        self.rounds.inbox.on_news = lambda: self._ask(loop.now_ns)
        self.intake.on_news = self._store_next
        self.receipting.on_telemetry_due = self._tell_settled
        self.gateways: dict[tuple[str, str], Callable[[str, bytes], None]] = {}
        for lane_out in (self.receipting.alarm_out, self.receipting.telemetry_out):
            lane_out.on_news = self._publish
        self.inside.start()

    def close(self) -> None:
        """Its files."""
        self.notices.outbox.close()
        self._journal.close()
        self._writer.shutdown()

    def hear(self, message: Incoming) -> None:
        """A message of a gateway."""
        self.inside.downlink.heard(message)

    def take(self, moved: Input) -> None:
        """What somebody at a control room, or a neighbour on the phone, does."""
        assert self.rounds.inbox.put(Item(moved, self.clock.now_ms(), self.clock.exact_ms()))

    def look(self) -> None:
        """Who fell silent."""
        self.inside.ingest.look()

    async def snapshot(self) -> None:
        """As every ten seconds."""
        await self.measuring.snapshot(lag_ms=self.rng.uniform(0, 3))
        if len(self.measuring.queue) >= DRAIN_POINTS:
            self.drain()

    def drain(self) -> None:
        """Its own points to the store, as far as that takes them."""
        while not self.store_down and (some := self.measuring.queue.take()):
            self.store.put(some)

    def config(self, area: str, gateway: str) -> str:
        """What became of a gateway's configuration, by the digest it says that it runs."""
        birth = self.inside.links.known[area, gateway].birth
        return "waiting" if birth is None else "runs" if birth.config == CONFIG else "drifts"

    def _saw(self, area: str, incident: str) -> None:
        self.saw(area, incident)

    def _noticed(self, posting: Posting) -> None:
        if posting.state is not State.WAITING or posting.tries:
            self.inside.proofs.told(posting)

    def _allowed(self) -> dict[str, Value]:
        gauges.look(self.metrics, self.desk, self.store.tally, self.clock.now_ms())
        self.metrics.inbox_depth.labels(Lane.ALARM.value).set(len(self.rounds.inbox))
        return {f"credit_{lane.value}": credit for lane, credit in self.receipting.credits().items()}

    # The journal: one batch after the other

    def _ask(self, at_ns: int) -> None:
        if not self._busy and (self._asked_ns is None or at_ns < self._asked_ns):
            self._asked_ns = at_ns
            self.loop.at(at_ns, self._turn, at_ns)

    def _turn(self, asked_ns: int) -> None:
        if self._busy or asked_ns != self._asked_ns:
            return
        self._asked_ns = None
        batch = self.rounds.begin()
        if batch is not None:
            self._busy = True
            wait_ms = self.rng.uniform(*COMMIT_MS) if batch.drafts else 0.0
            self.loop.after(wait_ms, self._commit, batch, wait_ms)
        elif (due_ms := self.rounds.until_due_ms()) is not None:
            self._ask(self.loop.now_ns + int(max(due_ms, 1.0) * NS_PER_MS))

    def _commit(self, batch: Batch, took_ms: float) -> None:
        if batch.drafts:
            self._journal.append(batch.drafts)
            self.metrics.commit_seconds.observe(took_ms / 1000)
        self._busy = False
        self.rounds.committed(batch)
        self._ask(self.loop.now_ns)

    # The store: one write after the other

    def _store_next(self) -> None:
        """What comes within the moment is written together, as with a real server."""
        if not self._storing:
            self._storing = True
            self.loop.after(LINGER_MS, self._store_now)

    def _store_now(self) -> None:
        if (write := self.intake.take()) is None:
            self._storing = False
            return
        self._store(write)

    def _store(self, write: Write) -> None:
        try:
            if self.store_down:
                raise StoreError("the server does not answer")
            fresh = self.store.write(*write.batch)
        except StoreError as cause:
            self.loop.after(self.intake.failed(write, str(cause)), self._store, write)
            return
        self.metrics.store_seconds.observe(self.rng.uniform(*COMMIT_MS) / 1000)
        self.intake.written(write, fresh)
        self._store_now()

    def _tell_settled(self) -> None:
        while (due := self.receipting.telemetry_due()) is not None:
            self.receipting.settled(*due, None if self.store_down else self.store.marks(*due))

    def _publish(self) -> None:
        for out in (self.receipting.alarm_out, self.receipting.telemetry_out):
            while (said := out.take()) is not None:
                area, gateway = said.topic.split("/")[2:4]
                self.loop.after(self.rng.uniform(5, 30), self.gateways[area, gateway], said.topic, said.data)
