"""The risk of each village and group, by named factors: an order to look at things in, not a judgement of people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import attrgetter
from statistics import median

from hub.core.acts import Disposition
from hub.core.effects import Rung
from hub.reports import layout
from hub.reports.case import BLIND, Case
from hub.reports.layout import As, Cell, Chart, Remark, Section, Series, count, table
from hub.reports.material import Material
from hub.reports.sections import coverage, gateways, trials
from hub.reports.sections.factors import WEIGHTS, Factor, Judged, Risk, judged
from hub.reports.stats import clipped, share, total_ms
from protocol.kinds import Priority

FAULTS = frozenset({"fault", "tamper", "chatter"})
MOST = 10
"""Places whose factors are told one by one."""


def figures(of: Material) -> tuple[list[Risk], list[Risk]]:
    """Villages and groups, the riskiest first; groups of few households are in their village's figures alone."""
    heard = {one.gateway: one for one in gateways.figures(of)}
    cases = [one for one in of.closing.cases.values() if one.top or one.own]
    covered = {one.station: one.share for one in of.closing.villages}
    villages, groups = [], []
    for village in of.closing.places.sizes:
        mine = [one for one in cases if one.place.village == village.id]
        outside = None if covered.get(village.id) is None else 1 - (covered[village.id] or 0.0)
        measures = _measures(of, mine, heard, village.gateways, village.members, village.recorders)
        villages.append(Risk(village.id, "", village.name, _factors(measures | {Factor.MAKE_UP: outside})))
    for group in of.closing.places.groups:
        mine = [one for one in cases if one.place.group == group.id]
        wrong = 1.0 if coverage.unsound(group) else 0.0
        measures = _measures(of, mine, heard, group.gateways, group.members, group.recorders)
        groups.append(Risk(group.village, group.id, group.id, _factors(measures | {Factor.MAKE_UP: wrong})))
    return _ordered(villages), _ordered(groups)


def _ordered(found: Iterable[Risk]) -> list[Risk]:
    return sorted(found, key=lambda one: (-one.low, -one.high, one.village, one.group))


def _factors(measures: dict[Factor, float | None]) -> tuple[Judged, ...]:
    return tuple(judged(factor, measures[factor]) for factor in WEIGHTS)


def _measures(
    of: Material,
    cases: Collection[Case],
    heard: dict[str, gateways.Heard],
    wired: Collection[str],
    members: int,
    recorders: int,
) -> dict[Factor, float | None]:
    lines = [heard[name] for name in wired if name in heard]
    heard_share = gateways.overall(lines)
    proved = [one for one in of.closing.proofs if one.gateway in wired]
    broken = sum(one.open and one.own and one.rule in FAULTS for one in cases)
    called = [one for one in cases if one.top and one.called and of.within(one.raised_ms)]
    going = [one.going_after_ms for one in called if one.going_after_ms is not None]
    paged = [
        one
        for one in cases
        if one.top and one.priority <= Priority.P2 and Rung.STATION in one.paged and of.within(one.raised_ms)
    ]
    ended = [one for one in cases if one.top and not one.open and of.within(one.resolved_ms)]
    false = sum(one.disposition is Disposition.FALSE_ALARM for one in ended)
    genuine = sum(one.disposition is Disposition.GENUINE for one in ended)
    return {
        Factor.GATEWAYS: None if heard_share is None else 1 - heard_share,
        Factor.FAULTS: share(broken, members),
        Factor.RECORDERS: _blind(of, cases, recorders),
        Factor.NEIGHBOURS: _slow(len(called), going),
        Factor.ACCEPTANCE: share(sum(Rung.TOWN in one.paged for one in paged), len(paged)),
        Factor.PROOFS: trials.unproved(proved),
        Factor.FALSE_ALARMS: share(false, false + genuine) or 0.0,
    }


def _blind(of: Material, cases: Iterable[Case], recorders: int) -> float | None:
    """The share of recorder time that was blind; where there is no recorder none can be."""
    passed_ms = of.until_ms - of.period.start_ms
    mine = [one for one in cases if one.rule == BLIND and one.own]
    blind_ms = sum(total_ms(clipped(one.blind_spells(of.until_ms), of.period.start_ms, of.until_ms)) for one in mine)
    return min(1.0, share(blind_ms, passed_ms * recorders) or 0.0)


def _slow(called: int, going_ms: list[int]) -> float | None:
    """The median time to the first who goes; nobody went at all: as slow as can be. Not called: nobody knows."""
    if not called:
        return None
    return median([*going_ms, *[WEIGHTS[Factor.NEIGHBOURS].all_at] * (called - len(going_ms))])


def shown(of: Material, before: Material) -> Section:
    """Scores, the factors of the riskiest, and what every factor weighs."""
    villages, groups = figures(of)
    was_villages, was_groups = figures(before)
    was = {(one.village, one.group): one for one in (*was_villages, *was_groups)}
    chart = Chart(
        "risk",
        tuple(layout.name(one.name) for one in villages[:20]),
        (
            Series("score_low", tuple(one.low for one in villages[:20])),
            Series("score_unknown", tuple(round(one.high - one.low, 1) for one in villages[:20])),
        ),
        As.NUMBER,
        stacked=True,
        across=True,
    )
    columns = [
        ("score_low", As.NUMBER), ("score_high", As.NUMBER), ("score_low_before", As.NUMBER),
        ("score_high_before", As.NUMBER), ("main_factor", As.WORD),
    ]  # fmt: skip

    def scores(found: list[Risk]) -> list[tuple[Cell | str | float | None, ...]]:
        return [(one.name, one.low, one.high, *_before(was.get((one.village, one.group))), _main(one)) for one in found]

    weights = [
        (factor.value, weight.points, *_bounds(factor), f"why_{factor.value}") for factor, weight in WEIGHTS.items()
    ]
    return Section(
        "risk",
        (Remark("risk"),),
        (chart,) if villages else (),
        (
            table("risk_villages", [("village", As.NAME), *columns], scores(villages), 100),
            table("risk_groups", [("group", As.NAME), *columns], scores(groups), 30),
            table(
                "risk_factors",
                [("where", As.NAME), ("factor", As.WORD), ("measured", As.ANY), ("points", As.NUMBER),
                 ("points_at_most", As.COUNT), ("points_not_known", As.NUMBER)],
                [row for one in (*villages[:MOST], *groups[:MOST]) for row in _rows(one)],
            ),
            table(
                "risk_weights",
                [("factor", As.WORD), ("points_at_most", As.COUNT), ("none_up_to", As.ANY), ("all_from", As.ANY),
                 ("why", As.WORD)],
                weights,
            ),
        ),
    )  # fmt: skip


def _before(one: Risk | None) -> tuple[float | None, float | None]:
    return (None, None) if one is None else (one.low, one.high)


def _main(one: Risk) -> str:
    first = max(one.factors, key=attrgetter("points"))
    return first.factor.value if first.points else "none"


def _rows(one: Risk) -> list[tuple[Cell | str | float, ...]]:
    told = [found for found in one.factors if found.points or found.lacking]
    return [
        (
            one.name,
            found.factor.value,
            _cell(found.factor, found.measured),
            found.points,
            count(WEIGHTS[found.factor].points),
            found.lacking,
        )
        for found in told
    ]


def _bounds(factor: Factor) -> tuple[Cell, Cell]:
    return _cell(factor, WEIGHTS[factor].none_at), _cell(factor, WEIGHTS[factor].all_at)


def _cell(factor: Factor, measured: float | None) -> Cell:
    shown = WEIGHTS[factor].shown
    return Cell(shown, round(measured) if shown is As.SPAN and measured is not None else measured)
