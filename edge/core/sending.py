"""What goes over a lane's connection next, given what is on its way there: alarms by rank, telemetry one by one.

One of these lives as long as its connection. Its driver hands over what it gives, says what the broker acknowledged,
and looks again on news and at `next_ns`. All times are monotonic ns.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge.core.delivery import Delivery
from edge.core.entries import Batch
from edge.core.pacing import Pacing

URGENT_BYTES = 4 * 1024
COMMON_BYTES = 2 * 1024
"""Size of a message of P3 and P4 records, so that a panic behind it waits a fraction of a second on a slow link."""
URGENT_MAX = 8
"""Messages of P1 and P2 on their way at once."""


class Flight(NamedTuple):
    """One message's records on their way, and since when."""

    batch: Batch
    urgent: bool
    since_ns: int


class Sending(Protocol):
    """One lane over one connection."""

    def take(self, now_ns: int) -> Flight | None:
        """The next message, on its way from now on; None when nothing may go just now."""

    def acknowledged(self, flight: Flight, size: int, now_ns: int) -> None:
        """The broker has a message of `size` bytes: another may follow it, and nothing else follows from it."""

    def next_ns(self, now_ns: int) -> int | None:
        """When, after `now_ns`, there may be something to take by itself; None when only news can change that."""


class AlarmSending:
    """P1 and P2 several messages at once, the rest one by one, so that those never stand in the way of these."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._urgent_out = 0
        self._common_out = False

    def take(self, now_ns: int) -> Flight | None:
        """An urgent message before any other."""
        if self._urgent_out < URGENT_MAX:
            batch = self._delivery.take(now_ns, URGENT_BYTES, rank_max=2)
            if batch is not None:
                self._urgent_out += 1
                return Flight(batch, True, now_ns)
        if not self._common_out:
            batch = self._delivery.take(now_ns, COMMON_BYTES)
            if batch is not None:
                self._common_out = True
                return Flight(batch, False, now_ns)
        return None

    def acknowledged(self, flight: Flight, size: int, now_ns: int) -> None:
        """Its place is free."""
        if flight.urgent:
            self._urgent_out -= 1
        else:
            self._common_out = False

    def next_ns(self, now_ns: int) -> int | None:
        """What is due already waits for an acknowledgement, which is news."""
        return _after(now_ns, self._delivery.next_due_ns(now_ns))


class TelemetrySending:
    """As much at once as the link takes quickly, and nothing while an alarm waits."""

    def __init__(self, delivery: Delivery, pacing: Pacing) -> None:
        self._delivery, self._pacing = delivery, pacing
        self._out = False

    def take(self, now_ns: int) -> Flight | None:
        """One message, once the one before was acknowledged."""
        if self._out or self._pacing.wait_ns(now_ns):
            return None
        batch = self._delivery.take(now_ns, self._pacing.size)
        if batch is None:
            return None
        self._pacing.sent(now_ns)
        self._out = True
        return Flight(batch, False, now_ns)

    def acknowledged(self, flight: Flight, size: int, now_ns: int) -> None:
        """How long it took steers the size of the next."""
        self._pacing.acked(size, now_ns - flight.since_ns)
        self._out = False

    def next_ns(self, now_ns: int) -> int | None:
        """The end of the standing back, or what is due by itself."""
        if self._out:
            return None
        if hold_ns := self._pacing.wait_ns(now_ns):
            return now_ns + hold_ns
        return _after(now_ns, self._delivery.next_due_ns(now_ns))


def _after(now_ns: int, due_ns: int | None) -> int | None:
    return due_ns if due_ns is not None and due_ns > now_ns else None
