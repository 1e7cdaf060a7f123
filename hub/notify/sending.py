"""Carries postings to their channels: each channel has a task and places of its own, so none waits for another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

import structlog

from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import Channel, Notice, Outcome, Posting, Refused, TryLater
from hub.notify.notifier import Notifier
from hub.notify.table import ChannelTable

LOOK_S = 5.0
"""How often what nobody reports on is looked for; a channel looks at its queue at least as often."""
GRACE_S = 2.0
"""What a channel has beyond its own time limit to say so itself."""


class Sending:
    """`run` is every channel's task together."""

    def __init__(
        self,
        notifier: Notifier,
        tables: Mapping[str, ChannelTable],
        channels: Mapping[str, Channel],
        metrics: NoticeMetrics,
        now_ms: Callable[[], int],
        rng: random.Random | None = None,
    ) -> None:
        self._notifier = notifier
        self._tables = tables
        self._channels = channels
        self._metrics = metrics
        self._now_ms = now_ms
        self._rng = rng or random.Random()
        self._news = {name: asyncio.Event() for name in tables}
        self._log = structlog.get_logger("hub.notices")
        notifier.board.news = self._told

    async def run(self) -> None:
        """Send, for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in self._tables:
                    tasks.create_task(self._channel(name), name=f"channel {name}")
                tasks.create_task(self._look(), name="reports overdue")
        finally:
            for channel in self._channels.values():
                await channel.close()

    def _told(self, channel: str) -> None:
        self._news[channel].set()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self._notifier.overdue()
            except Exception:  # a bug of ours must not take the channels with it
                self._log.exception("what is overdue could not be looked for")

    async def _channel(self, name: str) -> None:
        queue, news, free = self._notifier.board.queues[name], self._news[name], self._tables[name].at_once_max
        waiting = self._metrics.waiting.labels(name)
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tries:
            while True:
                news.clear()
                while len(under_way) < free and (posting := queue.take(self._now_ms())) is not None:
                    task = tries.create_task(self._try(name, posting), name=f"notice {posting.id}")
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(lambda _: news.set())
                waiting.set(len(queue))
                next_ms = queue.next_ms(self._now_ms()) if len(under_way) < free else None
                wait_s = LOOK_S if next_ms is None else min(LOOK_S, max(0.001, (next_ms - self._now_ms()) / 1000))
                try:
                    async with asyncio.timeout(wait_s):
                        await news.wait()
                except TimeoutError:
                    continue

    async def _try(self, name: str, posting: Posting) -> None:
        outcome: Outcome
        try:
            notice = self._notifier.notice(posting)
            outcome = Refused("left the registry") if notice is None else await self._handed(name, notice)
        except Exception as cause:  # its words may hold a phone or a secret
            self._log.error("a notice could not be made", channel=name, notice=posting.id, cause=type(cause).__name__)
            outcome = TryLater(None, f"a fault of ours: {type(cause).__name__}")
        self._metrics.tries.labels(name, type(outcome).__name__.lower()).inc()
        try:
            self._notifier.came(posting, outcome, self._rng.random())
        except Exception:  # a bug of ours must not take the other channels with it
            self._log.exception("what came of a notice could not be taken in", channel=name, notice=posting.id)

    async def _handed(self, name: str, notice: Notice) -> Outcome:
        limit_s = self._tables[name].timeout_s + GRACE_S
        try:
            async with asyncio.timeout(limit_s):
                return await self._channels[name].send(notice)
        except TimeoutError:
            return TryLater(None, f"no answer within {limit_s:g} s")
