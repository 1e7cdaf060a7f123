"""What is done once a batch is committed: the live stream, orders, pages, receipts. None of it before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.effects import Changed, Effect, Page, Reached, Send, StoodDown
from hub.core.io import Input
from hub.core.load import Flooded
from hub.core.trials import Drilled
from hub.metrics import Metrics
from hub.orders import command
from hub.receipting import Receipting
from hub.rounds import Done, waiting_for
from protocol.messages import Action
from protocol.topics import Channel, topic


class Announces(Protocol):
    """Whoever is told of what was committed."""

    def changed(self, effect: Changed, done: Done) -> None:
        """An incident is another than before; `done` is what changed it first."""

    def page(self, page: Page, done: Done) -> None:
        """Somebody is to be called."""

    def stood_down(self, over: StoodDown, done: Done) -> None:
        """It is over: whoever was called is told by the way they were called."""

    def flooded(self, flood: Flooded) -> None:
        """A flood of alarms began, or is over."""

    def drilled(self, drill: Drilled) -> None:
        """A drill came to another state."""

    def committed(self, done: Done) -> None:
        """An input was committed."""


class Effects:
    """Performs the effects of committed inputs. An effect that fails is said and does not stop the others."""

    def __init__(
        self,
        announcer: Announces,
        receipting: Receipting,
        metrics: Metrics,
        key_name: str,
        private: Ed25519PrivateKey,
    ) -> None:
        self.announcer = announcer
        self._receipting = receipting
        self._metrics = metrics
        self._key_name = key_name
        self._private = private
        self.paged: Callable[[Page, Done], None] = lambda page, done: None
        """Who looks on once the announcer was told of a page."""
        self.obeying: Callable[[str, str], Sequence[str | None]] = lambda area, gateway: (None,)
        """Which processes of a gateway (area, id) orders are for; None: whichever hears it."""
        self._log = structlog.get_logger("hub.effects")

    def perform(self, done: list[Done]) -> None:
        """Everything a committed batch asks for: what somebody waits for first, receipts last."""
        changed: dict[tuple[str, str], tuple[Changed, Done]] = {}
        for one in done:
            for effect in one.effects:
                if isinstance(effect, Changed):
                    of = (effect.area, effect.incident)
                    changed[of] = (effect, changed[of][1] if of in changed else one)
                else:
                    self._perform(effect, one)
            self.announcer.committed(one)
        for last, first in changed.values():
            self._perform(last, first)
        for (area, gateway), instances in waiting_for(one.taken for one in done).items():
            self._receipting.alarm(area, gateway, instances)
        self._receipting.release()

    def hold(self, inputs: Iterable[Input]) -> None:
        """Nothing could be committed: whoever waits for a receipt is told to hold."""
        for (area, gateway), instances in waiting_for(inputs).items():
            self._receipting.alarm(area, gateway, instances)

    def send(self, order: Send) -> None:
        """Sign an order, once for each process it may be for, and put it on its way; what finds no room is sent again
        by the desk's retry. A stand-down speaks of the presses the hub has, so the gateway is told first which."""
        if order.action is Action.STAND_DOWN:
            self._receipting.alarm(order.area, order.gateway)
        where = topic(order.area, order.gateway, Channel.COMMAND)
        for instance in self.obeying(order.area, order.gateway):
            if self._receipting.alarm_out.order(where, command(order, self._key_name, self._private, instance)):
                self._metrics.orders.labels(order.action.value).inc()
            else:
                self._metrics.discarded.labels("orders").inc()

    def _perform(self, effect: Effect, done: Done) -> None:
        try:
            if isinstance(effect, Send):
                self.send(effect)
            elif isinstance(effect, Changed):
                self.announcer.changed(effect, done)
            elif isinstance(effect, Reached):
                self._metrics.reached(effect)
            elif isinstance(effect, StoodDown):
                self.announcer.stood_down(effect, done)
            elif isinstance(effect, Flooded):
                self.announcer.flooded(effect)
            elif isinstance(effect, Drilled):
                self.announcer.drilled(effect)
            elif isinstance(effect, Page):
                self.announcer.page(effect, done)
                self.paged(effect, done)
        except Exception:
            self._log.exception("an effect failed", effect=type(effect).__name__)
