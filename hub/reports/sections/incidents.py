"""What was raised, resolved and left open: the book balances from the beginning of the period to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from hub.core.incident import UNRESOLVED
from hub.reports import layout
from hub.reports.case import Case
from hub.reports.layout import As, Chart, Section, Series
from hub.reports.material import Material, Standing
from hub.reports.sections.ticks import ticks
from protocol.kinds import Priority


class Balance(msgspec.Struct, frozen=True):
    """Incidents of one priority (None: of all): open at the beginning, raised, resolved, reopened, open at the end.

    `shifted` are those that came from or went to another priority, or to a parent, meanwhile.
    """

    priority: Priority | None
    opening: int
    raised: int
    resolved: int
    reopened: int
    shifted: int
    closing: int


class Incidents(msgspec.Struct, frozen=True):
    """A period's incidents, drills apart. What is part of another incident is counted with that."""

    balances: tuple[Balance, ...]
    total: Balance
    rules: dict[str, int]
    villages: dict[str, int]

    @property
    def all(self) -> tuple[Balance, ...]:
        """By priority, then the total."""
        return (*self.balances, self.total)


def figures(of: Material) -> Incidents:
    """The incidents of a period."""
    raised = of.raised
    balances = tuple(_balance(of, priority) for priority in Priority)
    villages = Counter(one.place.village for one in raised)
    return Incidents(balances, _balance(of, None), dict(Counter(one.rule for one in raised)), dict(villages))


def shown(of: Material, before: Material) -> Section:
    """By priority, by kind, by village, each beside the period before; and over time."""
    now, was = figures(of), figures(before)
    names = of.closing.places.villages
    return Section(
        "incidents",
        charts=(_over_time(of),),
        tables=(
            layout.table(
                "balance",
                [
                    ("priority", As.WORD),
                    *((key, As.COUNT) for key in ("opening", "raised", "reopened", "resolved", "shifted", "closing")),
                    ("raised_before", As.COUNT),
                ],
                [_row(one, other) for one, other in zip(now.all, was.all, strict=True)],
            ),
            layout.table("kinds", _COMPARED, _compared(now.rules, was.rules)),
            layout.table(
                "villages",
                [("village", As.NAME), *_COMPARED[1:]],
                [
                    (names.get(key) or layout.word("elsewhere"), *rest)
                    for key, *rest in _compared(now.villages, was.villages)
                ],
            ),
        ),
    )


_COMPARED = [("kind", As.WORD), ("raised", As.COUNT), ("raised_before", As.COUNT)]


def _compared(now: dict[str, int], was: dict[str, int]) -> list[tuple[str, int, int]]:
    keys = sorted(now.keys() | was.keys(), key=lambda key: (-now.get(key, 0), -was.get(key, 0), key))
    return [(key, now.get(key, 0), was.get(key, 0)) for key in keys]


def _row(one: Balance, before: Balance) -> tuple[layout.Value, ...]:
    key = "all" if one.priority is None else one.priority.name.lower()
    counts = (one.opening, one.raised, one.reopened, one.resolved, one.shifted, one.closing)
    return (key, *counts, before.raised)


def _balance(of: Material, priority: Priority | None) -> Balance:
    def those(cases: Iterable[Case]) -> list[Case]:
        return [one for one in cases if one.top and priority in (None, one.priority)]

    opening, closing = _open(of.opening, priority), _open(of.closing, priority)
    found = those(of.closing.cases.values())
    raised = sum(of.within(one.raised_ms) for one in found)
    resolved = sum(of.within(at_ms) for one in found for at_ms in one.resolves)
    reopened = sum(of.within(at_ms) for one in found for at_ms in one.reopened)
    shifted = closing - (opening + raised + reopened - resolved)
    return Balance(priority, opening, raised, resolved, reopened, shifted, closing)


def _open(standing: Standing, priority: Priority | None) -> int:
    return sum(
        one.top and one.state in UNRESOLVED and priority in (None, one.priority) for one in standing.cases.values()
    )


def _over_time(of: Material) -> Chart:
    steps, raised = ticks(of), of.raised
    series = [
        Series(
            priority.name.lower(),
            tuple(
                sum(one.priority is priority and step.start_ms <= one.raised_ms < step.end_ms for one in raised)
                for step in steps
            ),
        )
        for priority in Priority
    ]
    labels = tuple(step.label for step in steps)
    return Chart("raised", labels, tuple(series), As.COUNT, stacked=True, unknown=tuple(s.unsure for s in steps))
