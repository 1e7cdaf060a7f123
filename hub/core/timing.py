"""When something happened on the hub's axis, how sure that is, and how late it is. Lateness is age by the gateway's
monotonic clock; no difference between two clocks decides anything (design, promise 6)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from hub.core.clocks import NOTHING, NS_PER_MS, TRANSIT_MS, Evidence, drifted_ms
from hub.core.defaults import Lateness
from hub.core.rules.windows import span
from protocol.records import ClockQuality, Stamp

SYNCED_ERROR_MS = 16_000
"""The kernel calls a clock synchronised while it is surely less than this off (NTP_PHASE_LIMIT)."""
SENSE_MS = 1_577_836_800_000
"""2020: before it there was no gateway, so a clock that says so says nothing."""


class PlacedBy(StrEnum):
    """By what a time was found. Only `age` and `clock` are a time with an error; `order` is an interval, and so is
    `heard`: from when a gateway was last heard to when it was missed."""

    AGE = "age"
    CLOCK = "clock"
    ORDER = "order"
    HEARD = "heard"


class When(NamedTuple):
    """`event_ms` in hub wall ms, one time that windows and lists may use; it truly lies from `not_before_ms` (None: not
    known) to `not_after_ms`. `late_ms` None where the age is unknown."""

    event_ms: int
    late_ms: int | None
    not_before_ms: int | None
    not_after_ms: int
    how: PlacedBy


def placed(stamp: Stamp, age_ms: int | None, at_ms: int, known: Evidence = NOTHING) -> When:
    """Place what arrived at `at_ms`: by its age, else by the clock of its kernel boot, else between its neighbours."""
    mono_ms = stamp.mono_ns // NS_PER_MS
    own = known.own
    least_ms = own.least_at(mono_ms) if own is not None else None
    if age_ms is not None:
        event_ms = max(0, at_ms - age_ms)
        drift_ms = drifted_ms(age_ms)
        early_ms = max(0, event_ms - TRANSIT_MS - drift_ms)
        proved = least_ms is not None and early_ms < least_ms <= event_ms
        return When(event_ms, age_ms, least_ms if proved else early_ms, min(at_ms, event_ms + drift_ms), PlacedBy.AGE)
    most_ms = own.most_at(mono_ms) if own is not None else None
    low_ms = max((ms for ms in (least_ms, _floor_ms(stamp, known)) if ms is not None), default=None)
    high_ms = max(0, min(ms for ms in (most_ms, known.after_ms, at_ms) if ms is not None))
    if low_ms is not None and low_ms > high_ms:
        low_ms = None  # what is said of it does not fit together: only the later side is sure
    guess_ms, error_ms = _by_clock(stamp, mono_ms, known)
    if error_ms is not None and guess_ms - error_ms <= high_ms and guess_ms + error_ms >= (low_ms or 0):
        low_ms, high_ms = max(low_ms or 0, guess_ms - error_ms), min(high_ms, guess_ms + error_ms)
        return When(_between(guess_ms, low_ms, high_ms), None, low_ms, high_ms, PlacedBy.CLOCK)
    if least_ms is not None and most_ms is not None and low_ms is not None:
        return When((low_ms + high_ms) // 2, None, low_ms, high_ms, PlacedBy.CLOCK)
    if stamp.quality is ClockQuality.UNSET:
        event_ms = high_ms if low_ms is None else low_ms
    else:
        event_ms = _between(guess_ms, low_ms or 0, high_ms)
    return When(event_ms, None, low_ms, high_ms, PlacedBy.ORDER)


def late_words(late_ms: int | None, limits: Lateness) -> str:
    """What is said about lateness when an incident is shown or paged; nothing for what is fresh."""
    if late_ms is None:
        return "age unknown"
    if late_ms > limits.page_ms:
        return f"must look: late by {span(late_ms)}"
    return f"late by {span(late_ms)}" if late_ms >= 10_000 else ""


def placed_words(when: When) -> str:
    """PlacedBy its time was found, for people; nothing where its age says it."""
    if when.how is PlacedBy.AGE:
        return ""
    if when.how is PlacedBy.CLOCK:
        return f"placed by its gateway's clock, to within {span(error_ms(when))}"
    if when.how is PlacedBy.HEARD:
        return "it fell silent at some time within the limits stated"
    return "its gateway had no sure clock: some time within the limits stated"


def error_ms(when: When) -> int:
    """PlacedBy far the event time may be off."""
    early_ms = when.event_ms if when.not_before_ms is None else when.event_ms - when.not_before_ms
    return max(early_ms, when.not_after_ms - when.event_ms)


def _floor_ms(stamp: Stamp, known: Evidence) -> int | None:
    """Not before this: the kernel boot before was still heard, or the gateway knew this time to be past."""
    floors = [] if known.before_ms is None else [known.before_ms + stamp.mono_ns // NS_PER_MS]
    if stamp.quality is ClockQuality.UNSET and stamp.wall_ms >= SENSE_MS:
        floors.append(stamp.wall_ms)
    return max(floors, default=None)


def _by_clock(stamp: Stamp, mono_ms: int, known: Evidence) -> tuple[int, int | None]:
    """What clocks say, with the error they state (None: they state none)."""
    if known.own is not None and known.own.exact is not None:
        exact = known.own.exact
        return exact.zero_ms + mono_ms, exact.off_ms(mono_ms)
    return stamp.wall_ms, SYNCED_ERROR_MS if stamp.quality is ClockQuality.SYNCED else None


def _between(ms: int, low_ms: int, high_ms: int) -> int:
    return max(low_ms, min(ms, high_ms))
