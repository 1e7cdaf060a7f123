"""The gateway's two connections in the world's time: links of the simulated network under the real uplink."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from edge.connections import BACKOFF
from edge.core.entries import Batch
from edge.core.sending import Flight, Sending
from edge.uplink import Uplink
from protocol.link import Incoming, Said, Tries
from protocol.records import Lane
from simulators.world.link import Link
from simulators.world.loop import NS_PER_MS, Event, VirtualLoop
from simulators.world.net import Net


class Way:
    """One lane's connection, tried again and again. `serving_ms`: since when it serves, or did last."""

    def __init__(self, ways: Ways, lane: Lane, rng: random.Random) -> None:
        self.lane, self.serving_ms = lane, 0
        self._ways, self._loop, self._uplink = ways, ways.loop, ways.uplink
        self._tries = Tries(BACKOFF, rng)
        self._began_ms = 0
        self._link: Link | None = None
        self._sending: Sending | None = None
        self._timer: Event | None = None
        self._replying = False
        self._asked = False
        self.box = self._uplink.boxes[lane]
        self.box.on_news = self._news
        if lane is Lane.ALARM:
            self._uplink.replies.on_news = self._reply

    def connect(self) -> None:
        """Try once."""
        if self._ways.alive:
            up, gateway = self._uplink, self._uplink.me.gateway
            self._began_ms = self._loop.now_ms
            will = up.attempt(self.lane)
            self._link = self._ways.net.connect(gateway, up.client_id(self.lane), will, self)

    def connected(self, link: Link) -> None:
        """The broker took it."""
        if self._ways.alive:
            greeting = self._uplink.greeting(self.lane)
            link.subscribe(self._uplink.filters(self.lane), lambda: self._greet(link, greeting))
        else:
            link.drop()

    def arrived(self, link: Link, message: Incoming) -> None:
        """A message for this lane's connection."""
        if self._ways.alive:
            self._ways.hears(self.lane, message)
            self._uplink.heard(self.lane, message)

    def ended(self, link: Link, why: str) -> None:
        """Wait, and try again."""
        if not self._ways.alive:
            return
        self._link = None
        if self._sending is not None:
            self._sending, self._replying = None, False
            self._uplink.end(self.lane)
        wait_s = self._tries.wait_s((self._loop.now_ms - self._began_ms) / 1000)
        self._uplink.failed(self.lane, why, wait_s)
        self._loop.after(1000 * wait_s, self.connect)

    def drop(self) -> None:
        """The process is dead."""
        if self._link is not None:
            self._link.drop()

    def send(self) -> None:
        """Hand over all that may go, and look again when more may."""
        while self._ways.alive and self._sending is not None:
            now_ns = self._uplink.clock.mono_ns()
            flight = self._sending.take(now_ns)
            if flight is None:
                self._look_again(self._sending.next_ns(now_ns), now_ns)
                return
            self._hand_over(self._sending, flight)

    def acknowledged(self, flight: Flight, size: int) -> None:
        """The broker has a message of this lane."""
        assert self._sending is not None, "acknowledgements end with their link"
        self._sending.acknowledged(flight, size, self._uplink.clock.mono_ns())

    def _greet(self, link: Link, greeting: Iterator[Said]) -> None:
        if not self._ways.alive or self._link is not link:
            return
        said = next(greeting, None)
        if said is not None:
            self._say(link, said, lambda: self._greet(link, greeting))
            return
        self._sending, self.serving_ms = self._uplink.begin(self.lane), self._loop.now_ms
        if self.lane is Lane.ALARM:
            self._loop.after(self._uplink.me.heartbeat_ms, self._beat_on, link)
            self._reply()
        self.send()

    def _beat_on(self, link: Link) -> None:
        if self._ways.alive and link.open:
            for said in self._uplink.heartbeat():
                self._say(link, said, _nothing)
            self._loop.after(self._uplink.me.heartbeat_ms, self._beat_on, link)

    def _hand_over(self, sending: Sending, flight: Flight) -> None:
        said = self._uplink.records(self.lane, flight)
        self._ways.sent(self.lane, flight.batch)

        def acked() -> None:
            if self._ways.alive and self._sending is sending:
                self.acknowledged(flight, len(said.data))
                self.send()

        assert self._link is not None, "whoever sends has a link"
        self._say(self._link, said, acked)

    def _look_again(self, next_ns: int | None, now_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_ns = None if next_ns is None else next_ns - now_ns
        self._timer = None if wait_ns is None else self._loop.at(self._loop.now_ns + wait_ns, self.send)

    def _reply(self) -> None:
        link, replies = self._link, self._uplink.replies
        if link is None or self._sending is None or self._replying or (reply := replies.first()) is None:
            return
        self._replying = True

        def acked() -> None:
            self._replying = False
            replies.said(reply)
            self._reply()

        self._say(link, self._uplink.reply(reply), acked)

    def _say(self, link: Link, said: Said, acked: Callable[[], None]) -> None:
        link.publish(said.topic, said.data, acked, retain=said.retain)

    def _news(self) -> None:
        """News of one moment are looked at once."""
        if not self._asked:
            self._asked = True
            self._loop.at(self._loop.now_ns + NS_PER_MS // 1000, self._look)

    def _look(self) -> None:
        self._asked = False
        self.send()


class Ways:
    """Both connections. `sent` hears every batch handed to a link, `hears` what comes."""

    def __init__(
        self,
        loop: VirtualLoop,
        net: Net,
        uplink: Uplink,
        rng: random.Random,
        *,
        sent: Callable[[Lane, Batch], None],
        hears: Callable[[Lane, Incoming], None],
    ) -> None:
        self.loop, self.net, self.uplink = loop, net, uplink
        self.sent, self.hears = sent, hears
        self.alive = True
        self.of = {lane: Way(self, lane, rng) for lane in Lane}

    def connect(self) -> None:
        """The process begins."""
        for way in self.of.values():
            way.connect()

    def die(self) -> None:
        """The process is killed."""
        self.alive = False
        for way in self.of.values():
            way.drop()


def _nothing() -> None:
    """A heartbeat's acknowledgement."""
