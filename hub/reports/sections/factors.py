"""What risk is judged by: each factor with its weight, where it begins to count, and where it counts in full."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.reports.layout import As


class Factor(StrEnum):
    """What makes it less likely that help comes in time. Things and times, never persons."""

    GATEWAYS = "silent_gateways"
    FAULTS = "open_faults"
    RECORDERS = "blind_recorders"
    NEIGHBOURS = "slow_neighbours"
    ACCEPTANCE = "late_acceptance"
    MAKE_UP = "make_up"
    FALSE_ALARMS = "false_alarms"
    PROOFS = "overdue_proofs"


class Weighed(msgspec.Struct, frozen=True):
    """A factor's points, and the measures (read as `shown`) up to which it gives none and from which it gives all."""

    points: int
    none_at: float
    all_at: float
    shown: As


WEIGHTS: dict[Factor, Weighed] = {
    # A press at a gateway that is not heard reaches nobody outside its own group.
    Factor.GATEWAYS: Weighed(20, 0.0, 0.10, As.SHARE),
    # Open faults and tampers for each member: what is broken does not call.
    Factor.FAULTS: Weighed(20, 0.0, 0.25, As.NUMBER),
    # What happens before a blind recorder cannot be looked at afterwards.
    Factor.RECORDERS: Weighed(15, 0.0, 0.25, As.SHARE),
    # After a minute the desk itself calls the head household again; five minutes are too long for a break-in.
    Factor.NEIGHBOURS: Weighed(15, 60_000.0, 300_000.0, As.SPAN),
    # Gateways that have not proved in time that what they say becomes an incident and a notice.
    Factor.PROOFS: Weighed(10, 0.0, 0.50, As.SHARE),
    # P1 and P2 that nobody at the station accepted in time.
    Factor.ACCEPTANCE: Weighed(10, 0.0, 0.50, As.SHARE),
    # A village: the share of its households that is in no group. A group: a size out of 10 to 20, or no head household.
    Factor.MAKE_UP: Weighed(5, 0.20, 0.60, As.SHARE),
    # Who is called in vain too often does not run any more.
    Factor.FALSE_ALARMS: Weighed(5, 0.20, 0.80, As.SHARE),
}
"""100 points in all."""


class Judged(msgspec.Struct, frozen=True):
    """A factor at one place: what was measured (None: not known, or nothing to measure by), and its points, rounded to
    tenths. `lacking`: points it might have, as it is not known."""

    factor: Factor
    measured: float | None
    points: float
    lacking: float


def judged(factor: Factor, measured: float | None) -> Judged:
    """The points of a measure: none up to `none_at`, all from `all_at` on, evenly between."""
    weight = WEIGHTS[factor]
    if measured is None:
        return Judged(factor, None, 0.0, float(weight.points))
    level = (measured - weight.none_at) / (weight.all_at - weight.none_at)
    return Judged(factor, measured, round(weight.points * min(1.0, max(0.0, level)), 1), 0.0)


class Risk(msgspec.Struct, frozen=True):
    """A village or group with its factors. The score lies from `low` to `high`: between them is what is not known."""

    village: str
    group: str
    name: str
    factors: tuple[Judged, ...]

    @property
    def low(self) -> float:
        """The points that are sure."""
        return round(sum(one.points for one in self.factors), 1)

    @property
    def high(self) -> float:
        """With the points that nobody can exclude."""
        return round(self.low + sum(one.lacking for one in self.factors), 1)
