"""How long it took until somebody accepted, by priority and by rung. Of rungs, never of who sits there."""

from __future__ import annotations

import msgspec

from hub.core.effects import Rung
from hub.reports.layout import As, Cell, Chart, Section, Series, or_none, table, word
from hub.reports.material import Material
from hub.reports.stats import Spread, share, spread
from protocol.kinds import Priority

RUNGS = (Rung.STATION, Rung.TOWN, Rung.COUNTY)


class AtRung(msgspec.Struct, frozen=True):
    """Of the period's incidents of one priority, those that a rung was told of: how many, how many were accepted while
    it was the highest told, how many went on to the next, and how long the accepted took from when it was told, ms."""

    priority: Priority
    rung: Rung
    told: int
    accepted: int
    passed_on: int
    taken: Spread


class Response(msgspec.Struct, frozen=True):
    """By rung, and from being raised to being accepted by priority, ms. P4 is not paged, and waits for nobody."""

    rungs: tuple[AtRung, ...]
    overall: dict[Priority, Spread]
    unaccepted: dict[Priority, int]


def figures(of: Material) -> Response:
    """The responses to the incidents raised in a period, as far as they came before its end."""
    raised = of.raised
    rungs = []
    for priority in (Priority.P1, Priority.P2, Priority.P3):
        mine = [one for one in raised if one.priority is priority]
        for at, rung in enumerate(RUNGS):
            told = [one for one in mine if rung in one.paged]
            here = [one for one in told if one.accepted_on is rung]
            further = sum(any(higher in one.paged for higher in RUNGS[at + 1 :]) for one in told)
            taken = spread(max(0, one.accepted_ms - one.paged[rung]) for one in here if one.accepted_ms is not None)
            rungs.append(AtRung(priority, rung, len(told), len(here), further, taken))
    overall, waiting = {}, {}
    for priority in Priority:
        mine = [one for one in raised if one.priority is priority]
        taken = spread(max(0, one.accepted_ms - one.raised_ms) for one in mine if one.accepted_ms is not None)
        overall[priority] = taken
        waiting[priority] = sum(one.accepted_ms is None for one in mine)
    return Response(tuple(rungs), overall, waiting)


def shown(of: Material, before: Material) -> Section:
    """Tables of both, and a chart of the rungs' medians."""
    now, was = figures(of), figures(before)
    used = [one for one in now.rungs if one.told]
    p1 = [one for one in used if one.priority is Priority.P1]
    labels = tuple(word(one.rung.value) for one in p1)
    medians = Series("median", tuple(one.taken.median_ms for one in p1))
    series = (medians, Series("p90", tuple(one.taken.p90_ms for one in p1)))
    overall = [
        (p.name.lower(), t.n, now.unaccepted[p], *_times(t), was.overall[p].n, *_times(was.overall[p])[:1])
        for p, t in now.overall.items()
    ]
    rungs = [
        (
            one.priority.name.lower(),
            one.rung.value,
            one.told,
            one.accepted,
            share(one.accepted, one.told),
            one.passed_on,
            *_times(one.taken),
        )
        for one in used
    ]
    return Section(
        "response",
        charts=(Chart("p1_by_rung", labels, series, As.SPAN, across=True),) if labels else (),
        tables=(
            table(
                "accepted",
                [("priority", As.WORD), ("accepted", As.COUNT), ("not_accepted", As.COUNT), ("median", As.SPAN),
                 ("p90", As.SPAN), ("most", As.SPAN), ("accepted_before", As.COUNT), ("median_before", As.SPAN)],
                overall,
            ),
            table(
                "rungs",
                [("priority", As.WORD), ("rung", As.WORD), ("told", As.COUNT), ("accepted", As.COUNT),
                 ("accepted_share", As.SHARE), ("passed_on", As.COUNT), ("median", As.SPAN), ("p90", As.SPAN),
                 ("most", As.SPAN)],
                rungs,
            ),
        ),
    )  # fmt: skip


def _times(found: Spread) -> tuple[Cell, Cell, Cell]:
    return or_none(As.SPAN, found.median_ms), or_none(As.SPAN, found.p90_ms), or_none(As.SPAN, found.most_ms)
