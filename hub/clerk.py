"""The clerk carries inputs to the desk, has the journal commit them, and only then lets anything be done.

One writer and group commit: whatever waits goes into one transaction, written in a thread of its own, as far as it can
be stepped without holding up the loop. When the transaction fails the desk forgets the batch, nothing is performed, no
receipt leaves, and the batch waits in front for the next attempt, with whatever more urgent came meanwhile before it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from hub.clock import HubClock
from hub.core.clocks import Evidence
from hub.core.desk import Desk
from hub.core.io import Conflicted, Due, Effect, Gapped, Input, NotAllowed, Recorded
from hub.inbox import Inbox, Item
from hub.journal import Draft, Journal, JournalError
from hub.metrics import Metrics

BACKOFF_MS_FIRST = 50
BACKOFF_MS_MAX = 5_000
STEP_MS_MAX = 10.0
"""How long one batch may be stepped; what is left goes first in the next, after a press that came meanwhile."""
DIGESTS_MAX = 100_000
"""Records whose bytes are remembered, to tell a resend from a conflict; an older one resent counts as a resend."""


class StoreDown(Exception):
    """The journal cannot be written just now; nothing was changed."""


class Overloaded(Exception):
    """The desk's inbox is full; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Done:
    """One committed input with what is to be done for it. Times: hub wall ms, and ms from arrival to commit."""

    taken: Input
    effects: tuple[Effect, ...]
    effective: bool
    received_ms: int
    committed_ms: int
    handling_ms: float


@dataclass(slots=True)
class _Batch:
    drafts: list[Draft] = field(default_factory=list)
    stepped: list[tuple[Item, Input, tuple[Effect, ...], bool]] = field(default_factory=list)
    digests: dict[tuple[str, str, str, int], bytes] = field(default_factory=dict)
    refused: list[tuple[Item, NotAllowed]] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)


class Clerk:
    """The one task that steps the desk. `perform` is told of every batch after its commit, `hold` of every failure,
    `trouble` of why the journal takes nothing, and None once it does again."""

    def __init__(
        self, desk: Desk, journal: Journal, clock: HubClock, metrics: Metrics, *, batch_max: int = 256
    ) -> None:
        self.inbox = Inbox()
        self.down: str | None = None
        self.perform: Callable[[list[Done]], None] = lambda done: None
        self.hold: Callable[[Iterable[Input]], None] = lambda inputs: None
        self.trouble: Callable[[str | None], None] = lambda why: None
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._desk = desk
        self._journal = journal
        self._clock = clock
        self._metrics = metrics
        self._batch_max = batch_max
        self._digests: OrderedDict[tuple[str, str, str, int], bytes] = OrderedDict()
        self._set_aside: set[tuple[str, str]] = set()
        self._log = structlog.get_logger("hub.clerk")

    def remember(self, digests: dict[tuple[str, str, str, int], bytes]) -> None:
        """Keep what committed records looked like (also filled when the desk is rebuilt)."""
        self._digests.update(digests)
        while len(self._digests) > DIGESTS_MAX:
            self._digests.popitem(last=False)

    def clock(self, area: str, gateway: str, kboot: str) -> Evidence:
        """What the desk knows of the time of a kernel boot."""
        return self._desk.clock(area, gateway, kboot)

    async def ask(self, item: Item) -> None:
        """Have a person's move taken; returns after its commit. Raises NotAllowed, StoreDown or Overloaded."""
        assert item.answer is not None
        if self.down is not None:
            raise StoreDown(self.down)
        if not self.inbox.put(item):
            raise Overloaded("more waits for the desk than it may")
        await item.answer

    async def run(self) -> None:
        """Take, commit, perform, for ever."""
        backoff_ms = BACKOFF_MS_FIRST
        while True:
            if self.down is None:
                await self.inbox.wait(self._until_due_s())
            if await self._round():
                backoff_ms = BACKOFF_MS_FIRST
                await asyncio.sleep(0)  # a round of mere duplicates waits for nothing, and others want their turn
            else:
                await asyncio.sleep(backoff_ms / 1000)
                backoff_ms = min(2 * backoff_ms, BACKOFF_MS_MAX)
            self._metrics.inbox_depth.labels("alarm").set(len(self.inbox))

    def _until_due_s(self) -> float | None:
        next_ms = self._desk.next_due_ms()
        if next_ms is None:
            return None
        # A deadline that was set aside stays due for ever; it must not keep the task spinning.
        return max(1.0 if self._set_aside else 0.0, (next_ms - self._clock.now_ms()) / 1000)

    def _due(self, now_ms: int) -> list[Due]:
        return [due for due in self._desk.due(now_ms) if (due.area, due.timer) not in self._set_aside]

    def _next(self) -> list[Item]:
        """What is stepped next: the urgent, deadlines, then as much of the rest as the batch holds."""
        now_ms, mono_ms = self._clock.now_ms(), _now_ms()
        urgent = self.inbox.take_urgent(self._batch_max)
        due = [Item(due, now_ms, mono_ms) for due in self._due(now_ms)[: self._batch_max]]
        return [*urgent, *due, *self.inbox.take_calm(self._batch_max - len(urgent))]

    async def _round(self) -> bool:
        """One batch; False when the journal did not take it."""
        items = self._next()
        if not items and self.down is None:
            return True
        batch = self._step(items)
        self._put_back(batch.left)
        began_ms = _now_ms()
        try:
            await self._write(batch.drafts)
        except JournalError as cause:
            self._desk.rollback()
            self._put_back(item for item, *_ in batch.stepped if item.answer is None)
            self._fail(batch, str(cause))
            return False
        self._desk.commit()
        if batch.drafts:
            self._metrics.commit_seconds.observe((_now_ms() - began_ms) / 1000)
        self._succeed(batch)
        return True

    def _put_back(self, items: Iterable[Item]) -> None:
        """Deadlines stay due by themselves."""
        self.inbox.back(item for item in items if not isinstance(item.taken, Due))

    async def _write(self, drafts: list[Draft]) -> None:
        """Into the journal, in its thread. While that is down, having nothing to write is no proof that it is well."""
        loop = asyncio.get_running_loop()
        if drafts:
            await loop.run_in_executor(self.writer, self._journal.append, drafts)
        elif self.down is not None:
            await loop.run_in_executor(self.writer, self._journal.probe)

    def _step(self, items: list[Item]) -> _Batch:
        """Step what there is time for; an input the desk chokes on is a bug of ours: it is set aside, loudly, and its
        neighbours go on."""
        while True:
            batch, began_ms = _Batch(), _now_ms()
            self._desk.begin()
            for at, item in enumerate(items):
                if at and _now_ms() - began_ms > STEP_MS_MAX:
                    batch.left = items[at:]
                    return batch
                try:
                    self._step_one(batch, item)
                except NotAllowed as cause:
                    batch.refused.append((item, cause))
                except Exception:
                    self._desk.rollback()
                    self._choke(item)
                    items = [other for other in items if other is not item]
                    break
            else:
                return batch

    def _step_one(self, batch: _Batch, item: Item) -> None:
        taken = self._judged(batch, item)
        effects = tuple(self._desk.step(taken, item.at_ms))
        effective = self._desk.verdict.effective
        batch.stepped.append((item, taken, effects, effective))
        if effective:
            aside = (item.note,) if item.note is not None else ()
            batch.drafts.append(Draft(taken.area, item.at_ms, taken, aside))

    def _judged(self, batch: _Batch, item: Item) -> Input:
        """The input, or a conflict when the record's identity is known with other bytes."""
        taken = item.taken
        if not isinstance(taken, Recorded):
            return taken
        key = (taken.area, taken.gateway, taken.instance, taken.event.seq)
        known = batch.digests.get(key) or self._digests.get(key)
        if known is None:
            batch.digests[key] = item.digest
        elif known != item.digest and self._desk.seen(*key):
            return Conflicted(
                taken.area, taken.gateway, taken.instance, taken.boot, taken.event, taken.age_ms, taken.kboot
            )
        return taken

    def _choke(self, item: Item) -> None:
        self._log.exception("set aside: the desk could not take this input", kind=type(item.taken).__name__)
        self._metrics.set_aside.inc()
        if isinstance(item.taken, Due):
            self._set_aside.add((item.taken.area, item.taken.timer))
        if item.answer is not None and not item.answer.done():
            item.answer.set_exception(StoreDown("the desk could not take this; it is logged"))

    def _fail(self, batch: _Batch, why: str) -> None:
        self._metrics.commit_failures.inc()
        if self.down is None:
            self._log.error("the journal takes nothing", why=why)
        self.down = why
        self.trouble(why)
        for item, _ in batch.refused:  # it was refused for what the batch had done, and the batch did not happen
            _answer(item, StoreDown(why))
        for item, *_ in batch.stepped:
            _answer(item, StoreDown(why))
        self.hold(item.taken for item, *_ in batch.stepped)

    def _succeed(self, batch: _Batch) -> None:
        if self.down is not None:
            self.down = None
            self.trouble(None)
            self._log.info("the journal takes entries again")
        self.remember(batch.digests)
        committed_ms, mono_ms = self._clock.now_ms(), _now_ms()
        self.perform(
            [
                Done(taken, effects, effective, item.at_ms, committed_ms, mono_ms - item.mono_ms)
                for item, taken, effects, effective in batch.stepped
            ]
        )
        for item, cause in batch.refused:
            _answer(item, cause)
        for item, *_ in batch.stepped:
            _answer(item, None)


def waiting_for(inputs: Iterable[Input]) -> dict[tuple[str, str], list[str]]:
    """The gateways that wait for a receipt for these, each with the instances it sent."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in inputs:
        if isinstance(one, Recorded | Conflicted | Gapped):
            instances = found.setdefault((one.area, one.gateway), [])
            if one.instance not in instances:
                instances.append(one.instance)
    return found


def _answer(item: Item, cause: Exception | None) -> None:
    if item.answer is None or item.answer.done():
        return
    if cause is None:
        item.answer.set_result(None)
    else:
        item.answer.set_exception(cause)


def _now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
