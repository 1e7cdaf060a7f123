"""Batches: what is committed stays, what is rolled back never was, and the journal rebuilds the desk."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.acts import Disposition, Move, Moved, Stage
from hub.core.desk import Desk
from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Replied
from hub.core.io import Due, Input, NotAllowed
from protocol.kinds import Kind, Qualifier
from protocol.messages import Action, Outcome, Result
from protocol.ranges import Ranges
from tests.support.desk import AREA, DEFAULTS, INSTANCE, REGISTRY, START_MS, DeskAtWork, S, everyone, sends

KINDS = (Kind.PANIC, Kind.INTRUSION, Kind.FIRE, Kind.TAMPER, Kind.ZONE_FAULT, Kind.CANCEL, Kind.DISARMED, Kind.DURESS)
PLACES = ("h01-door", "h01-motion", "h02-door", "h01", "h09", "works-hall", "works")


def acts() -> st.SearchStrategy[tuple[str, Any]]:
    """Things that may reach the desk; incidents and orders are chosen by number when it is their turn."""
    record = st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(PLACES),
        st.sampled_from((None, 0, 90 * S, 200 * S, 2_000 * S)),
        st.sampled_from(list(Qualifier)),
        st.booleans(),
    )
    return st.one_of(
        st.tuples(st.just("record"), record),
        st.tuples(st.just("move"), st.tuples(st.integers(0, 9), st.sampled_from(list(Move)), st.sampled_from("ab"))),
        st.tuples(st.just("reply"), st.tuples(st.integers(0, 9), st.sampled_from(list(Outcome)))),
        st.tuples(st.just("link"), st.tuples(st.sampled_from(("gw-east", "gw-west")), st.booleans())),
        st.tuples(st.just("wait"), st.integers(1, 4_000)),
        st.tuples(st.just("again"), st.integers(0, 9)),
    )


def inputs_of(village: DeskAtWork, act: tuple[str, Any]) -> list[tuple[Input, int]]:
    """The act as inputs for this desk, with their times from the start."""
    sort, value = act
    now = village.now
    if sort == "record":
        kind, place, age, qualifier, drill = value
        record = village.record(kind, place, now, now, qualifier=qualifier, drill=drill, key=f"k-{place}")
        return [(msgspec.structs.replace(record, age_ms=age), now)]
    if sort == "move":
        number, move, by = value
        incidents = village.desk.incidents()
        if not incidents:
            return []
        incident = incidents[number % len(incidents)].id
        more = {"to": "team", "stage": Stage.EN_ROUTE, "disposition": Disposition.TEST, "note": "00"}
        return [(Moved(AREA, incident, move, by, **more), now)]  # type: ignore[arg-type]  # of several types
    if sort == "reply":
        number, outcome = value
        orders = village.desk.resume(START_MS + now)
        order = orders[number % len(orders)] if orders else None
        if order is None:
            return []
        return [(Replied(AREA, order.gateway, order.order, [Result(order.premises[0], outcome)]), now)]
    if sort == "link":
        return [(Linked(AREA, value[0], value[1], START_MS + now), now)]
    if sort == "again" and village.journal:
        _, kept = village.journal[value % len(village.journal)]
        return [(msgspec.json.decode(kept, type=Input), now)]
    if sort == "wait":
        village.now = now + value * S
        return [(due, village.now) for due in village.desk.due(START_MS + village.now)]
    return []


@settings(max_examples=150, deadline=None, print_blob=True)
@given(st.lists(acts(), max_size=25))
def test_a_rolled_back_batch_never_was_and_the_journal_rebuilds_the_rest(deeds: list[tuple[str, Any]]) -> None:
    """Every act is first stepped and rolled back: nothing moved. Replaying what was effective gives the same bytes."""
    village = DeskAtWork()
    for deed in deeds:
        items = inputs_of(village, deed)
        before, due = village.desk.snapshot(), village.desk.next_due_ms()
        village.desk.begin()
        for item, at in items:
            try:
                village.desk.step(item, START_MS + at)
            except NotAllowed:
                continue
        assert before == village.desk.snapshot()
        village.desk.rollback()
        assert (before, due) == (village.desk.snapshot(), village.desk.next_due_ms())
        for item, at in items:
            unchanged = village.desk.snapshot()
            try:
                village.take(item, at)
            except NotAllowed:
                assert unchanged == village.desk.snapshot()
            if not village.desk.verdict.effective:
                assert unchanged == village.desk.snapshot()
    again = Desk(REGISTRY, DEFAULTS)
    for at_ms, kept in village.journal:
        again.begin()
        again.step(msgspec.json.decode(kept, type=Input), at_ms)
        again.commit()
    assert village.desk.snapshot() == again.snapshot()
    assert village.desk.next_due_ms() == again.next_due_ms()
    restored = Desk(REGISTRY, DEFAULTS)
    restored.restore(again.snapshot())
    assert village.desk.snapshot() == restored.snapshot()
    assert village.desk.next_due_ms() == restored.next_due_ms()


def test_a_batch_is_what_its_steps_are_one_by_one() -> None:
    """Steps of one batch see each other: two presses in a batch are one incident, as in two batches."""
    alone, together = DeskAtWork(), DeskAtWork()
    records = [alone.record(Kind.PANIC, "h01-panic", at, at) for at in (0, S)]
    for record in records:
        alone.take(record, S)
    together.desk.begin()
    for record in records:
        together.desk.step(record, START_MS + S)
    together.desk.commit()
    assert alone.desk.snapshot() == together.desk.snapshot()


def test_only_what_is_committed_is_receipted() -> None:
    """Marks show a record after the commit, and not before."""
    village = DeskAtWork()
    record = village.record(Kind.PANIC, "h01-panic", 0, seq=7)
    village.desk.begin()
    village.desk.step(record, START_MS)
    assert village.desk.seen(AREA, "gw-east", INSTANCE, 7)
    assert village.desk.marks(AREA, "gw-east") == {}
    village.desk.commit()
    assert {INSTANCE: Ranges([(7, 7)])} == village.desk.marks(AREA, "gw-east")


def test_a_declared_gap_is_receipted_and_somebody_must_look() -> None:
    """The gap joins the marks and is a P3; telling it again is nothing; a record out of it is still taken."""
    village = DeskAtWork()
    gap = Gapped(AREA, "gw-east", INSTANCE, 3, 9, "the store was full")
    village.take(gap)
    assert {INSTANCE: Ranges([(3, 9)])} == village.desk.marks(AREA, "gw-east")
    assert (village.only().rule, village.only().priority) == ("fault", 3)
    village.take(gap)
    assert not village.desk.verdict.effective
    village.press("h01", S, seq=5)
    assert len(village.desk.incidents()) == 2


def test_other_bytes_under_a_known_identity_raise_and_are_judged() -> None:
    """A conflicting panic is a P3 for the conflict and its press is a press all the same, once."""
    village = DeskAtWork()
    first = village.record(Kind.TEST, "h01", 0, seq=1)
    village.take(first)
    other = village.record(Kind.PANIC, "h01-panic", 0, seq=1)
    conflict = Conflicted(AREA, other.gateway, INSTANCE, 1, other.event, 0)
    village.take(conflict)
    assert [incident.rule for incident in village.desk.incidents()] == ["panic", "fault"]
    before = village.desk.snapshot()
    assert village.take(conflict) == []
    assert before == village.desk.snapshot()


def test_what_is_unknown_changes_nothing() -> None:
    """Records of gateways and zones that the registry does not have are ignored with their reason."""
    village = DeskAtWork()
    record = village.record(Kind.PANIC, "h01-panic", 0)
    stray = msgspec.structs.replace(record.event, zone="h77-panic")
    for item, reason in (
        (msgspec.structs.replace(record, gateway="gw-none"), "unknown_gateway"),
        (msgspec.structs.replace(record, gateway="gw-west"), "unknown_zone"),
        (msgspec.structs.replace(record, event=stray), "unknown_zone"),
        (msgspec.structs.replace(record, area="elsewhere"), "unknown_gateway"),
    ):
        before = village.desk.snapshot()
        assert village.take(item) == []
        assert reason == getattr(village.desk.verdict, "reason", None)
        assert before == village.desk.snapshot()


def test_a_withdrawn_deadline_that_fires_is_nothing() -> None:
    """A deadline that was due when asked for but is gone when stepped does nothing."""
    village = DeskAtWork()
    village.press("h01", 0)
    incident = village.only()
    village.move(incident, Move.ACCEPT)
    assert village.take(Due(AREA, f"accept:{incident.id}"), 60 * S) == []
    assert not village.desk.verdict.effective


def test_a_household_that_left_the_registry_is_borne_with() -> None:
    """Its open incident is resolved under the registry without it, and whoever was called hears so where it rang."""
    village = DeskAtWork()
    village.press("h03", 0)
    premises = {key: value for key, value in REGISTRY.premises.items() if key[1] not in ("h03", "h04")}
    after = DeskAtWork()
    after.desk = Desk(replace(REGISTRY, premises=premises), DEFAULTS)
    after.desk.restore(village.desk.snapshot())
    after.move(after.only(), Move.ACCEPT)
    effects = after.move(after.only(), Move.RESOLVE, disposition=Disposition.TEST)
    told = {premises for order in sends(effects, Action.STAND_DOWN) for premises in order.premises}
    assert everyone("east") == told
    assert after.desk.groups(AREA)[0].incidents == []


def test_what_is_no_snapshot_is_refused_and_changes_nothing() -> None:
    """The desk stays as it was."""
    village = DeskAtWork()
    village.press("h03", 0)
    before = village.desk.snapshot()
    with pytest.raises(msgspec.ValidationError):
        village.desk.restore(b'{"seen": 1}')
    assert before == village.desk.snapshot()


def test_ids_are_the_same_at_another_hub() -> None:
    """The id of an incident follows from the record that opened it, not from when it arrived."""
    here, there = DeskAtWork(), DeskAtWork()
    here.press("h01", 0, 0, seq=4)
    there.press("h01", 0, 90 * S, seq=4)
    assert here.only().id == there.only().id
    assert here.only().id.startswith("hengjie-panic-")


def test_a_step_touches_its_own_area_and_little_else() -> None:
    """A thousand incidents elsewhere add nothing to what a press changes."""
    village = DeskAtWork()
    for number in range(1000):
        village.happen(Kind.TAMPER, "h03-tamper" if number % 2 else "works-tamper", number)
    village.desk.begin()
    village.desk.step(village.record(Kind.PANIC, "h12-panic", 0), START_MS)
    tables = village.desk._tables.all()
    touched = {name: len(list(table.changed())) for name, table in tables.items()}
    village.desk.rollback()
    assert sum(touched.values()) <= 20


def test_the_history_shown_is_bounded() -> None:
    """Beyond its limit old lines go and are counted; every record still counts."""
    village = DeskAtWork()
    for number in range(1200):
        village.happen(Kind.TAMPER, "h03-tamper", number)
    incident = village.only()
    assert len(incident.history) == 500
    assert incident.dropped > 700 - 100
    assert incident.presses == 1200
    dossiers = json.loads(village.desk.snapshot())["dossiers"]
    assert len(dossiers[0][1]["marks"]) == 256


def test_orders_and_records_read_back_from_the_journal() -> None:
    """Every sort of input survives the journal's JSON."""
    village = DeskAtWork()
    effects = village.press("h01", 0)
    village.reply(sends(effects, Action.SIREN)[0])
    for _, kept in village.journal:
        assert kept == msgspec.json.encode(msgspec.json.decode(kept, type=Input))
    assert {Recorded, Replied} == {type(msgspec.json.decode(kept, type=Input)) for _, kept in village.journal}
