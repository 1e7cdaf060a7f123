"""The real hub without a broker, fed message by message; then what it holds is compared with what may stand there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from hub.api.desk import Parts
from hub.app import Hub
from hub.downlink import Downlink
from hub.inbox import CALM_MAX, URGENT_MAX
from hub.intake import READINGS_MAX
from hub.plain import json_of
from hub.receipting import ASKED_MAX
from hub.refusals import REMEMBERED_MAX
from hub.settings_file import load
from protocol.link import Incoming
from simulators.fuzz.judge import Judge
from simulators.fuzz.place import AREA, MUTE, STILL, town, write_config
from simulators.fuzz.standing import read
from simulators.fuzz.stream import Stream
from simulators.fuzz.verdict import Verdict, compare

TURN = 100
"""Messages handed on before the hub's own tasks run."""
FULL = 512
"""Records waiting for the desk from which on the feed waits: what a full inbox sets aside is another test's matter."""
PRESENCE = ("older_session", "second_gateway")
"""Why a session, birth or reply may be refused that is valid by itself."""
LOUD = ("error", "critical", "exception")


async def fuzz(folder: Path, seed: int, messages: int, seconds: float = float("inf")) -> Verdict:
    """Feed `messages` of the seed's stream, or as many as `seconds` allow, and judge what came of it.

    The hub's files stay in `folder`.
    """
    verdict, judge, began_s = Verdict(seed), Judge(town()), time.monotonic()
    events: dict[bytes, int] = {}
    with _listening(verdict):
        hub = Hub(load(write_config(folder)))
        with hub.built() as (tasks, parts, connections):
            running = [asyncio.create_task(job, name=name) for name, job in _kept(tasks).items()]
            feed = _Feed(connections.downlink, parts, judge, verdict, events, running)
            try:
                for word in islice(Stream(seed), messages):
                    await feed.one(*word.said, word.true, word.events)
                    if verdict.messages % TURN == 0 and time.monotonic() - began_s > seconds:
                        break
                await feed.settle()
                feed.compare()
            except _Died:  # and it is said below
                pass
            finally:
                snapshot = parts.desk.snapshot()
                for task in running:
                    task.cancel()
                ended = await asyncio.gather(*running, return_exceptions=True)
                verdict.wrong += [f"a task died: {one!r}" for one in ended if isinstance(one, Exception)]
        standing = read(folder / "data", hub.settings.journal_url, snapshot)
    compare(verdict, judge, standing, events)
    verdict.seconds = time.monotonic() - began_s
    return verdict


def _kept(tasks: dict[str, Any]) -> dict[str, Any]:
    """The hub's tasks but for the connections to a broker, of which there is none, and for pruning: a reading that
    says it is of 1970 would be gone before it is looked for."""
    for name in [name for name in tasks if name.endswith(" lane") or name == "prune"]:
        tasks.pop(name).close()
    return tasks


@contextmanager
def _listening(verdict: Verdict) -> Iterator[None]:
    """Nothing is written; whatever the hub would log as an error is a fault."""

    def heard(_logger: Any, method: str, said: Any) -> Any:
        if method in LOUD:
            verdict.say(f"the hub logged: {said.get('event')} ({said.get('topic', said.get('why', ''))!r:.200})")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[heard], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


class _Died(Exception):
    """A task of the hub ended: waiting for it would never end."""


@dataclass(slots=True)
class _Feed:
    """Hands messages on, looks at every bound as it goes, and lets the hub's tasks have their turn."""

    downlink: Downlink
    parts: Parts
    judge: Judge
    verdict: Verdict
    events: dict[bytes, int]
    running: list[asyncio.Task[None]]

    async def one(self, topic: str, data: bytes, retain: bool, true: bool, events: tuple[bytes, ...]) -> None:
        """One message; it may not raise, whatever it is."""
        self.verdict.messages += 1
        if self.judge.tell(topic, data, retain):
            self.verdict.valid += 1
        elif true and not topic.endswith(("session", "birth")):
            self.verdict.say(f"the naive reader refuses what is valid: {topic} {data[:200]!r}")
        for event in events:
            self.events[event] = self.verdict.messages
        try:
            self.downlink.heard(Incoming(topic, data, retain))
        except Exception as cause:
            self.verdict.say(
                f"message {self.verdict.messages}: {cause!r} came out of take(): {topic[:99]!r} {data[:200]!r}"
            )
        if self.verdict.messages % TURN == 0:
            await asyncio.sleep(0)
            self._bounds()
            for out in self.downlink.outgoing.values():  # a broker would have taken them
                while out.take() is not None:
                    pass
            while len(self.parts.clerk.rounds.inbox) > FULL or self.parts.recorder.intake.room() < READINGS_MAX // 2:
                await self._written()

    async def settle(self) -> None:
        """Until nothing waits and nothing is on its way to the disk: what the desk has then is what the journal has."""
        rounds = self.parts.clerk.rounds
        while len(rounds.inbox) or rounds.desk.in_batch or self.parts.recorder.intake.room() < READINGS_MAX:
            await self._written()

    async def _written(self) -> None:
        """Behind whatever the journal's and the store's threads are writing now."""
        if any(task.done() for task in self.running):
            raise _Died
        await self.parts.recorder.call(self.parts.store.marks, AREA, MUTE)
        await asyncio.get_running_loop().run_in_executor(self.parts.clerk.writer, int)
        await asyncio.sleep(0)

    def _bounds(self) -> None:
        ingest = self.downlink.ingest
        urgent, calm = self.parts.clerk.rounds.inbox.depths()
        for name, found, most in (
            ("urgent inbox", urgent, URGENT_MAX),
            ("calm inbox", calm, CALM_MAX),
            ("telemetry inbox", self.parts.recorder.intake.weight, READINGS_MAX),
            ("refusals remembered", len(ingest.refusals), REMEMBERED_MAX),
            ("links untold", len(ingest.untold), len(self.judge.town.gateways)),
            ("links", len(ingest.links.known), len(self.judge.town.gateways)),
            ("receipts asked for", len(ingest.receipting.asked), 2 * len(self.judge.town.gateways)),
            ("instances asked for", max(map(len, ingest.receipting.asked.values()), default=0), ASKED_MAX),
        ):
            if found > most:
                self.verdict.say(f"message {self.verdict.messages}: {name}: {found}; at most {most}")

    def compare(self) -> None:
        """What is known in memory: counters, links, births and sessions, and that every view can be told."""
        counted = {reason: count for reason, count in _counted(self.parts).items() if count}
        self.verdict.refused = dict(sorted(counted.items()))
        if (presence := sum(counted.pop(reason, 0) for reason in PRESENCE)) > self.judge.presence:
            self.verdict.say(f"{presence} sessions, births and replies refused of {self.judge.presence}")
        if counted != dict(self.judge.refused):
            self.verdict.say(f"refused {sorted(counted.items())}, to be refused {sorted(self.judge.refused.items())}")
        for name in ("set_aside", "discarded", "commit_failures", "store_failures"):
            if total := _total(getattr(self.parts.metrics, name)):
                self.verdict.say(f"{name} is {total:g}")
        for key, known in self.downlink.ingest.links.known.items():
            if (known.heard_ms is not None) != (key in self.judge.heard):
                self.verdict.say(f"{key}: heard at {known.heard_ms}; to be heard: {key in self.judge.heard}")
            for what, kept in (("session", self.judge.sessions), ("birth", self.judge.births)):
                has = getattr(known, what)
                if has is not None and (has.instance, has.boot) not in kept[key]:
                    self.verdict.say(f"{key}: {what} that nobody said: {has!r:.200}")
        if any(key[1] in (MUTE, STILL) for key in self.judge.heard):
            self.verdict.say("the generator let a gateway speak that is never heard")
        self.verdict.incidents = len(self.parts.desk.incidents())
        try:
            json_of(self.parts.desk.incidents())
            json_of(self.parts.desk.zones())
        except Exception as cause:
            self.verdict.say(f"what the desk holds cannot be told: {cause!r}")


def _counted(parts: Parts) -> dict[str, int]:
    found = (sample for family in parts.metrics.refused.collect() for sample in family.samples)
    return {one.labels["reason"]: int(one.value) for one in found if one.name.endswith("_total")}


def _total(counter: Any) -> float:
    return float(
        sum(one.value for family in counter.collect() for one in family.samples if one.name.endswith("_total"))
    )
