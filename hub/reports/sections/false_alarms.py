"""How incidents ended, what false alarms came of, and where: zones of stations and sites by name, homes by group."""

from __future__ import annotations

from collections import Counter

import msgspec

from hub.core.acts import Disposition
from hub.reports import layout
from hub.reports.layout import As, Cell, Chart, Section, Series, table
from hub.reports.material import Material
from hub.reports.stats import share

MOST = 20
"""Rows of the worst."""


class FalseAlarms(msgspec.Struct, frozen=True):
    """Of what was resolved in a period: how it ended, false alarms by cause, by zone that may be named (with causes),
    and by group; `elsewhere` those of which neither may be named."""

    ended: dict[Disposition, int]
    causes: dict[str, int]
    zones: dict[str, Counter[str]]
    groups: dict[str, Counter[str]]
    elsewhere: int

    @property
    def judged(self) -> int:
        """Those that were genuine or false: tests and what the user took back say nothing of the sensors."""
        return self.ended[Disposition.GENUINE] + self.false

    @property
    def false(self) -> int:
        """False alarms."""
        return self.ended[Disposition.FALSE_ALARM]


def figures(of: Material) -> FalseAlarms:
    """What was resolved in a period."""
    resolved = of.resolved
    ended = Counter(one.disposition for one in resolved)
    false = [one for one in resolved if one.disposition is Disposition.FALSE_ALARM]
    own = [
        one for one in of.closing.cases.values()
        if one.own and one.disposition is Disposition.FALSE_ALARM and of.within(one.resolved_ms)
    ]  # fmt: skip
    zones: dict[str, Counter[str]] = {}
    groups: dict[str, Counter[str]] = {}
    elsewhere = 0
    for one in own:
        cause = one.false_cause or "other"
        for zone in one.false_zones:
            zones.setdefault(zone, Counter())[cause] += 1
        if not one.false_zones:
            if one.place.group:
                groups.setdefault(one.place.group, Counter())[cause] += 1
            else:
                elsewhere += 1
    causes = Counter(one.false_cause or "other" for one in false)
    return FalseAlarms({d: ended[d] for d in Disposition}, dict(causes), zones, groups, elsewhere)


def shown(of: Material, before: Material) -> Section:
    """Ends and causes, each beside the period before."""
    now, was = figures(of), figures(before)
    ended = [(d.value, now.ended[d], was.ended[d]) for d in Disposition]
    keys = sorted(now.causes.keys() | was.causes.keys(), key=lambda key: (-now.causes.get(key, 0), key))
    causes = [
        (f"cause_{key}", now.causes.get(key, 0), share(now.causes.get(key, 0), now.false), was.causes.get(key, 0))
        for key in keys
    ]
    drawn = [key for key in keys if now.causes.get(key)]
    remark = layout.Remark(
        "false_share",
        {
            "share": layout.or_none(As.SHARE, share(now.false, now.judged)),
            "judged": layout.count(now.judged),
            "before": layout.or_none(As.SHARE, share(was.false, was.judged)),
        },
    )
    chart = Chart(
        "causes",
        tuple(layout.word(f"cause_{key}") for key in drawn),
        (Series("false_alarms", tuple(now.causes[key] for key in drawn)),),
        As.COUNT,
        across=True,
    )
    return Section(
        "false_alarms",
        (remark,),
        (chart,) if drawn else (),
        (
            table("ended", [("disposition", As.WORD), ("resolved", As.COUNT), ("resolved_before", As.COUNT)], ended),
            table(
                "causes",
                [
                    ("cause", As.WORD),
                    ("false_alarms", As.COUNT),
                    ("share", As.SHARE),
                    ("false_alarms_before", As.COUNT),
                ],
                causes,
            ),
        ),
    )


def worst(of: Material) -> Section:
    """Where most false alarms came from."""
    now = figures(of)
    columns = [("false_alarms", As.COUNT), ("main_cause", As.WORD), ("main_cause_share", As.SHARE)]
    zones = [(zone, *_main(causes)) for zone, causes in _ordered(now.zones)]
    groups: list[tuple[layout.Value | Cell, ...]] = [(group, *_main(causes)) for group, causes in _ordered(now.groups)]
    if now.elsewhere:
        groups.append((layout.word("elsewhere"), now.elsewhere, "not_told", None))
    return Section(
        "worst",
        tables=(
            table("zones", [("zone", As.NAME), *columns], zones, MOST),
            table("groups", [("group", As.NAME), *columns], groups, MOST),
        ),
    )


def _ordered(found: dict[str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    return sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))


def _main(causes: Counter[str]) -> tuple[int, str, float | None]:
    cause, most = min(causes.items(), key=lambda item: (-item[1], item[0]))
    return causes.total(), f"cause_{cause}", share(most, causes.total())
