"""The figures of reports over seeded weeks of a village, against a naive reading of what its desk showed then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median_low

import pytest

from hub.core.acts import Disposition
from hub.core.effects import Changed, Milestone, Page, Reached, Rung
from hub.core.incident import UNRESOLVED, Incident
from hub.core.proof import ProofView
from hub.core.rules import named
from hub.core.rules.base import Rule
from hub.past import Past
from hub.reports.folding import Folding
from hub.reports.material import Material
from hub.reports.period import Period, Sort, before, period
from hub.reports.places import Places
from hub.reports.sections import false_alarms, gateways, incidents, load, neighbours, recorders, response, risk, trials
from hub.reports.sections.trials import Proofs
from hub.reports.stats import Spread, clipped, total_ms
from hub.reports.trial import presented
from protocol.kinds import Kind, Priority, Qualifier
from tests.support.desk import AREA, DEFAULTS, REGISTRY, H
from tests.support.past import DAY, START_MS, Village, kept

SEEDS = [3, 2026, 727989]
ZONE = "Asia/Shanghai"
FIRST = date(2026, 9, 28)


class Told:
    """What somebody would note who stands beside the desk: every incident as it looked whenever it changed."""

    def __init__(self, work: Village) -> None:
        self.work = work
        self.looks: dict[str, list[tuple[int, Incident]]] = {}
        take = work.take

        def noted(item: object, at: int | None = None) -> object:
            effects = take(item, at)  # type: ignore[arg-type]
            for one in effects:
                if isinstance(one, Changed) and (now := work.desk.incident(AREA, one.incident)) is not None:
                    self.looks.setdefault(one.incident, []).append((work.start_ms + work.now, now))
            return effects

        work.take = noted  # type: ignore[assignment, method-assign]

    def at(self, at_ms: int) -> dict[str, Incident]:
        """Every incident as it looked just before then."""
        shown = {name: [one for when, one in looks if when < at_ms] for name, looks in self.looks.items()}
        found = {name: looks[-1] for name, looks in shown.items() if looks}
        return {name: one for name, one in found.items() if not self.part(one, found)}

    @staticmethod
    def part(one: Incident, among: dict[str, Incident]) -> bool:
        """Whether another escalates for it."""
        parent = among.get(one.parent) if one.parent else None
        return parent is not None and (parent.priority <= one.priority or parent.rule == one.rule)


@pytest.fixture(params=SEEDS, scope="module")
def told(request: pytest.FixtureRequest) -> Told:
    """Twelve days of a village."""
    found = Told(Village(request.param))
    found.work.days(12)
    return found


@contextmanager
def material(folder: Path, told: Told, of: Period, watched: list[tuple[int, int]] | None = None) -> Iterator[Material]:
    """What a report of a period is made of."""
    work = told.work
    kept(folder, work, watched)
    folding = Folding(REGISTRY, DEFAULTS, AREA, (before(of).start_ms, of.start_ms, of.end_ms))
    past = Past(f"sqlite:///{folder / 'data' / 'journal.db'}")
    try:
        book = past.watched()
        folding.run(past)
    finally:
        past.close()
    assert book is not None
    _, opening, closing = folding.standings
    yield Material(of, of.end_ms, opening, closing, tuple(book), folding.pages)


def test_figures_are_what_somebody_would_count_by_hand(told: Told, tmp_path: Path) -> None:
    """Incidents, how they ended, how long acceptance and neighbours took, pages: day by day and for the week."""
    week, day = (
        period(Sort.WEEKLY, FIRST + timedelta(days=7), ZONE),
        period(Sort.DAILY, FIRST + timedelta(days=9), ZONE),
    )
    for number, of in enumerate((week, day)):
        with material(tmp_path / str(number), told, of) as found:
            _compared(told, found, of)


def _compared(told: Told, found: Material, of: Period) -> None:
    shown, was = told.at(of.end_ms), told.at(of.start_ms)
    raised = [one for one in shown.values() if one.raised_ms in of]
    ended = [one for one in shown.values() if one.state not in UNRESOLVED and one.resolved_ms in of]
    counted = incidents.figures(found)
    assert sum(one.state in UNRESOLVED for one in was.values()) == counted.total.opening
    assert sum(one.state in UNRESOLVED for one in shown.values()) == counted.total.closing
    assert dict(Counter(one.rule for one in raised)) == counted.rules
    assert [sum(one.priority is p for one in raised) for p in Priority] == [one.raised for one in counted.balances]
    for one in counted.all:
        assert one.closing == one.opening + one.raised + one.reopened - one.resolved + one.shifted
    outcomes = false_alarms.figures(found)
    assert Counter(one.disposition for one in ended) == Counter(outcomes.ended)
    causes = Counter(one.false_cause for one in ended if one.disposition is Disposition.FALSE_ALARM)
    assert causes == outcomes.causes
    accepted = [one.accepted_ms - one.raised_ms for one in raised if one.priority == 1 and one.accepted_ms is not None]
    answer = response.figures(found)
    assert (len(accepted), median_low(accepted) if accepted else None) == (
        answer.overall[Priority.P1].n,
        answer.overall[Priority.P1].median_ms,
    )
    _compared_effects(told, found, of, {one.id: one for one in raised})


def _compared_effects(told: Told, found: Material, of: Period, raised: dict[str, Incident]) -> None:
    effects = [(at, one) for at, one in told.work.done if at in of]
    pages = Counter(one.rung for _, one in effects if isinstance(one, Page))
    assert [pages[rung] for rung in load.RUNGS] == [one.pages for one in load.figures(found)]
    going = [
        one.after_ms
        for _, one in effects
        if isinstance(one, Reached) and one.milestone is Milestone.GOING and one.incident in raised
    ]
    help_came = neighbours.figures(found).all
    assert (len(going), median_low(going) if going else None) == (help_came.going.n, help_came.going.median_ms)
    assert sum(bool(one.calls) for one in raised.values()) == help_came.incidents
    climbed = {one.incident for _, one in effects if isinstance(one, Page) and one.rung is Rung.TOWN} & raised.keys()
    late = sum(one.passed_on for one in response.figures(found).rungs if one.rung is Rung.STATION)
    assert len([name for name in climbed if raised[name].priority <= Priority.P3]) == late


def test_the_period_before_is_what_its_own_report_said(told: Told, tmp_path: Path) -> None:
    """What came to be known later does not change yesterday's figures in today's report."""
    today = period(Sort.DAILY, FIRST + timedelta(days=8), ZONE)
    yesterday = before(today)
    kept(tmp_path, told.work)
    past = Past(f"sqlite:///{tmp_path / 'data' / 'journal.db'}")
    found = []
    for of in (today, yesterday):
        folding = Folding(REGISTRY, DEFAULTS, AREA, (before(of).start_ms, of.start_ms, of.end_ms))
        folding.run(past)
        at = 1 if of is today else 2
        opening, closing = folding.standings[at - 1], folding.standings[at]
        found.append(Material(yesterday, yesterday.end_ms, opening, closing, None, folding.pages))
    past.close()
    for section in (incidents, response, neighbours, false_alarms, load, recorders, gateways):
        assert section.figures(found[0]) == section.figures(found[1])


def test_what_happened_while_nobody_watched_is_known_of_nobody(told: Told, tmp_path: Path) -> None:
    """Gateways are heard for a share of the time on watch, and of none nothing can be said."""
    of = period(Sort.DAILY, FIRST + timedelta(days=5), ZONE)
    watched = [(of.start_ms - H, of.start_ms + 6 * H), (of.start_ms + 9 * H, of.end_ms + H)]
    with material(tmp_path / "some", told, of, watched) as found:
        assert {21 * H} == {one.over_ms for one in gateways.figures(found)}
        for one in gateways.figures(found):
            spells = clipped(
                ((a, of.end_ms if b is None else b) for a, b in found.closing.heard.get(one.gateway, ())), 0, of.end_ms
            )
            naive = sum(total_ms(clipped(spells, max(a, of.start_ms), min(b, of.end_ms))) for a, b in watched)
            assert naive == one.heard_ms
    with material(tmp_path / "none", told, of, []) as found:
        assert {None} == {one.share for one in gateways.figures(found)}
        assert {None} == {one.mean for one in load.figures(found)}
        villages, _ = risk.figures(found)
        assert all(one.high >= one.low + 25 for one in villages), "what is not known may be as bad as can be"


def test_a_recorder_is_blind_from_when_it_was_until_it_is_well(tmp_path: Path) -> None:
    """Over midnight, once more in the same incident, and at the end of the period still."""
    told = Told(Village(1))
    work = told.work
    work.happen(Kind.NVR_OFFLINE, "works-nvr", 22 * H)
    work.happen(Kind.NVR_OFFLINE, "works-nvr", DAY + 2 * H, qualifier=Qualifier.RESTORE)
    work.happen(Kind.NVR_OFFLINE, "works-nvr", DAY + 5 * H)
    work.happen(Kind.NVR_OFFLINE, "works-nvr", DAY + 6 * H, qualifier=Qualifier.RESTORE)
    work.happen(Kind.NVR_DISK, "works-nvr-disk", DAY + 23 * H)
    work.wait(3 * DAY)
    of = period(Sort.DAILY, FIRST + timedelta(days=1), ZONE)
    assert START_MS + DAY == of.start_ms
    with material(tmp_path, told, of) as found:
        (works,) = recorders.figures(found).blind
        assert ("works", (2 + 1 + 1) * H, 1) == (works.place.value, works.blind_ms, works.still)
        assert 1 == recorders.figures(found).registered


def test_parts_of_a_larger_incident_are_counted_with_it(told: Told, tmp_path: Path) -> None:
    """The oracle above leaves them out as well; here is that there are some, and that all others are counted."""
    last = told.at(START_MS + 13 * DAY)
    assert all(isinstance(named(one.rule), Rule) or one.children for one in last.values())


def test_proofs_are_judged_over_the_gateways_that_the_hub_knows() -> None:
    """One in time, one new that has not proved yet, one overdue, one never heard of: each is counted as what it is."""
    took = (1_000, 20, 300, 2)
    found = [
        ProofView(AREA, "gw-1", 5, 10, False, *took, "", None),
        ProofView(AREA, "gw-2", None, 99, True, None, None, None, 0, "", None),
        ProofView(AREA, "gw-3", None, 10, False, None, None, None, 0, "", None),
        ProofView(AREA, "gw-4", None, None, False, None, None, None, 0, "", None),
    ]
    assert Proofs(1, 1, 1, 1, Spread(1, 1_320, 1_320, 1_320)) == trials.proofs(found)
    assert (1 / 3, None) == (trials.unproved(found), trials.unproved(found[3:]))


def test_alarms_are_told_by_place_only_where_that_may_be_known() -> None:
    """A site's zone by name, a household's by its group, a silent one nowhere."""
    work = Village(4)
    for minute, (kind, zone) in enumerate(
        [(Kind.TAMPER, "works-tamper"), (Kind.INTRUSION, "h03-door"), (Kind.DURESS, "h12")]
    ):
        work.happen(kind, zone, minute * 60_000)
    figures = work.desk.alarms.figures(AREA, START_MS, START_MS + DAY, START_MS + DAY)
    found = presented(figures, Places(REGISTRY, AREA))
    assert 3 == found.presented
    assert {("tamper", "works-tamper", 1), ("intrusion", "east", 1), ("duress", "", 1)} == set(found.frequent)
