"""The steps of a report's time: hours of a day, days of a week or month, with how much of each the hub was on watch."""

from __future__ import annotations

import msgspec

from hub.reports.layout import As, Cell
from hub.reports.material import Material
from hub.reports.period import Sort
from hub.reports.stats import clipped, total_ms


class Tick(msgspec.Struct, frozen=True):
    """One step: what is written under it, from when until when, how much of it has passed, and how much is known, ms;
    `known_ms` None where the hub kept no book."""

    label: Cell
    start_ms: int
    end_ms: int
    passed_ms: int
    known_ms: int | None

    @property
    def unsure(self) -> bool:
        """Whether the hub was not on watch all of what has passed."""
        return self.passed_ms > 0 and (self.known_ms is None or self.known_ms < self.passed_ms)


def ticks(of: Material) -> list[Tick]:
    """Every step of the period, in order; an hour that clocks run through twice is there twice."""
    period = of.period
    if period.sort is Sort.DAILY:
        spans = [(Cell(As.HOUR, period.local(begin).hour), begin, end) for begin, end in period.hours()]
    else:
        spans = [(Cell(As.DAY, day), begin, end) for day, begin, end in period.days()]
    found = []
    for label, begin, end in spans:
        passed_ms = max(0, min(end, of.until_ms) - begin)
        known_ms = None if of.watched is None else total_ms(clipped(of.known, begin, end))
        found.append(Tick(label, begin, end, passed_ms, known_ms))
    return found
