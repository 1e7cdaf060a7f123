"""The live stream inside the hub: every change is told to every listener, and a slow one is let go, not waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub.metrics import Metrics

RING_EVENTS = 500
"""How many past events a returning listener may catch up on."""
LISTENER_EVENTS = 1_000
"""How far a listener may fall behind before it is let go; more than the ring, so catching up alone never does it."""
LISTENERS_MAX = 200


EVERYBODY = "*"
"""In place of an area: what every listener is to hear."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its id ("epoch-number", growing), what kind it is, whose area (or EVERYBODY), and its JSON text."""

    id: str
    kind: str
    area: str
    data: str


@dataclass(slots=True, eq=False)
class Listener:
    """One client's bounded queue; `lost` says why it ended."""

    sees: Callable[[str], bool]
    waiting: deque[Told] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    lost: str = ""

    async def events(self, quiet_s: float) -> AsyncIterator[Told | None]:
        """Events as they come; None after `quiet_s` seconds without one. Ends when the listener is lost."""
        while True:
            while self.waiting:
                yield self.waiting.popleft()
            if self.lost:
                return
            self.ready.clear()
            try:
                async with asyncio.timeout(quiet_s):
                    await self.ready.wait()
            except TimeoutError:
                yield None


class TooManyListeners(Exception):
    """The stream has as many listeners as it may."""


class LiveStream:
    """Fan-out with a bound on everything: the ring of past events, the listeners, and each listener's queue.

    `epoch` tells one run of the hub from another, so that an id of an earlier run is not taken for one of this.
    """

    def __init__(self, epoch: str, metrics: Metrics) -> None:
        self._epoch = epoch
        self._count = 0
        self._ring: deque[Told] = deque(maxlen=RING_EVENTS)
        self._listeners: set[Listener] = set()
        self._metrics = metrics

    def tell(self, kind: str, area: str, data: str) -> None:
        """Hand one event to everybody who may see its area. Never waits; the victim is the slow listener."""
        self._count += 1
        told = Told(f"{self._epoch}-{self._count}", kind, area, data)
        self._ring.append(told)
        for listener in [one for one in self._listeners if one.sees(area)]:
            if len(listener.waiting) >= LISTENER_EVENTS:
                self._drop(listener, f"{LISTENER_EVENTS} events behind")
                continue
            listener.waiting.append(told)
            listener.ready.set()

    def full(self) -> bool:
        """Whether nobody more may listen."""
        return len(self._listeners) >= LISTENERS_MAX

    @contextmanager
    def listen(self, sees: Callable[[str], bool], after: str | None = None) -> Iterator[Listener]:
        """Join. With `after` (a Last-Event-ID) what was missed comes first, or a `missed` event if that is gone."""
        if self.full():
            raise TooManyListeners(f"{LISTENERS_MAX} clients are listening already")
        listener = Listener(sees)
        if after:
            listener.waiting.extend(self._since(after, sees))
        self._listeners.add(listener)
        self._metrics.stream_clients.set(len(self._listeners))
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._metrics.stream_clients.set(len(self._listeners))

    def close(self) -> None:
        """Let everybody go: the hub ends."""
        for listener in self._listeners:
            listener.lost = "the hub ends"
            listener.ready.set()

    def _drop(self, listener: Listener, why: str) -> None:
        listener.lost = why
        listener.waiting.clear()
        listener.waiting.append(Told(f"{self._epoch}-{self._count}", "dropped", "", f'{{"why":"{why}"}}'))
        listener.ready.set()
        self._listeners.discard(listener)
        self._metrics.stream_dropped.inc()

    def _since(self, after: str, sees: Callable[[str], bool]) -> list[Told]:
        epoch, _, number = after.rpartition("-")
        known = epoch == self._epoch and number.isascii() and number.isdecimal() and len(number) < 19
        oldest = self._count - len(self._ring)
        if not known or not oldest <= int(number) <= self._count:
            missed = Told(
                f"{self._epoch}-{oldest}", "missed", "", '{"why":"older events are gone; read the lists again"}'
            )
            return [missed, *(told for told in self._ring if sees(told.area))]
        return [told for told in list(self._ring)[int(number) - oldest :] if sees(told.area)]
