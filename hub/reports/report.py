"""A report: which sections it has, and what stands above them."""

from __future__ import annotations

import msgspec

from hub.reports import layout
from hub.reports.layout import Cell, Remark, Section
from hub.reports.material import Material
from hub.reports.period import Period, Sort
from hub.reports.sections import (
    channels,
    coverage,
    false_alarms,
    gateways,
    incidents,
    listed,
    load,
    neighbours,
    recorders,
    response,
    risk,
    summary,
    trials,
    watch,
)


class Report(msgspec.Struct, frozen=True):
    """A report of one area, in no language yet; `until_ms` is how far it has come, `remarks` concern all of it."""

    sort: Sort
    area: str
    name: str
    period: Period
    before: Period
    until_ms: int
    remarks: tuple[Remark, ...]
    sections: tuple[Section, ...]


def report(of: Material, before: Material, area: str, name: str, broken: str = "", left_out: int = 0) -> Report:
    """The report of a period beside the one before it. `broken`: the first entry that does not follow in its chain;
    `left_out`: entries that could not be taken."""
    return Report(
        sort=of.period.sort,
        area=area,
        name=name,
        period=of.period,
        before=before.period,
        until_ms=of.until_ms,
        remarks=tuple(_remarks(of, broken, left_out)),
        sections=tuple(_sections(of, before)),
    )


def _sections(of: Material, before: Material) -> list[Section]:
    daily, weekly = of.period.sort is Sort.DAILY, of.period.sort is Sort.WEEKLY
    found = [summary.shown(of, before), watch.shown(of)]
    if not daily:
        found.append(risk.shown(of, before))
    if daily or weekly:
        found.append(listed.urgent(of))
    found += [incidents.shown(of, before), listed.still_open(of), response.shown(of, before)]
    found += [neighbours.shown(of, before), false_alarms.shown(of, before)]
    if not daily:
        found.append(false_alarms.worst(of))
    found += [recorders.shown(of, before), gateways.shown(of, before)]
    if not daily:
        found.append(coverage.shown(of))
    found += [trials.shown(of, before), load.shown(of, before), channels.shown(of)]
    return found


def _remarks(of: Material, broken: str, left_out: int) -> list[Remark]:
    found = []
    if broken:
        found.append(Remark("chain_broken", {"entry": layout.name(broken)}, grave=True))
    if left_out:
        found.append(Remark("left_out", {"entries": layout.count(left_out)}, grave=True))
    if of.until_ms < of.period.end_ms:
        found.append(Remark("not_over", {"until": layout.time(of.until_ms)}, grave=True))
    if not of.closing.cases and not of.closing.heard:
        found.append(Remark("no_entries", grave=True))
    elif not of.raised:
        found.append(Remark("nothing_raised", {"known": Cell(layout.As.SPAN, _known_ms(of))}))
    return found


def _known_ms(of: Material) -> int | None:
    return None if of.watched is None else sum(b - a for a, b in of.known)
