"""Recorders that were blind: offline, a failed disk, channels lost, or nothing new recorded. By place, not by house."""

from __future__ import annotations

import msgspec

from hub.reports import layout
from hub.reports.case import BLIND
from hub.reports.layout import As, Cell, Chart, Remark, Section, Series, name, table, word
from hub.reports.material import Material
from hub.reports.stats import Spell, clipped, total_ms

MOST = 30


class Blind(msgspec.Struct, frozen=True):
    """Recorders of one place: incidents, how long at least one of them was blind, ms, and how many are at the end."""

    place: Cell
    incidents: int
    blind_ms: int
    still: int


class Recorders(msgspec.Struct, frozen=True):
    """`registered`: premises that have a recorder. The worst place first."""

    registered: int
    blind: tuple[Blind, ...]

    @property
    def still(self) -> int:
        """Incidents of blind recorders that are open and not well again."""
        return sum(one.still for one in self.blind)


def figures(of: Material) -> Recorders:
    """The blindness of a period; a spell ends when the recorder is well, or when its incident is closed."""
    spells: dict[tuple[str, ...], list[Spell]] = {}
    shown: dict[tuple[str, ...], Cell] = {}
    counts: dict[tuple[str, ...], int] = {}
    still: dict[tuple[str, ...], int] = {}
    for one in of.closing.cases.values():
        mine = clipped(one.blind_spells(of.until_ms), of.period.start_ms, of.until_ms) if one.rule == BLIND else []
        if not mine or not one.own:
            continue
        where = one.place
        key = (where.site, where.group, where.village)
        shown[key] = _cell(of, key)
        spells.setdefault(key, []).extend(mine)
        counts[key] = counts.get(key, 0) + 1
        still[key] = still.get(key, 0) + (one.blind[-1][1] is None)
    found = [
        Blind(shown[key], counts[key], total_ms(clipped(all_of, of.period.start_ms, of.until_ms)), still[key])
        for key, all_of in spells.items()
    ]
    found.sort(key=lambda one: (-one.blind_ms, str(one.place.value)))
    return Recorders(of.closing.places.recorders, tuple(found))


def shown(of: Material, before: Material) -> Section:
    """Place by place, the longest blind first."""
    now, was = figures(of), figures(before)
    remark = Remark(
        "recorders",
        {
            "registered": layout.count(now.registered),
            "still": layout.count(now.still),
            "incidents": layout.count(sum(one.incidents for one in now.blind)),
            "before": layout.count(sum(one.incidents for one in was.blind)),
        },
        grave=now.still > 0,
    )
    columns = [("place", As.NAME), ("incidents", As.COUNT), ("blind", As.SPAN), ("still_blind", As.COUNT)]
    rows = [(one.place, one.incidents, one.blind_ms, one.still) for one in now.blind]
    chart = Chart(
        "blind",
        tuple(one.place for one in now.blind[:10]),
        (Series("blind", tuple(one.blind_ms for one in now.blind[:10])),),
        As.SPAN,
        across=True,
    )
    return Section("recorders", (remark,), (chart,) if now.blind else (), (table("recorders", columns, rows, MOST),))


def _cell(of: Material, key: tuple[str, ...]) -> Cell:
    site, group, village = key
    told = site or group or of.closing.places.villages.get(village, village)
    return name(told) if told else word("elsewhere")
