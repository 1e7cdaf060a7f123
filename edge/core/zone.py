"""One zone's wire: raw value → what it means → held long enough → its condition. Times are monotonic ns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edge.core.bounds import NS_PER_MS, fits
from edge.core.ohms import ohms
from edge.core.site import Band, Contact, Judge, Loop, Zone
from edge.port import Value
from protocol.records import Condition


def judged(judge: Judge, value: Value) -> Condition:
    """What a value means by itself, whatever came before."""
    return seen(judge, value, None)[0]


def seen(judge: Judge, value: Value, held: Band | None) -> tuple[Condition, Band | None]:
    """What a value means, and the band it is in where it is measured; `held` is the band it was in before.

    A number outside every band is a fault, and so is one that cannot be told (NaN, infinite, over 64 bits), even for a
    contact or an open band: no wiring of ours gives it.
    """
    if not fits(value):
        return Condition.FAULT, None
    if isinstance(judge, Contact):
        return Condition.ALARM if bool(value) == judge.alarm else Condition.NORMAL, None
    if isinstance(judge, Loop):
        bands, measured = judge.bands, ohms(judge, value)
    else:
        bands, measured = judge, float(value)
    if held is not None and held.keeps(measured):
        return held.condition, held
    for band in bands:
        if band.low <= measured < band.high:
            return band.condition, band
    return Condition.FAULT, None


def changed_ns(since_ns: int, at_ns: int, fresh_ms: int) -> int:
    """When a value changed that was seen otherwise at `since_ns` and like this at `at_ns`.

    The middle: nothing favours either end, so it has no bias and errs by half a poll at most. Over a gap longer than
    the freshness nobody was watching; then it is when it was seen, because a guess hours back would be worse.
    """
    gap_ns = at_ns - since_ns
    return at_ns - gap_ns // 2 if 0 <= gap_ns <= fresh_ms * NS_PER_MS else at_ns


class Change(NamedTuple):
    """A condition that settled. `was` is the last known one: None before the first look, never unknown."""

    was: Condition | None
    shown: Condition
    now: Condition
    at_ns: int


@dataclass(slots=True)
class Wire:
    """The condition of one zone. `pending` was seen at `pending_ns` but has not held for its delay yet; `band` is the
    one its last value was in."""

    zone: Zone
    condition: Condition = Condition.UNKNOWN
    known: Condition | None = None
    pending: Condition | None = None
    pending_ns: int = 0
    due_ns: int = 0
    band: Band | None = None

    def look(self, value: Value, since_ns: int, at_ns: int) -> Change | None:
        """See a value. Gives a change where nothing delays it; otherwise `pending` settles at `due_ns`."""
        shows, self.band = seen(self.zone.judge, value, self.band)
        if shows is self.condition:
            self.pending = None
            return None
        if shows is self.pending:
            return None
        self.pending = shows
        first = self.known is None or self.condition is Condition.UNKNOWN
        self.pending_ns = at_ns if first else changed_ns(since_ns, at_ns, self.zone.fresh_ms)
        self.due_ns = at_ns + self._delay_ms(shows) * NS_PER_MS
        return self.settle(at_ns)

    def settle(self, now_ns: int) -> Change | None:
        """Take over what is pending, if its delay is over."""
        if self.pending is None or now_ns < self.due_ns:
            return None
        change = Change(self.known, self.condition, self.pending, self.pending_ns)
        self.condition = self.known = self.pending
        self.pending = None
        return change

    def lose(self, at_ns: int) -> Change | None:
        """Nobody has looked in time: whatever it was, it is unknown now. What it was is kept for when it is back."""
        self.pending = self.band = None
        if self.condition is Condition.UNKNOWN:
            return None
        change = Change(self.known, self.condition, Condition.UNKNOWN, at_ns)
        self.condition = Condition.UNKNOWN
        return change

    def _delay_ms(self, shows: Condition) -> int:
        if shows is not Condition.NORMAL:
            return self.zone.on_ms
        return 0 if self.condition is Condition.UNKNOWN else self.zone.off_ms
