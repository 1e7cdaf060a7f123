"""When the hub was on watch: it could hear the alarm lane and write its journal. What else happened nobody knows."""

from __future__ import annotations

import msgspec

from hub.reports import layout
from hub.reports.layout import As, Cell, Chart, Remark, Section, Series
from hub.reports.material import Material
from hub.reports.sections.ticks import Tick, ticks
from hub.reports.stats import share, total_ms


class Watch(msgspec.Struct, frozen=True):
    """How much of the time that has passed is known, ms (`known_ms` None: the hub kept no book), by step.

    Alarm records: `lost` in the period for good, `missing` at its end and not explained yet.
    """

    passed_ms: int
    known_ms: int | None
    ticks: tuple[Tick, ...]
    lost: int
    missing: int


def figures(of: Material) -> Watch:
    """The watch of a period."""
    before, after = of.opening.tally, of.closing.tally
    lost = max(0, after.lost + after.forgotten - before.lost - before.forgotten)
    known_ms = None if of.watched is None else total_ms(of.known)
    return Watch(of.until_ms - of.period.start_ms, known_ms, tuple(ticks(of)), lost, after.open)


def shown(of: Material) -> Section:
    """What is known, step by step, and what is lost."""
    found = figures(of)
    remarks = [_known(found)]
    if found.lost:
        remarks.append(Remark("watch_lost", {"lost": layout.count(found.lost)}, grave=True))
    if found.missing:
        remarks.append(Remark("watch_missing", {"missing": layout.count(found.missing)}, grave=True))
    columns = [("step", As.NAME), ("watched", As.SPAN), ("passed", As.SPAN), ("watched_share", As.SHARE)]
    rows = [
        (one.label, one.known_ms if one.passed_ms else None, one.passed_ms, _share(one))
        for one in found.ticks
        if one.unsure
    ]
    chart = Chart(
        "watch",
        tuple(one.label for one in found.ticks),
        (Series("watched", tuple(_share(one) for one in found.ticks)),),
        As.SHARE,
        unknown=tuple(one.unsure for one in found.ticks),
    )
    charts = (chart,) if any(one.unsure for one in found.ticks) and found.known_ms else ()
    return Section("watch", tuple(remarks), charts, (layout.table("watch", columns, rows),))


def _known(found: Watch) -> Remark:
    cells = {"passed": layout.span(found.passed_ms)}
    if found.known_ms is None:
        return Remark("watch_no_book", cells, grave=True)
    cells["known"] = layout.span(found.known_ms)
    if found.known_ms == found.passed_ms:
        return Remark("watch_all", cells)
    cells["unknown"] = Cell(As.SPAN, found.passed_ms - found.known_ms)
    return Remark("watch_part", cells, grave=True)


def _share(tick: Tick) -> float | None:
    return None if tick.known_ms is None else share(tick.known_ms, tick.passed_ms)
