"""The four rungs: group and station at once, then town, then county, unless accepted in time."""

from __future__ import annotations

import json

import pytest

from hub.core.acts import Disposition, Move
from hub.core.effects import Rung
from hub.core.escalation import OVERDUE
from protocol.kinds import Kind, Priority
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, H, S, pages

LIMITS = {
    "p1": (Kind.PANIC, "h01-panic", [60 * S, 180 * S]),
    "p2": (Kind.INTRUSION, "h01-door", [5 * MIN, 15 * MIN]),
    "p3": (Kind.TAMPER, "h03-tamper", [30 * MIN, 150 * MIN]),
    "p4": (Kind.ZONE_FAULT, "h01-door", [24 * H]),
}


@pytest.mark.parametrize("priority", LIMITS)
def test_each_priority_climbs_at_its_own_limits(priority: str) -> None:
    """Nobody accepts: the town is paged at the first limit and the county at the second, no earlier, no rung twice;
    of a P4 the station too, which has not been told before."""
    kind, where, limits = LIMITS[priority]
    village = DeskAtWork()
    village.happen(kind, where, 0)
    for limit, rung in zip(limits, (Rung.TOWN, Rung.COUNTY), strict=False):
        assert rung not in {told for told, _ in pages(village.wait(limit - 1))}
        told = {told for told, why in pages(village.wait(limit)) if why.startswith("not accepted in")}
        assert told == {str(rung)} | ({"station"} if priority == "p4" else set())
        assert rung is village.only().rung
    assert [why for _, why in pages(village.wait(limits[-1] + 48 * H)) if why.startswith("not accepted")] == []


def test_a_panic_pages_group_and_station_at_once() -> None:
    """Both are told in the same step, and nobody above them."""
    assert {"group", "station"} == {rung for rung, _ in pages(DeskAtWork().press("h01", 0))}


def test_a_fault_pages_nobody_at_first() -> None:
    """Maintenance is on the list and rings no one until its day is over."""
    assert pages(DeskAtWork().happen(Kind.ZONE_FAULT, "h01-door", 0)) == []


@pytest.mark.parametrize("priority", LIMITS)
def test_what_nobody_accepted_in_time_is_on_the_supervisors_list(priority: str) -> None:
    """From its first limit until somebody accepts it."""
    kind, where, limits = LIMITS[priority]
    village = DeskAtWork()
    village.happen(kind, where, 0)
    village.wait(limits[0] - 1)
    assert OVERDUE not in village.only().conditions
    village.wait(limits[0])
    assert OVERDUE in village.only().conditions
    village.move(village.only(), Move.ACCEPT)
    assert OVERDUE not in village.only().conditions


def test_accepted_in_time_climbs_no_more() -> None:
    """An accepted incident has no accept limit left."""
    village = DeskAtWork()
    village.press("h01", 0)
    village.now = 59 * S
    village.move(village.only(), Move.ACCEPT)
    assert [why for _, why in pages(village.wait(24 * H)) if why.startswith("not accepted")] == []
    assert Rung.STATION is village.only().rung


def test_a_confirmed_intrusion_climbs_as_a_p1() -> None:
    """Confirmation at 4 min leaves 60 s from then, or what the P2 limit leaves if that is less."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h01-motion", 2 * MIN)
    assert min(due for due in [_accept_due(village)]) == START_MS + 3 * MIN
    late = DeskAtWork()
    late.happen(Kind.INTRUSION, "h01-door", 0)
    late.happen(Kind.INTRUSION, "h01-motion", 4 * MIN + 30 * S)
    assert _accept_due(late) == START_MS + 5 * MIN


def _accept_due(village: DeskAtWork) -> int:
    due = village.desk._tables.timers.committed((AREA, f"accept:{village.only().id}"))
    assert due is not None
    return due


def test_children_of_a_parent_do_not_escalate_alone() -> None:
    """Only the parent pages the town."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h02-door", S)
    village.wait(24 * H)
    rungs = {incident.rule: incident.rung for incident in village.desk.incidents()}
    assert rungs == {"group_intrusion": Rung.COUNTY, "intrusion": Rung.STATION}


def test_a_child_left_alone_by_a_late_record_escalates_again() -> None:
    """The parent is re-read around an earlier trip; who is no longer in it gets its own limit back."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 8 * MIN)
    village.happen(Kind.INTRUSION, "h02-door", 17 * MIN)
    village.happen(Kind.INTRUSION, "h04-door", 0, 17 * MIN + S)
    alone = next(i for i in village.desk.incidents() if i.premises == ["h02"])
    assert alone.parent is None
    village.wait(23 * MIN)
    assert Rung.TOWN is village.now_of(alone).rung


def test_resolved_and_reviewed_archives_itself_and_is_forgotten_later() -> None:
    """A day after the review the system archives it; a week later the desk lets go of every trace but the counts."""
    village = DeskAtWork()
    empty = village.desk.snapshot()
    village.press("h01", 0)
    incident = village.only()
    village.move(incident, Move.ACCEPT)
    village.move(incident, Move.RESOLVE, disposition=Disposition.TEST)
    village.move(incident, Move.REVIEW, by="sup-1")
    village.wait(24 * H)
    assert village.only().state == "archived"
    village.wait(9 * 24 * H)
    assert village.desk.incidents() == []
    assert village.desk.next_due_ms() is None
    left, fresh = _tables(village.desk.snapshot()), _tables(empty)
    counts = {"hours", "kept_hours", "watch"}
    assert {"seen", "instances", "zones"} | counts == {name for name in left if left[name] != fresh[name]}


def _tables(snapshot: bytes) -> dict[str, object]:
    tables: dict[str, object] = json.loads(snapshot)
    return tables


def test_an_old_intrusion_confirmed_by_an_old_room_is_for_the_must_look_list() -> None:
    """Both come hours late: P1, but not to be raced for, and the page says how late."""
    desk = DeskAtWork()
    late = 4 * H
    desk.happen(Kind.INTRUSION, "h01-door", 0, late)
    effects = desk.happen(Kind.INTRUSION, "h01-motion", MIN, late)
    assert (Priority.P1, ["must_look"]) == (desk.only().priority, desk.only().conditions)
    assert [("station", "h01-door tripped, confirmed by h01-motion 60 s later (must look: late by 3 h)")] == pages(
        effects
    )[:1]
    desk.wait(late + 4 * MIN)
    assert Rung.STATION is desk.only().rung


def test_an_old_intrusion_confirmed_live_is_raced_for() -> None:
    """The door comes hours late, the room is now: somebody is in there."""
    desk = DeskAtWork()
    desk.happen(Kind.INTRUSION, "h01-door", 0, 25 * MIN)
    desk.happen(Kind.INTRUSION, "h01-motion", 25 * MIN)
    assert (Priority.P1, []) == (desk.only().priority, desk.only().conditions)
    desk.wait(27 * MIN)
    assert Rung.TOWN is desk.only().rung
