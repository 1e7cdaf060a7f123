"""The hub's two connections in the world's time: links of the simulated network under the real downlink."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hub.connections import BACKOFF
from hub.downlink import Downlink
from hub.outgoing import Outgoing
from protocol.link import INFLIGHT_MAX, Incoming, Said, Tries
from protocol.records import Lane
from simulators.world.link import Link

if TYPE_CHECKING:
    from simulators.world.hub import SimHub
    from simulators.world.world import World


class WatchedOutgoing(Outgoing):
    """The real queue; the witness reads every receipt as it is made."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def receipt(self, topic: str, lane: str, data: bytes) -> None:
        """As the real one."""
        self._world.witness.receipting(topic, data)
        super().receipt(topic, lane, data)


class HubWay:
    """One lane's connection, tried again and again."""

    def __init__(self, hub: SimHub, downlink: Downlink, lane: Lane) -> None:
        self._hub, self._downlink, self._lane, self._loop = hub, downlink, lane, hub.loop
        self._out = downlink.outgoing[lane]
        self._tries = Tries(BACKOFF, hub.rng)
        self._began_ms = 0
        self._link: Link | None = None
        self._serving = False
        self._flying = 0
        self._out.on_news = self._publish

    def connect(self) -> None:
        """Try once."""
        if self._hub.alive:
            self._began_ms = self._loop.now_ms
            down, lane = self._downlink, self._lane
            self._link = self._hub.world.net.connect("hub", down.client_id(lane), down.will(lane), self)

    def connected(self, link: Link) -> None:
        """Subscribe, announce, then speak."""
        if self._hub.alive:
            greeting = self._downlink.greeting(self._lane)
            link.subscribe(self._downlink.filters(self._lane), lambda: self._greet(link, greeting))
        else:
            link.drop()

    def arrived(self, link: Link, message: Incoming) -> None:
        """A message for the hub."""
        if self._hub.alive:
            if not message.retain:
                by_itself = not (message.topic.endswith("/session") and b'"online":false' in message.data)
                self._hub.world.witness.arrived(message.topic.split("/")[3], by_itself)
            self._downlink.heard(message)

    def ended(self, link: Link, why: str) -> None:
        """Wait, and try again."""
        if self._hub.alive:
            self._link, self._serving = None, False
            wait_s = self._tries.wait_s((self._loop.now_ms - self._began_ms) / 1000)
            self._downlink.failed(self._lane, why, wait_s)
            self._loop.after(1000 * wait_s, self.connect)

    def drop(self) -> None:
        """The process is dead."""
        if self._link is not None:
            self._link.drop()

    def _greet(self, link: Link, greeting: Iterator[Said]) -> None:
        if not self._hub.alive or self._link is not link:
            return
        said = next(greeting, None)
        if said is not None:
            link.publish(said.topic, said.data, lambda: self._greet(link, greeting), retain=said.retain)
            return
        self._downlink.begin(self._lane, "the world")
        self._serving, self._flying = True, 0
        self._publish()

    def _publish(self) -> None:
        link = self._link
        while (
            link is not None
            and link.open
            and self._serving
            and self._flying < INFLIGHT_MAX
            and (said := self._out.take()) is not None
        ):
            self._flying += 1
            link.publish(said.topic, said.data, self._acked)

    def _acked(self) -> None:
        self._flying = max(0, self._flying - 1)
        self._publish()
