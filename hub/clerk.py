"""The clerk carries batches of the desk's inputs to the journal: one writer, group commit, a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hub.inbox import Item
from hub.journal import Draft, Journal
from hub.past import JournalError
from hub.rounds import Rounds, StoreDown


class Overloaded(Exception):
    """The desk's inbox is full; nothing was changed."""


class Clerk:
    """The one task that steps the desk."""

    def __init__(self, rounds: Rounds, journal: Journal) -> None:
        self.rounds = rounds
        self.writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._journal = journal

    @property
    def down(self) -> str | None:
        """Why the journal takes nothing, or None."""
        return self.rounds.down

    async def ask(self, item: Item) -> None:
        """Have a person's move taken; returns after its commit. Raises NotAllowed, StoreDown or Overloaded."""
        if self.down is not None:
            raise StoreDown(self.down)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(cause: Exception | None) -> None:
            if answer.done():  # whoever asked has gone
                return
            if cause is None:
                answer.set_result(None)
            else:
                answer.set_exception(cause)

        if not self.rounds.inbox.put(replace(item, answer=told)):
            raise Overloaded("more waits for the desk than it may")
        await answer

    async def run(self) -> None:
        """Take, commit, perform, for ever."""
        rounds = self.rounds
        while True:
            if rounds.down is None:
                due_ms = rounds.until_due_ms()
                await rounds.inbox.wait(None if due_ms is None else due_ms / 1000)
            await self._round()
            rounds.metrics.inbox_depth.labels("alarm").set(len(rounds.inbox))

    async def _round(self) -> None:
        rounds = self.rounds
        batch = rounds.begin()
        if batch is None:
            return
        began_ms = rounds.clock.exact_ms()
        try:
            await self._write(batch.drafts)
        except JournalError as cause:
            await asyncio.sleep(rounds.failed(batch, str(cause)) / 1000)
            return
        if batch.drafts:
            rounds.metrics.commit_seconds.observe((rounds.clock.exact_ms() - began_ms) / 1000)
        rounds.committed(batch)
        await asyncio.sleep(0)  # a round of mere duplicates waits for nothing, and others want their turn

    async def _write(self, drafts: list[Draft]) -> None:
        """Into the journal, in its thread. While that is down, having nothing to write is no proof that it is well."""
        loop = asyncio.get_running_loop()
        if drafts:
            await loop.run_in_executor(self.writer, self._journal.append, drafts)
        elif self.rounds.down is not None:
            await loop.run_in_executor(self.writer, self._journal.probe)
