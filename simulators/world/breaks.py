"""Deliberate breaks, each a promise not kept, put over the real code from outside: the checkers must catch them all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from edge.core.delivery import Delivery
from edge.core.flights import Flights
from edge.core.orders import Orders
from edge.core.ringing import Ringing
from edge.core.sending import Flight, Sending
from edge.core.zone import Wire
from edge.outbox import Outbox
from edge.uplink import Uplink
from hub.core import clocks, conditions, dedup, escalation, placing
from hub.core.clocks import Evidence
from hub.core.desk import Desk
from hub.core.effects import Send
from hub.core.heard import Recorded
from hub.core.lives import Live, Told
from hub.core.timing import PlacedBy, When
from protocol.ranges import Ranges
from protocol.records import Lane
from simulators.world.breaks_of_parents import OF_PARENTS
from simulators.world.hub import SimHub
from simulators.world.uplink import Way


class Break(NamedTuple):
    """What is done wrong, and how: attributes of the real code with what stands in their place."""

    text: str
    patches: Callable[[], list[tuple[Any, str, Any]]]


def _receipt_before_commit() -> list[tuple[Any, str, Any]]:
    def early(self: SimHub, batch: Any) -> None:
        """The marks as if the batch were on the disk already."""
        self.desk.commit()
        self.desk.begin()
        for item, *_ in batch.stepped:
            if isinstance(item.taken, Recorded):
                self.receipting.alarm(item.taken.area, item.taken.gateway)

    return [(SimHub, "about_to_commit", early)]


def _effects_before_commit() -> list[tuple[Any, str, Any]]:
    def early(self: SimHub, batch: Any) -> None:
        for _, _, effects, _ in batch.stepped:
            for effect in effects:
                if isinstance(effect, Send):
                    self.effects.send(effect)

    return [(SimHub, "about_to_commit", early)]


def _dedup_off() -> list[tuple[Any, str, Any]]:
    real = dedup.take

    def take(ctx: Any, item: Recorded) -> bool:
        real(ctx, item)
        return True

    return [(dedup, "take", take)]


def _instance_ignored() -> list[tuple[Any, str, Any]]:
    def take(ctx: Any, item: Recorded) -> bool:
        one = (ctx.area, item.gateway, "0" * 32)
        seen = ctx.tables.seen.get(one) or Ranges()
        new = seen.copy()
        fresh = new.add(item.event.seq)
        ctx.tables.seen.put(one, new)
        mine = (ctx.area, item.gateway, item.instance)
        ctx.tables.seen.put(mine, dedup.extended(ctx.tables.seen.get(mine), item.event.seq, item.event.seq))
        dedup.know(ctx, item.gateway, item.boot, item.instance)
        return fresh

    return [(dedup, "take", take)]


def _lanes_merged() -> list[tuple[Any, str, Any]]:
    real = Uplink.begin

    def begin(self: Uplink, lane: Lane) -> Sending:
        """Alarms queue behind whatever telemetry there is."""
        sending, telemetry = real(self, lane), self.boxes[Lane.TELEMETRY].delivery
        return _Behind(sending, telemetry) if lane is Lane.ALARM else sending

    return [(Uplink, "begin", begin)]


class _Behind(NamedTuple):
    """Sends nothing while something waits in another lane."""

    sending: Sending
    other: Delivery

    def take(self, now_ns: int) -> Flight | None:
        return None if len(self.other) else self.sending.take(now_ns)

    def acknowledged(self, flight: Flight, size: int, now_ns: int) -> None:
        self.sending.acknowledged(flight, size, now_ns)

    def next_ns(self, now_ns: int) -> int | None:
        return now_ns + 200_000_000 if len(self.other) else self.sending.next_ns(now_ns)


def _credit_ignored() -> list[tuple[Any, str, Any]]:
    return [(Delivery, "may_go", lambda self, now_ns, entry=None: True)]


def _clock_trusted() -> list[tuple[Any, str, Any]]:
    def placed(stamp: Any, age_ms: int | None, at_ms: int, known: Any = None) -> When:
        wall_ms = stamp.wall_ms
        return When(wall_ms, max(0, at_ms - wall_ms), wall_ms, wall_ms, PlacedBy.AGE)

    return [(placing, "placed", placed)]


def _clock_of_another_boot() -> list[tuple[Any, str, Any]]:
    real = clocks.evidence

    def evidence(line: Any, of: Any, kboot: str) -> Evidence:
        """Whatever kernel boot of the gateway was heard last serves for all."""
        right, newest = real(line, of, kboot), of(line[-1][1]) if line else None
        return right if newest is None else Evidence(newest)

    return [(placing, "evidence", evidence)]


def _late_data_clears() -> list[tuple[Any, str, Any]]:
    def remember(ctx: Any, mark: Any, began: bool) -> bool:
        """What came last is what is so."""
        key = (ctx.area, conditions.where(mark))
        lives = ctx.tables.zones.get(key) or {}
        now = Live(Told(1), None) if began else Live(Told(1), Told(2))
        ctx.tables.zones.put(key, {**lives, mark.what: now})
        return not now.live

    return [(conditions, "remember", remember)]


def _forget_on_puback() -> list[tuple[Any, str, Any]]:
    real = Way.acknowledged

    def forget(self: Way, flight: Flight, size: int) -> None:
        box, batch = self.box, flight.batch
        left = box.delivery.receipt({batch.instance: [(e.seq, e.seq) for e in batch.entries]}, box.delivery.credit)
        box.outbox.delete([entry.key for entry in left])
        real(self, flight, size)

    return [(Way, "acknowledged", forget)]


def _resend_never() -> list[tuple[Any, str, Any]]:
    return [
        (Flights, "backoff_ns", lambda self, entry: 10**18),
        (Delivery, "resend", lambda self, fresh_credit=False: None),
    ]


def _rung_forgotten() -> list[tuple[Any, str, Any]]:
    return [(Ringing, "has_rung", lambda self, key, premises: False)]


def _siren_endless() -> list[tuple[Any, str, Any]]:
    return [(Ringing, "expire", lambda self, output, now_ns: None)]


def _stand_down_deaf() -> list[tuple[Any, str, Any]]:
    return [(Ringing, "silence", lambda self, keys, premises: False)]


def _expiry_ignored() -> list[tuple[Any, str, Any]]:
    real = Orders.reason_against

    def reason(self: Orders, order: Any, hub_ms: int | None) -> str | None:
        found = real(self, order, hub_ms)
        return None if found is not None and found.startswith("expired") else found

    return [(Orders, "reason_against", reason)]


def _escalation_asleep() -> list[tuple[Any, str, Any]]:
    return [(escalation, "start", lambda ctx, incident: None)]


def _rollback_forgotten() -> list[tuple[Any, str, Any]]:
    def rollback(self: Desk) -> None:
        self._tables.commit()
        self._open = False

    return [(Desk, "rollback", rollback)]


def _silence_is_normal() -> list[tuple[Any, str, Any]]:
    return [(Wire, "lose", lambda self, at_ns: None)]


def _stored_before_commit() -> list[tuple[Any, str, Any]]:
    real = Outbox.put

    def put(self: Outbox, entries: Any, values: Any = None) -> None:
        taken = list(entries)
        real(self, taken, values)
        if taken:
            self.on_stored([entry.key for entry in taken])

    return [(Outbox, "put", put)]


BREAKS: dict[str, Break] = {
    "receipt-before-commit": Break("the hub receipts what its journal does not have yet", _receipt_before_commit),
    "effects-before-commit": Break("orders and pages leave before their commit", _effects_before_commit),
    "dedup-off": Break("a record that comes again counts again", _dedup_off),
    "instance-ignored": Break("sequences of another process of a gateway count as seen", _instance_ignored),
    "lanes-merged": Break("alarms wait behind telemetry", _lanes_merged),
    "credit-ignored": Break("a gateway sends on when it is told to hold", _credit_ignored),
    "clock-trusted": Break("a record stands where its gateway's clock says", _clock_trusted),
    "clock-of-another-boot": Break("the clock of one kernel boot places records of another", _clock_of_another_boot),
    "late-data-clears": Break("what arrives last decides, not what happened last", _late_data_clears),
    "forget-on-puback": Break("a gateway forgets what the broker acknowledged", _forget_on_puback),
    "resend-never": Break("what was sent once is not sent again", _resend_never),
    "rung-forgotten": Break("a siren forgets for which causes it has rung", _rung_forgotten),
    "siren-endless": Break("no siren ends by itself", _siren_endless),
    "stand-down-deaf": Break("no siren is silenced", _stand_down_deaf),
    "expiry-ignored": Break("a gateway obeys orders that are too old", _expiry_ignored),
    "escalation-asleep": Break("nobody is told that nobody accepted", _escalation_asleep),
    "rollback-forgotten": Break("the desk keeps what its journal did not take", _rollback_forgotten),
    "silence-is-normal": Break("a zone nobody sees stays as it was", _silence_is_normal),
    "stored-before-commit": Break("the lamp says stored before the card has it", _stored_before_commit),
    **{name: Break(*known) for name, known in OF_PARENTS.items()},
}


@contextlib.contextmanager
def broken(name: str) -> Iterator[None]:
    """Within, the named break is in force; KeyError for one that is none."""
    patches = BREAKS[name].patches()
    before = [(owner, attribute, owner.__dict__[attribute]) for owner, attribute, _ in patches]
    for owner, attribute, wrong in patches:
        setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        for owner, attribute, right in before:
            setattr(owner, attribute, right)
