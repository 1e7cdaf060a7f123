"""How much the desks were asked to look at (ISA-18.2, IEC 62682): of rungs, never of the people who sit there.

About one page in 10 min is what a desk can take; a flood begins above 10 in 10 min and ends below 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.core.effects import Rung
from hub.reports.layout import As, Cell, Chart, Remark, Section, Series, Table, name, table, word
from hub.reports.material import Material
from hub.reports.period import Period
from hub.reports.stats import Spell, both, share, total_ms

MINUTE_MS = 60_000
WINDOW_MIN = 10
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
TOP = 10
RUNGS = (Rung.STATION, Rung.TOWN, Rung.COUNTY)


class Load(msgspec.Struct, frozen=True):
    """One rung: pages, their mean in 10 min on watch (None where nothing is known), the most in any 10 min, and its
    floods (from, until; ms) with their share of the time on watch."""

    rung: Rung
    pages: int
    mean: float | None
    most: int
    floods: tuple[Spell, ...]
    flood_share: float | None


def figures(of: Material) -> list[Load]:
    """Each rung's load in the period."""
    known, found = of.known, []
    over_ms = total_ms(known)
    for rung in RUNGS:
        pages = {at: n for at, n in of.pages.get(rung, {}).items() if of.within(at)}
        count = sum(pages.values())
        most, spells = floods(pages, of.until_ms)
        in_flood = share(total_ms(both(spells, known)), over_ms)
        found.append(Load(rung, count, share(count * WINDOW_MIN * MINUTE_MS, over_ms), most, tuple(spells), in_flood))
    return found


def floods(pages: Mapping[int, int], until_ms: int) -> tuple[int, list[Spell]]:
    """The most pages in any ten minutes, and the floods among them, minute by minute; `pages` count by minute, ms."""
    most, window, began_ms = 0, 0, None
    spells: list[Spell] = []
    leaving = {at + WINDOW_MIN * MINUTE_MS for at in pages}
    for at in sorted({*pages, *leaving}):
        window += pages.get(at, 0) - pages.get(at - WINDOW_MIN * MINUTE_MS, 0)
        most = max(most, window)
        if began_ms is None and window > FLOOD_BEGINS:
            began_ms = at
        elif began_ms is not None and window < FLOOD_ENDS:
            spells.append((began_ms, at))
            began_ms = None
    if began_ms is not None:
        spells.append((began_ms, until_ms))
    return most, [(a, min(b, until_ms)) for a, b in spells if a < until_ms]


def by_hour(pages: Mapping[int, int], period: Period, until_ms: int) -> list[int]:
    """Pages by the hour of the day that clocks there show."""
    found = [0] * 24
    for at, n in pages.items():
        if period.start_ms <= at < until_ms:
            found[period.local(at).hour] += n
    return found


def shown(of: Material, before: Material) -> Section:
    """What was presented and withheld, rung by rung, and the day's hours."""
    was = {one.rung: one for one in figures(before)}
    columns = [
        ("rung", As.WORD), ("pages", As.COUNT), ("pages_in_10_min", As.NUMBER), ("most_in_10_min", As.COUNT),
        ("floods", As.COUNT), ("flood_share", As.SHARE), ("pages_before", As.COUNT),
    ]  # fmt: skip
    now = figures(of)
    rows = [
        (one.rung.value, one.pages, one.mean, one.most, len(one.floods), one.flood_share, was[one.rung].pages)
        for one in now
    ]
    remarks = [_flooded(one) for one in now if one.floods]
    series = tuple(Series(rung.value, tuple(by_hour(of.pages.get(rung, {}), of.period, of.until_ms))) for rung in RUNGS)
    labels = tuple(Cell(As.HOUR, hour) for hour in range(24))
    chart = Chart("pages_by_hour", labels, series, As.COUNT, stacked=True)
    return Section("load", tuple(remarks), (chart,), (table("load", columns, rows), *_alarms(of, before)))


def _alarms(of: Material, before: Material) -> list[Table]:
    """Alarms presented to the area's operators and withheld from them, and the most frequent."""
    now, was = of.closing.presented, before.closing.presented
    if now is None or was is None:
        return []
    counts = [("presented", now.presented, was.presented)]
    counts += [(f"withheld_{key}", now.withheld[key], was.withheld.get(key, 0)) for key in sorted(now.withheld)]
    counts.append(("alarm_floods", now.floods, was.floods))
    frequent = [
        (rule, name(where) if where else word("elsewhere"), count, share(count, now.presented))
        for rule, where, count in now.frequent
    ]
    columns = [("kind", As.WORD), ("place", As.NAME), ("presented", As.COUNT), ("share", As.SHARE)]
    return [
        table("alarms", [("figure", As.WORD), ("value", As.COUNT), ("value_before", As.COUNT)], counts),
        table("frequent", columns, frequent, TOP),
    ]


def _flooded(one: Load) -> Remark:
    cells = {"rung": Cell(As.WORD, one.rung.value), "floods": Cell(As.COUNT, len(one.floods))}
    return Remark("flooded", cells | {"share": Cell(As.SHARE, one.flood_share)}, grave=True)
