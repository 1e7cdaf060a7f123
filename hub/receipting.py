"""When receipts leave: after a commit, after a birth, and as a hold while nothing can be committed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hub.clerk import Clerk
from hub.clock import HubClock
from hub.core.defaults import Credit
from hub.core.desk import Desk
from hub.metrics import Metrics
from hub.outgoing import Outgoing
from hub.receipts import credit, receipt
from hub.recorder import Recorder
from hub.store.port import StoreError
from protocol.records import Lane
from protocol.topics import Channel, topic

ASKED_MAX = 16
"""Instances per gateway and lane that sent something last. A gateway that restarted often offline brings records of
more instances than a receipt names; those it asked for last are named first, so that all get their turn."""


class Receipting:
    """Receipts of both lanes, each over its own connection."""

    def __init__(
        self, hub: str, desk: Desk, clerk: Clerk, recorder: Recorder, clock: HubClock, limits: Credit, metrics: Metrics
    ) -> None:
        self.alarm_out = Outgoing()
        self.telemetry_out = Outgoing()
        self._hub = hub
        self._desk = desk
        self._clerk = clerk
        self._recorder = recorder
        self._clock = clock
        self._limits = limits
        self._metrics = metrics
        self._held: dict[tuple[str, str], None] = {}
        self._telemetry_held: dict[tuple[str, str], None] = {}
        self._due: dict[tuple[str, str], None] = {}
        self._asked: dict[tuple[Lane, str, str], dict[str, None]] = {}
        self._wake = asyncio.Event()

    def both(self, area: str, gateway: str) -> None:
        """A gateway was born: tell it of both lanes, and the time."""
        self.alarm(area, gateway)
        self.telemetry(area, gateway)

    def alarm(self, area: str, gateway: str, instances: Iterable[str] = ()) -> None:
        """What of the alarm lane is on disk, first of these instances; without credit while the journal is down."""
        first = self._first(Lane.ALARM, area, gateway, instances)
        room = credit(self._limits.alarm, self._clerk.inbox.room(), held=self._clerk.down is not None)
        if not room:
            self._held[area, gateway] = None
        marks, boot = self._desk.marks(area, gateway), self._desk.boot(area, gateway)
        data = receipt(self._hub, Lane.ALARM, marks, room, self._clock.now_ms(), first, boot)
        self._metrics.receipts.labels("alarm").inc()
        self.alarm_out.receipt(topic(area, gateway, Channel.RECEIPT), Lane.ALARM, data)

    def release(self) -> None:
        """Something was committed: whoever was held may send."""
        held, self._held = self._held, {}
        for area, gateway in held:
            self.alarm(area, gateway)

    def telemetry(self, area: str, gateway: str, instances: Iterable[str] = ()) -> None:
        """What of the telemetry lane is on disk; the store is asked by `run`, in its own thread."""
        self._first(Lane.TELEMETRY, area, gateway, instances)
        self._due[area, gateway] = None
        if self._recorder.trouble is None:
            self._due |= self._telemetry_held
            self._telemetry_held.clear()
        self._wake.set()

    def release_telemetry(self) -> None:
        """There is room again: whoever was held may send."""
        self._due |= self._telemetry_held
        self._telemetry_held.clear()
        self._wake.set()

    async def run(self) -> None:
        """Ask the telemetry store what is settled and say so, for ever. A store in trouble means hold."""
        while True:
            while not self._due:
                self._wake.clear()
                await self._wake.wait()
            area, gateway = next(iter(self._due))
            del self._due[area, gateway]
            try:
                marks, held = await self._recorder.marks(area, gateway), self._recorder.trouble is not None
            except StoreError:
                marks, held = {}, True
            room = credit(self._limits.telemetry, self._recorder.room(), held=held)
            if not room:
                self._telemetry_held[area, gateway] = None
            first = self._first(Lane.TELEMETRY, area, gateway)
            data = receipt(self._hub, Lane.TELEMETRY, marks, room, self._clock.now_ms(), first)
            self._metrics.receipts.labels("telemetry").inc()
            self.telemetry_out.receipt(topic(area, gateway, Channel.RECEIPT), Lane.TELEMETRY, data)

    def _first(self, lane: Lane, area: str, gateway: str, instances: Iterable[str] = ()) -> list[str]:
        """The instances that sent something last, the last of them first."""
        asked = self._asked.setdefault((lane, area, gateway), {})
        for instance in instances:
            asked.pop(instance, None)
            asked[instance] = None
        while len(asked) > ASKED_MAX:
            del asked[next(iter(asked))]
        return list(reversed(asked))
