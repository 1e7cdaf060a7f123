"""When a record happened on the hub's axis, and how late it is. Lateness is age by the gateway's monotonic clock;
no difference between two clocks decides anything (design, promise 6)."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.defaults import Lateness
from hub.core.rules.windows import span
from protocol.records import ClockQuality, Event


class When(NamedTuple):
    """`event_ms` in hub wall ms; `late_ms` None where the age is unknown."""

    event_ms: int
    late_ms: int | None


def placed(event: Event, age_ms: int | None, at_ms: int) -> When:
    """Arrival less age; without an age, the gateway's wall clock if it may be trusted (never the future), else now."""
    if age_ms is not None:
        return When(max(0, at_ms - age_ms), age_ms)
    if event.at.quality is not ClockQuality.UNSET:
        return When(max(0, min(event.at.wall_ms, at_ms)), None)
    return When(at_ms, None)


def late_words(late_ms: int | None, limits: Lateness) -> str:
    """What is said about lateness when an incident is shown or paged; nothing for what is fresh."""
    if late_ms is None:
        return "age unknown"
    if late_ms > limits.page_ms:
        return f"must look: late by {span(late_ms)}"
    return f"late by {span(late_ms)}" if late_ms >= 10_000 else ""
