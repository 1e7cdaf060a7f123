"""What reports are made of: an area as it stood when a period began and when it ended, and what came in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.effects import Rung
from hub.core.ledger import Tally
from hub.core.proof import ProofView
from hub.notify.notice import State
from hub.registry.coverage import Village
from hub.reports.case import Case
from hub.reports.period import Period
from hub.reports.places import Places
from hub.reports.stats import Spell, clipped
from hub.reports.trial import Presented, Trial


@dataclass(frozen=True, slots=True)
class Standing:
    """An area at one moment, by the journal. `heard` are each gateway's spells of being heard, whose last may be open.

    `kept`: the registry is the one that counted then; else it is that of today. `presented` are the alarms since the
    cut before.
    """

    at_ms: int
    cases: Mapping[str, Case]
    heard: Mapping[str, tuple[tuple[int, int | None], ...]]
    tally: Tally
    places: Places
    villages: tuple[Village, ...]
    kept: bool
    trials: tuple[Trial, ...] = ()
    proofs: tuple[ProofView, ...] = ()
    presented: Presented | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All that a report of one period is made of.

    `watched` is when the hub could hear and write, by its own book; None where it kept none. `until_ms` is the
    period's end, or now. `pages` count by rung and minute (ms); `notices` by channel and what became of them, None
    where nothing is known of them.
    """

    period: Period
    until_ms: int
    opening: Standing
    closing: Standing
    watched: tuple[Spell, ...] | None = None
    pages: Mapping[Rung, Mapping[int, int]] = field(default_factory=dict)
    notices: Mapping[str, Mapping[State, int]] | None = None
    going_ms: int = 60_000

    @property
    def known(self) -> list[Spell]:
        """When, of this period, the hub was on watch."""
        return clipped(self.watched or (), self.period.start_ms, self.until_ms)

    @property
    def raised(self) -> list[Case]:
        """Incidents raised in the period, those that are counted, in order."""
        found = [one for one in self.closing.cases.values() if one.top and self.within(one.raised_ms)]
        return sorted(found, key=lambda one: (one.raised_ms, one.id))

    @property
    def resolved(self) -> list[Case]:
        """Incidents that were resolved in the period and stayed so, in order."""
        found = [
            one for one in self.closing.cases.values() if one.top and not one.open and self.within(one.resolved_ms)
        ]
        return sorted(found, key=lambda one: (one.resolved_ms or 0, one.id))

    def within(self, at_ms: int | None) -> bool:
        """Whether that was in the period, as far as it has come."""
        return at_ms is not None and self.period.start_ms <= at_ms < self.until_ms
