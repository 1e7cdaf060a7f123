"""The clerk's rounds without their clerk: what is stepped next, and what follows when its commit succeeds or fails.

Whatever waits goes into one batch, as far as there is time to step it. Until its commit nothing of it has happened:
when that fails the desk forgets the batch, nothing is performed, no receipt leaves, and it waits in front for the next
round, with whatever more urgent came meanwhile before it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog
from msgspec.structs import replace

from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.effects import Effect, Handed, Page
from hub.core.heard import Conflicted, Gapped, Recorded, Replied
from hub.core.io import Due, Input, NotAllowed
from hub.core.registry import Registry
from hub.digests import Digests, Name, name_of
from hub.inbox import Inbox, Item
from hub.journal import Draft
from hub.metrics import Metrics

BACKOFF_MS_FIRST = 50
BACKOFF_MS_MAX = 5_000
STEP_MS_MAX = 10.0
"""How long one batch may be stepped; what is left goes first in the next, after a press that came meanwhile."""
SET_ASIDE_LOOK_MS = 1_000.0
"""A deadline that was set aside stays due for ever; it must not keep the clerk spinning."""


class StoreDown(Exception):
    """The journal cannot be written just now; nothing was changed."""


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
class Batch:
    """What was stepped together: `drafts` are to be committed, of `stepped` each item, as what it was taken (a record
    may turn out to be a conflict), its effects, and whether it changed anything."""

    drafts: list[Draft] = field(default_factory=list)
    stepped: list[tuple[Item, Input, tuple[Effect, ...], bool]] = field(default_factory=list)
    digests: dict[Name, bytes] = field(default_factory=dict)
    refused: list[tuple[Item, NotAllowed]] = field(default_factory=list)
    left: list[Item] = field(default_factory=list)
    swap: Swap | None = None


@dataclass(frozen=True, slots=True)
class Swap:
    """Another registry, the inputs that say so, and what is done once they are committed: all of it in one batch."""

    registry: Registry
    items: list[Item]
    done: Callable[[], None]


class Rounds:
    """`begin` a batch, have it committed, then say `committed` or `failed`; one batch at a time.

    `perform` is told of every batch after its commit, `hold` of every failure, `trouble` of why the journal takes
    nothing, and None once it does again; so says `down`.
    """

    def __init__(
        self, desk: Desk, clock: HubClock, metrics: Metrics, digests: Digests | None = None, *, batch_max: int = 256
    ) -> None:
        self.desk = desk
        self.clock = clock
        self.metrics = metrics
        self.inbox = Inbox()
        self.digests = Digests() if digests is None else digests
        self.down: str | None = None
        self.perform: Callable[[list[Done]], None] = lambda done: None
        self.hold: Callable[[Iterable[Input]], None] = lambda inputs: None
        self.trouble: Callable[[str | None], None] = lambda why: None
        self._batch_max = batch_max
        self._backoff_ms = BACKOFF_MS_FIRST
        self._set_aside: set[tuple[str, str]] = set()
        self._swap: Swap | None = None
        self._log = structlog.get_logger("hub.clerk")

    def swap(self, swap: Swap) -> None:
        """Step this in the next round, by itself: its items hear what came of it."""
        assert self._swap is None, "one registry after the other"
        self._swap = swap
        self.inbox.on_news()

    def until_due_ms(self) -> float | None:
        """How long until a deadline is due, though no input comes; None when there is none."""
        if self._swap is not None:
            return 0.0
        next_ms = self.desk.next_due_ms()
        if next_ms is None:
            return None
        return max(SET_ASIDE_LOOK_MS if self._set_aside else 0.0, next_ms - self.clock.now_ms())

    def begin(self) -> Batch | None:
        """The next batch, stepped; None when there is none. While the journal is down also an empty one comes: to learn
        whether it takes anything."""
        if self._swap is not None:
            swap, self._swap = self._swap, None
            if (batch := self._swapping(swap)) is not None:
                return batch
        items = self._next()
        if not items and self.down is None:
            return None
        batch = self._step(items)
        self._put_back(batch.left)
        return batch

    def committed(self, batch: Batch) -> None:
        """It is on the disk: all that follows from it may happen."""
        self.desk.commit()
        if batch.swap is not None:
            batch.swap.done()
        self._backoff_ms = BACKOFF_MS_FIRST
        if self.down is not None:
            self.down = None
            self.trouble(None)
            self._log.info("the journal takes entries again")
        self.digests.remember(batch.digests)
        committed_ms, exact_ms = self.clock.now_ms(), self.clock.exact_ms()
        self.perform(
            [
                Done(taken, effects, effective, item.at_ms, committed_ms, exact_ms - item.exact_ms)
                for item, taken, effects, effective in batch.stepped
            ]
        )
        for item, cause in batch.refused:
            _answer(item, cause)
        for item, *_ in batch.stepped:
            _answer(item, None)

    def failed(self, batch: Batch, why: str) -> int:
        """It did not happen, and waits again. Gives how long to wait before the next round, in ms."""
        self.desk.rollback()
        self._put_back(item for item, *_ in batch.stepped if item.answer is None and not item.handed)
        self.metrics.commit_failures.inc()
        if self.down is None:
            self._log.error("the journal takes nothing", why=why)
        self.down = why
        self.trouble(why)
        for item, _ in batch.refused:  # it was refused for what the batch had done, and the batch did not happen
            _answer(item, StoreDown(why))
        for item, *_ in batch.stepped:
            _answer(item, StoreDown(why))
        self.hold(item.taken for item, *_ in batch.stepped)
        wait_ms, self._backoff_ms = self._backoff_ms, min(2 * self._backoff_ms, BACKOFF_MS_MAX)
        return wait_ms

    def _next(self) -> list[Item]:
        """What is stepped next: the urgent, deadlines, then as much of the rest as the batch holds."""
        now_ms, exact_ms = self.clock.now_ms(), self.clock.exact_ms()
        urgent = self.inbox.take_urgent(self._batch_max)
        due = [due for due in self.desk.due(now_ms) if (due.area, due.timer) not in self._set_aside]
        timers = [Item(one, now_ms, exact_ms) for one in due[: self._batch_max]]
        return [*urgent, *timers, *self.inbox.take_calm(self._batch_max - len(urgent))]

    def _put_back(self, items: Iterable[Item]) -> None:
        """Deadlines stay due by themselves."""
        self.inbox.back(item for item in items if not isinstance(item.taken, Due))

    def _swapping(self, swap: Swap) -> Batch | None:
        """The batch that changes the registry; None where the desk chokes on it: then nothing was changed."""
        batch = Batch(swap=swap)
        self.desk.begin(swap.registry)
        try:
            for item in swap.items:
                self._step_one(batch, item)
        except Exception:
            self.desk.rollback()
            for item in swap.items:
                self._choke(item)
            return None
        return batch

    def _step(self, items: list[Item]) -> Batch:
        """Step what there is time for; an input the desk chokes on is a bug of ours: it is set aside, loudly, and its
        neighbours go on."""
        while True:
            batch, began_ms = Batch(), self.clock.exact_ms()
            self.desk.begin()
            for at, item in enumerate(items):
                if at and self.clock.exact_ms() - began_ms > STEP_MS_MAX:
                    batch.left = items[at:]
                    return batch
                try:
                    self._step_one(batch, item)
                except NotAllowed as cause:
                    batch.refused.append((item, cause))
                except Exception:
                    self.desk.rollback()
                    self._choke(item)
                    items = [other for other in items if other is not item]
                    break
            else:
                return batch

    def _step_one(self, batch: Batch, item: Item) -> None:
        taken = self._judged(batch, item)
        effects = tuple(self.desk.step(taken, item.at_ms))
        effective = self.desk.verdict.effective
        batch.stepped.append((item, taken, effects, effective))
        if effective:
            aside = (item.note,) if item.note is not None else ()
            pages = tuple(effect for effect in effects if isinstance(effect, Page))
            batch.drafts.append(Draft(taken.area, item.at_ms, taken, aside, pages, self.desk.config_digest))
        for effect in effects:
            if isinstance(effect, Handed):
                with contextlib.suppress(NotAllowed):  # it is over there: the record stands, and changes nothing
                    self._step_one(batch, Item(effect.taken, item.at_ms, item.exact_ms, handed=True))

    def _judged(self, batch: Batch, item: Item) -> Input:
        """The input, or a conflict when the record's identity is known with other bytes."""
        taken = item.taken
        if isinstance(taken, Replied) and (owner := self.desk.owner_of(taken.area, taken.order)) is not None:
            return replace(taken, area=owner, gateway=f"{taken.area}/{taken.gateway}")
        if not isinstance(taken, Recorded):
            return taken
        name = name_of(taken)
        known = batch.digests.get(name) or self.digests.get(name)
        if known is None:
            batch.digests[name] = item.digest
        elif known != item.digest and self.desk.seen(*name):
            return Conflicted(
                taken.area, taken.gateway, taken.instance, taken.boot, taken.event, taken.age_ms, taken.kboot
            )
        return taken

    def _choke(self, item: Item) -> None:
        self._log.exception("set aside: the desk could not take this input", kind=type(item.taken).__name__)
        self.metrics.set_aside.inc()
        if isinstance(item.taken, Due):
            self._set_aside.add((item.taken.area, item.taken.timer))
        _answer(item, StoreDown("the desk could not take this; it is logged"))


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
    if item.answer is not None:
        item.answer(cause)
