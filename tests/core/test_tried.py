"""Drills and proofs of an area and a period, as reports read them."""

from __future__ import annotations

from hub.core.trials import DrillMove, DrillMoved, DrillPlanned, Proved
from hub.core.tried import tried
from protocol.kinds import Kind
from tests.support.desk import AREA, START_MS, DeskAtWork, H, S


def test_a_period_has_the_drills_that_ended_in_it_and_every_gateway() -> None:
    """The end of the period is not in it; what runs is in none; the oldest proof stands first."""
    village = DeskAtWork()
    for number, at in enumerate((H, 2 * H, 3 * H)):
        name = f"d{number}"
        village.take(DrillPlanned(AREA, name, Kind.PANIC, "susi", "0" * 64, ["h03"]), at)
        village.take(DrillMoved(AREA, name, DrillMove.END, "susi", "0" * 64), at + S)
    village.take(DrillPlanned(AREA, "runs", Kind.PANIC, "susi", "0" * 64, ["h03"]), 4 * H)
    village.link("gw-west", True, 0)
    village.happen(Kind.TEST, "h01", 5 * H, drill=True)
    (proof,) = [one for one in village.desk.incidents() if one.rule == "proof"]
    village.take(Proved(AREA, proof.id, 1), 5 * H)
    now_ms = START_MS + 26 * H
    desk = village.desk
    found = tried(desk.drills(AREA, now_ms), desk.proofs(AREA, now_ms), START_MS + H, START_MS + 3 * H + S)
    assert ["d0", "d1"] == [drill.id for drill in found.drills]
    assert all(drill.report is not None for drill in found.drills)
    assert "gw-west" == found.proofs[0].gateway
    assert (len(found.proofs), 1, 1) == (found.gateways, found.proved, found.overdue)
