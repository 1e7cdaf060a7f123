"""What was tried on purpose in an area and a period, for reports: its drills, and how its gateways stand."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.core.drill import Drill, DrillState
from hub.core.proof import ProofView

OVER = (DrillState.ENDED, DrillState.ABORTED, DrillState.MISSED)


class Tried(msgspec.Struct, frozen=True):
    """`drills` that came to their end in the period, the oldest first, each with its report. `proofs` of all `gateways`
    as they are now, the oldest first: `proved` have a whole one that is young enough, `overdue` have none."""

    drills: list[Drill]
    proofs: list[ProofView]
    gateways: int
    proved: int
    overdue: int


def tried(drills: Iterable[Drill], proofs: Iterable[ProofView], from_ms: int, until_ms: int) -> Tried:
    """The drills of `Desk.drills` that ended from `from_ms` up to, but not at, `until_ms` (hub wall), and the proofs of
    `Desk.proofs`."""
    over = [one for one in drills if one.state in OVER and one.ended_ms is not None]
    mine = sorted((one for one in over if from_ms <= (one.ended_ms or 0) < until_ms), key=lambda one: one.ended_ms or 0)
    all_ = sorted(proofs, key=lambda one: (-(one.age_ms or 0), one.gateway))
    overdue = sum(one.overdue for one in all_)
    proved = sum(one.proved_ms is not None and not one.overdue for one in all_)
    return Tried(mine, all_, len(all_), proved, overdue)
