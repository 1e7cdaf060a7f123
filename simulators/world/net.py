"""The network and the broker: connections that stall, break or are believed too long; messages lost, doubled, late."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import lru_cache

from protocol.link import Incoming, Will
from simulators.world.link import Client, Line, Link
from simulators.world.loop import VirtualLoop
from simulators.world.story import Noise

KEEPALIVE_MS = 10_000
CONNECT_MS = 5_000
QUEUE_MAX = 1_000
"""Messages a stalled line holds each way; the newest goes beyond."""
LATE_MS = (300, 5_000)


class Net:
    """All lines and the broker. `seen` is told of every message that reaches the broker."""

    def __init__(
        self, loop: VirtualLoop, seed: int, noise: Noise, seen: Callable[[str, bytes], None], sites: Iterable[str]
    ) -> None:
        self.loop, self.seed, self.noise = loop, seed, noise
        self.up = True
        self.lines = {site: Line() for site in sites}
        self.links: dict[str, Link] = {}
        self.retained: dict[str, bytes] = {}
        self.held_most = 0
        self._seen = seen
        self._count: dict[str, int] = {}
        self._alive: list[Link] = []

    def connect(self, site: str, client_id: str, will: Will | None, client: Client) -> Link:
        """Try to connect; the client hears `connected` or `ended`."""
        name = client_id.rpartition(".")[0] or client_id
        self._count[name] = number = self._count.get(name, 0) + 1
        link = Link(self, site, client_id, will, client, number)
        line = self.lines[site]
        if any(line.cut.values()):
            self.loop.after(CONNECT_MS, self._refuse, link, "no answer to the connection")
        else:
            self.loop.after(2 * self.delay_ms(link.rng), self._accept, link)
        return link

    def cut(self, site: str, up: bool, down: bool, vanish: bool = False) -> None:
        """Interrupt a line."""
        line = self.lines[site]
        line.cut, line.vanish = {True: up, False: down}, vanish
        line.epoch += 1
        for link in [link for link in self._alive if link.site == site]:
            self.loop.after(KEEPALIVE_MS * link.rng.uniform(1.0, 2.0), self._unanswered, link, line.epoch)
            self.loop.after(KEEPALIVE_MS * 1.5, self._unheard, link, line.epoch)

    def heal(self, site: str) -> None:
        """The line carries again; what it held goes on its way."""
        line = self.lines[site]
        line.cut = {True: False, False: False}
        line.epoch += 1
        held, line.held = line.held, []
        for _, deliver in held:
            deliver()

    def kill(self, amnesia: bool) -> None:
        """The broker dies: every connection with it, and with `amnesia` what it retained."""
        self.up = False
        links, self.links = list(self.links.values()), {}
        for link in links:
            link.served = False
            self.carry(link, False, lambda link=link: link.fail("connection reset"))  # type: ignore[misc]
        if amnesia:
            self.retained.clear()

    def start(self) -> None:
        """The broker is there again."""
        self.up = True

    def subscribed(self, link: Link, filters: list[str]) -> None:
        """A subscription reached the broker: retained messages follow."""
        link.filters += filters
        for topic, data in list(self.retained.items()):
            if any(matches(one, topic) for one in filters):
                self._deliver(link, Incoming(topic, data, True))

    def published(self, link: Link | None, topic: str, data: bytes, retain: bool) -> None:
        """A message reached the broker."""
        self._seen(topic, data)
        if retain:
            self.retained[topic] = data
        for other in list(self.links.values()):
            if any(matches(one, topic) for one in other.filters):
                self._deliver(other, Incoming(topic, data, False))

    def carry(self, link: Link, up: bool, deliver: Callable[[], None], late_ms: float = 0.0) -> None:
        """Bring something over a line, in order unless it is late."""
        line = self.lines[link.site]

        def go() -> None:
            at_ns = self.loop.now_ns + int(1e6 * (self.delay_ms(link.rng) + late_ms))
            if not late_ms:
                at_ns = link.last_ns[up] = max(link.last_ns[up] + 1, at_ns)
            self.loop.at(at_ns, deliver)

        if not line.cut[up]:
            go()
        elif not line.vanish and len(line.held) < QUEUE_MAX:
            line.held.append((up, go))
            self.held_most = max(self.held_most, len(line.held))

    def delay_ms(self, rng: random.Random) -> float:
        """How long a message takes one way."""
        return self.noise.delay_ms * (0.5 + rng.random())

    def client_gone(self, link: Link) -> None:
        """The client's end is closed: the broker learns it now, or by the silence."""
        self._alive = [one for one in self._alive if one is not link]
        if any(self.lines[link.site].cut.values()):
            self.loop.after(KEEPALIVE_MS * 1.5, self._lost, link)
        else:
            self.loop.after(self.delay_ms(link.rng), self._lost, link)

    def _deliver(self, link: Link, message: Incoming) -> None:
        rng, noise = link.rng, self.noise
        if rng.random() < noise.lost and not message.retain:
            return
        copies = 2 if rng.random() < noise.doubled else 1
        for _ in range(copies):
            late_ms = rng.uniform(*LATE_MS) if rng.random() < noise.late else 0.0
            self.carry(link, False, lambda: self._arrive(link, message), late_ms)

    def _arrive(self, link: Link, message: Incoming) -> None:
        if link.open:
            link.client.arrived(link, message)

    def _accept(self, link: Link) -> None:
        if not self.up:
            self._refuse(link, "connection refused")
            return
        older = self.links.pop(link.client_id, None)
        if older is not None:
            self._forget(older)
            self.carry(older, False, lambda: older.fail("taken over"))
        self.links[link.client_id] = link
        link.open = link.served = True
        self._alive.append(link)
        link.client.connected(link)

    def _refuse(self, link: Link, why: str) -> None:
        link.client.ended(link, why)

    def _unanswered(self, link: Link, epoch: int) -> None:
        if self.lines[link.site].epoch == epoch:
            link.fail("no answer to a ping")

    def _unheard(self, link: Link, epoch: int) -> None:
        if self.lines[link.site].epoch == epoch and self.lines[link.site].cut[True]:
            self._lost(link)

    def _lost(self, link: Link) -> None:
        if link.served and self.links.get(link.client_id) is link:
            del self.links[link.client_id]
            self._forget(link)

    def _forget(self, link: Link) -> None:
        link.served = False
        if link.will is not None:
            self.published(None, link.will.topic, link.will.data, link.will.retain)


@lru_cache(maxsize=4_096)
def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription takes a topic."""
    wanted, given = pattern.split("/"), topic.split("/")
    return len(wanted) == len(given) and all(w in ("+", g) for w, g in zip(wanted, given, strict=True))
