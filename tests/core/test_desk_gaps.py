"""The alarm lane's gap ledger is the desk's: what the hub closes goes through the fold like everything else."""

from __future__ import annotations

import msgspec
import pytest

from hub.core import dedup, ledger
from hub.core.desk import Desk
from hub.core.heard import Gapped
from hub.core.io import Input
from hub.core.ledger import Tally
from protocol.kinds import Kind
from protocol.ranges import Ranges
from tests.support.desk import AREA, DEFAULTS, INSTANCE, REGISTRY, START_MS, DeskAtWork, S

GW = "gw-east"


def closing(last: int, first: int = 1) -> Gapped:
    return Gapped(AREA, GW, INSTANCE, first, last, "the gateway no longer has them", 1, by_hub=True)


def shown(desk: Desk) -> list[tuple[str, int, int]]:
    found = [one for book in desk.books(AREA, GW) for one in ledger.missing(book)]
    return [(str(one.state), one.first, one.last) for one in found]


def test_a_closing_counts_what_is_missing_and_somebody_must_look() -> None:
    """One P3 with the count, not one a range; what is closed is not receipted, and closing it again is nothing."""
    village = DeskAtWork()
    for at, seq in enumerate((2, 5, 9)):
        village.press("h01", at * S, seq=seq)
    village.take(closing(8))
    faults = [one for one in village.desk.incidents() if one.rule == "fault"]
    assert [(3, "gw-east: the gateway gave up records (6 records, 1 to 8: the gateway no longer has them)")] == [
        (one.priority, one.why) for one in faults
    ]
    assert {INSTANCE: Ranges([(2, 2), (5, 5), (9, 9)])} == village.desk.marks(AREA, GW)
    assert [("closed", 1, 1), ("closed", 3, 4), ("closed", 6, 8)] == shown(village.desk)
    before = village.desk.snapshot()
    village.take(closing(8))
    assert (False, before) == (village.desk.verdict.effective, village.desk.snapshot())


def test_holes_closed_later_join_the_incident_that_is_open() -> None:
    """A gateway has one incident of lost records until it is resolved, whoever said so."""
    village = DeskAtWork()
    village.press("h01", 0, seq=3)
    village.take(closing(2))
    village.press("h01", S, seq=6)
    village.take(closing(5, first=4))
    village.take(Gapped(AREA, GW, INSTANCE, 7, 7, "outbox full", 1))
    assert 1 == len([one for one in village.desk.incidents() if one.rule == "fault"])
    assert Tally(open=0, lost=5) == village.desk.tally([AREA])


def test_a_record_of_what_was_closed_is_taken() -> None:
    """A press that comes after its gap was closed is a press like any other."""
    village = DeskAtWork()
    village.happen(Kind.BATTERY_LOW, "h01-door", 0, seq=4)
    village.take(closing(3))
    village.press("h01", S, seq=2)
    assert "panic" in {one.rule for one in village.desk.incidents()}
    assert [("closed", 1, 1), ("closed", 3, 3)] == shown(village.desk)
    assert Tally(open=0, lost=3, refilled=1) == village.desk.tally([AREA])


def test_the_ledger_rebuilds_from_the_journal_to_the_byte() -> None:
    """Holes, gaps, closings and what came after all: replayed and restored they are the same."""
    village = DeskAtWork()
    village.press("h01", 0, seq=9)
    village.take(Gapped(AREA, GW, INSTANCE, 2, 3, "disk full", 1))
    village.press("h01", S, seq=3)
    village.take(closing(6))
    village.press("h01", 2 * S, seq=5)
    again, restored = Desk(REGISTRY, DEFAULTS), Desk(REGISTRY, DEFAULTS)
    for at_ms, kept in village.journal:
        again.begin()
        again.step(msgspec.json.decode(kept, type=Input), at_ms, replayed=True)
        again.commit()
    restored.restore(village.desk.snapshot())
    expected = [("closed", 1, 1), ("declared", 2, 2), ("closed", 4, 4), ("closed", 6, 6), ("open", 7, 8)]
    for desk in (village.desk, again, restored):
        assert expected == shown(desk)
        assert Tally(open=2, lost=6, refilled=2) == desk.tally([AREA])
        assert village.desk.snapshot() == desk.snapshot()


def test_a_batch_taken_back_leaves_the_ledger_as_it_was() -> None:
    """To the last byte, tally and all."""
    village = DeskAtWork()
    village.press("h01", 0, seq=9)
    before = village.desk.snapshot()
    village.desk.begin()
    village.desk.step(closing(8), START_MS)
    village.desk.rollback()
    assert before == village.desk.snapshot()


def test_holes_of_a_forgotten_process_are_counted() -> None:
    """The process with the lowest boot goes when there is one too many; what was open of it is forgotten, not lost."""
    village = DeskAtWork()
    for boot in range(1, dedup.INSTANCES_MAX + 3):
        record = village.record(Kind.BATTERY_LOW, "h01-door", 0, seq=4)
        village.take(msgspec.structs.replace(record, instance=f"{boot:032x}", boot=boot))
    assert Tally(open=3 * dedup.INSTANCES_MAX, forgotten=6) == village.desk.tally([AREA])
    assert dedup.INSTANCES_MAX == len(village.desk.books(AREA, GW))


def test_a_process_of_too_many_holes_waits_with_what_is_not_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its P4 is not taken and so not receipted, unless it fills a hole; its P1 is taken."""
    monkeypatch.setattr(ledger, "RUNS_MAX", 3)
    village = DeskAtWork()
    for seq in (2, 5, 9, 12, 6):
        village.happen(Kind.BATTERY_LOW, "h01-door", seq * S, seq=seq)
    village.press("h01", 20 * S, seq=15)
    assert {INSTANCE: Ranges([(2, 2), (5, 6), (9, 9), (15, 15)])} == village.desk.marks(AREA, GW)


def test_a_process_that_gave_up_too_many_ranges_waits_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that touches a known range is still taken, and what the hub itself closes is."""
    monkeypatch.setattr(ledger, "RUNS_MAX", 2)
    village = DeskAtWork()
    for first, last in ((2, 3), (6, 7), (10, 11), (8, 8)):
        village.take(Gapped(AREA, GW, INSTANCE, first, last, "outbox full", 1))
    assert {INSTANCE: Ranges([(2, 3), (6, 8)])} == village.desk.marks(AREA, GW)
