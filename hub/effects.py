"""What is done once a batch is committed: the live stream, orders, pages, receipts. None of it before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from hub.clerk import Done, waiting_for
from hub.core.desk import Desk
from hub.core.incident import Incident
from hub.core.io import Changed, Due, Effect, Input, Linked, Page, Recorded, Replied, Send
from hub.core.moves import FORGET
from hub.erasable import Erasable
from hub.live import LiveStream
from hub.metrics import Metrics
from hub.orders import command
from hub.plain import json_of
from hub.receipting import Receipting
from protocol.topics import Channel, topic

HISTORY_TOLD = 5
"""Lines of an incident's history that go with each change; the API has all of them."""


class Told(msgspec.Struct, frozen=True):
    """The live stream's `incident` event: its view, with the newest lines of its history. Times are hub wall ms.

    One event a batch and incident: `what` is its last change, and the times are those of the first. `event_ms`: when it
    happened, by the age stated; `received_ms`: when it reached the hub; `latency_ms`: from event to commit (None where
    the age is unknown); `handling_ms`: the hub's share of it.
    """

    what: str
    incident: Incident
    event_ms: int | None
    received_ms: int
    committed_ms: int
    latency_ms: float | None
    handling_ms: float


class Effects:
    """Performs the effects of committed inputs. An effect that fails is said and does not stop the others."""

    def __init__(
        self,
        desk: Desk,
        live: LiveStream,
        receipting: Receipting,
        erasable: Erasable,
        metrics: Metrics,
        key_name: str,
        private: Ed25519PrivateKey,
    ) -> None:
        self._desk = desk
        self._live = live
        self._receipting = receipting
        self._erasable = erasable
        self._metrics = metrics
        self._key_name = key_name
        self._private = private
        self.obeying: Callable[[str, str], Sequence[str | None]] = lambda area, gateway: (None,)
        """Which processes of a gateway (area, id) orders are for; None: whichever hears it."""
        self._known = {(one.area, one.id) for one in desk.incidents()}
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
            self._count(one)
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
        by the desk's retry."""
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
                self._changed(effect, done)
            else:
                self._page(effect, done)
        except Exception:
            self._log.exception("an effect failed", effect=type(effect).__name__)

    def _changed(self, effect: Changed, done: Done) -> None:
        incident = self._desk.incident(effect.area, effect.incident)
        if incident is None:
            return
        if (effect.area, effect.incident) not in self._known:
            self._known.add((effect.area, effect.incident))
            self._metrics.incidents.labels(incident.rule, incident.priority.name).inc()
        event_ms, age_ms = _when(done)
        told = Told(
            what=self._erasable.words(effect.what),
            incident=self._erasable.shown(replace(incident, history=incident.history[-HISTORY_TOLD:])),
            event_ms=event_ms,
            received_ms=done.received_ms,
            committed_ms=done.committed_ms,
            latency_ms=None if age_ms is None else round(age_ms + done.handling_ms, 3),
            handling_ms=round(done.handling_ms, 3),
        )
        self._live.tell("incident", effect.area, json_of(told).decode())

    def _page(self, page: Page, done: Done) -> None:
        self._metrics.pages.labels(page.rung.value).inc()
        words = {"incident": page.incident, "area": page.area, "rung": page.rung.value, "why": page.why}
        self._log.warning("page", **words)
        self._live.tell("page", page.area, json_of(words | {"at_ms": done.committed_ms}).decode())

    def _count(self, done: Done) -> None:
        taken = done.taken
        if isinstance(taken, Due) and taken.timer.startswith(FORGET):
            self._known.discard((taken.area, taken.timer.removeprefix(FORGET)))
        elif isinstance(taken, Recorded):
            if not done.effective:
                self._metrics.duplicates.labels("alarm").inc()
                return
            self._metrics.committed.labels(taken.area, taken.event.priority.name).inc()
            if taken.age_ms is not None:
                self._metrics.wire_seconds.observe((taken.age_ms + done.handling_ms) / 1000)
        elif isinstance(taken, Linked) and done.effective:
            words = {"area": taken.area, "gateway": taken.gateway, "up": taken.up, "heard_ms": taken.heard_ms}
            self._live.tell("gateway", taken.area, json_of(words).decode())
        elif isinstance(taken, Replied) and done.effective:
            words = {"area": taken.area, "gateway": taken.gateway, "order": taken.order, "results": taken.results}
            self._live.tell("reply", taken.area, json_of(words).decode())


def _when(done: Done) -> tuple[int | None, float | None]:
    """(hub wall ms of the event, its age on arrival) of a record; of anything else, its arrival and no age."""
    if not isinstance(done.taken, Recorded):
        return done.received_ms, 0.0
    age_ms = done.taken.age_ms
    return (None, None) if age_ms is None else (done.received_ms - age_ms, float(age_ms))
