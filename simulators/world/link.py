"""One connection through the world's network, as its client believes and as the broker does, and a site's line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from protocol.link import Incoming, Will
from simulators.world.loop import stream

if TYPE_CHECKING:
    from simulators.world.net import Net

PUBLISH_MS = 10_000


class Client(Protocol):
    """Who uses a link."""

    def connected(self, link: Link) -> None:
        """The broker took the connection."""

    def arrived(self, link: Link, message: Incoming) -> None:
        """A message came."""

    def ended(self, link: Link, why: str) -> None:
        """The link is spent."""


class Line:
    """One site's way to the broker. A cut either holds what is sent until it heals, or lets it vanish."""

    def __init__(self) -> None:
        self.cut = {True: False, False: False}
        self.vanish = False
        self.epoch = 0
        self.held: list[tuple[bool, Callable[[], None]]] = []


class Link:
    """One connection: `open` as its client believes, `served` as the broker does."""

    def __init__(self, net: Net, site: str, client_id: str, will: Will | None, client: Client, n: int) -> None:
        self.net, self.site, self.client_id, self.will, self.client = net, site, client_id, will, client
        self.open = False
        self.served = False
        self.filters: list[str] = []
        self.rng = stream(net.seed, "link", client_id.rpartition(".")[0] or client_id, n)
        self.last_ns = {True: 0, False: 0}
        self.outstanding: dict[int, Callable[[], None]] = {}
        self._sent = 0

    def subscribe(self, filters: list[str], then: Callable[[], None]) -> None:
        """Ask for topics; `then` follows the broker's answer."""
        self._request(then, lambda: self.net.subscribed(self, filters))

    def publish(self, topic: str, data: bytes, then: Callable[[], None], retain: bool = False) -> None:
        """Hand over a message at QoS 1; `then` follows the broker's acknowledgement, or the link ends."""
        self._request(then, lambda: self.net.published(self, topic, data, retain))

    def fail(self, why: str) -> None:
        """The client gives the connection up, or learns that it is gone."""
        if self.open:
            self.open = False
            self.outstanding.clear()
            self.net.client_gone(self)
            self.client.ended(self, why)

    def drop(self) -> None:
        """The client's process is dead: it says nothing and hears nothing more."""
        if self.open:
            self.open = False
            self.outstanding.clear()
            self.net.client_gone(self)

    def _request(self, then: Callable[[], None], at_broker: Callable[[], None]) -> None:
        if not self.open:
            return
        self._sent += 1
        number = self._sent
        self.outstanding[number] = then
        self.net.loop.after(PUBLISH_MS, self._overdue, number)
        self.net.carry(self, True, lambda: self._at_broker(number, at_broker))

    def _at_broker(self, number: int, at_broker: Callable[[], None]) -> None:
        if not self.served or not self.net.up:
            self.net.carry(self, False, lambda: self.fail("connection reset"))
            return
        at_broker()
        self.net.carry(self, False, lambda: self._acknowledged(number))

    def _acknowledged(self, number: int) -> None:
        then = self.outstanding.pop(number, None)
        if self.open and then is not None:
            then()

    def _overdue(self, number: int) -> None:
        if number in self.outstanding:
            self.fail("the broker did not acknowledge in 10 s")
