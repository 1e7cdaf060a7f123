"""Split: one record of an incident is another matter, and becomes an incident of its own."""

from __future__ import annotations

import msgspec
import pytest

from hub.core.acts import Disposition, Move
from hub.core.desk import Desk
from hub.core.incident import State
from hub.core.io import Input, NotAllowed
from protocol.kinds import Kind
from tests.support.desk import DEFAULTS, MIN, DeskAtWork, H, S, called, pages


def two_presses() -> DeskAtWork:
    """h03 and h09 within a minute: one incident, which somebody accepted."""
    village = DeskAtWork()
    village.press("h03", 0)
    village.press("h09", MIN)
    village.move(village.only(), Move.ACCEPT)
    return village


def record(village: DeskAtWork, premises: str) -> str:
    """What the record of a household is known by in the history."""
    (line,) = [line for line in village.only().history if line.premises == premises and line.record]
    assert line.record is not None
    return line.record


def test_a_record_becomes_an_incident_of_its_own() -> None:
    """Each has its household, its history and its reason; the new one is accepted, and nobody is called or paged."""
    village = two_presses()
    was = village.only()
    effects = village.move(was, Move.SPLIT, record=record(village, "h09"))
    old, new = sorted(village.desk.incidents(), key=lambda i: i.id != was.id)
    assert (["h03"], "h03 pressed the panic button", 1) == (old.premises, old.why, old.presses)
    assert (["h09"], "h09 pressed the panic button", 1) == (new.premises, new.why, new.presses)
    assert (State.ACCEPTED, "op-1") == (new.state, new.accepted_by)
    assert (set(), []) == (called(effects), pages(effects))
    assert f"{new.id} is split off" in [line.what for line in old.history]
    assert f"split off {old.id}" in [line.what for line in new.history]


def test_each_goes_its_own_way() -> None:
    """One resolved as a false alarm leaves the other open; neither climbs."""
    village = two_presses()
    was = village.only()
    village.move(was, Move.SPLIT, record=record(village, "h09"))
    village.move(was, Move.RESOLVE, disposition=Disposition.GENUINE)
    assert [State.ACCEPTED, State.RESOLVED] == sorted(i.state for i in village.desk.incidents())
    assert [] == [why for _, why in pages(village.wait(H)) if why.startswith("not accepted")]


def test_the_first_record_may_be_split_off_too() -> None:
    """What opened the incident goes; it keeps its id, and stands at what is left."""
    village = two_presses()
    was = village.only()
    village.move(was, Move.SPLIT, record=record(village, "h03"))
    old = village.now_of(was)
    assert (["h09"], was.event_ms + MIN) == (old.premises, old.event_ms)
    assert 2 == len(village.desk.incidents())


def test_a_record_that_is_split_off_is_not_put_back() -> None:
    """The same record told again is a duplicate, and a late one joins the earliest that fits: neither merges them."""
    village = two_presses()
    was = village.only()
    village.move(was, Move.SPLIT, record=record(village, "h09"))
    village.press("h05", 2 * MIN)
    assert [["h03", "h05"], ["h09"]] == sorted(i.premises for i in village.desk.incidents())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("not accepted", "cannot split what is reported; allowed: accept"),
        ("no such", "split needs `record`: found 'none'; allowed: one of gw-east/"),
        ("only one", "split would leave nothing"),
        ("a parent", "split one of them: hengjie-intrusion-"),
    ],
)
def test_what_cannot_be_split_says_why(change: str, why: str) -> None:
    """Refused, and nothing has changed."""
    village = two_presses() if change == "no such" else DeskAtWork()
    name = "none"
    if change in ("not accepted", "only one"):
        village.press("h03", 0)
        name = record(village, "h03")
    if change == "only one":
        village.move(village.only(), Move.ACCEPT)
    if change == "a parent":
        village.happen(Kind.INTRUSION, "h01-door", 0)
        village.happen(Kind.INTRUSION, "h02-door", S)
    (incident, *_) = sorted(village.desk.incidents(), key=lambda i: i.rule)
    if change == "a parent":
        village.move(incident, Move.ACCEPT)
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed, match=why):
        village.move(incident, Move.SPLIT, record=name)
    assert before == village.desk.snapshot()


def test_a_split_is_journalled_and_replayed() -> None:
    """The journal rebuilds both incidents, to the byte."""
    village = two_presses()
    village.move(village.only(), Move.SPLIT, record=record(village, "h09"))
    again = Desk(village.registry, DEFAULTS)
    for at_ms, item in village.journal:
        again.begin()
        again.step(msgspec.json.decode(item, type=Input), at_ms, replayed=True)
        again.commit()
    assert village.desk.snapshot() == again.snapshot()


def test_a_trip_that_is_split_off_stays_with_its_group_intrusion() -> None:
    """Two trips of h01 and one of h02 under one parent: split, all three intrusions are its children."""
    village = DeskAtWork()
    for at, zone in ((0, "h01-door"), (S, "h01-motion"), (2 * S, "h02-door")):
        village.happen(Kind.INTRUSION, zone, at)
    (parent,) = [i for i in village.desk.incidents() if i.rule == "group_intrusion"]
    village.move(parent, Move.ACCEPT)
    (both,) = [i for i in village.desk.incidents() if i.premises == ["h01"]]
    (line,) = [line for line in both.history if line.zone == "h01-motion" and line.record]
    village.move(both, Move.SPLIT, record=line.record)
    children = village.now_of(parent).children
    assert {i.id for i in village.desk.incidents() if i.rule == "intrusion"} == set(children)
    assert 3 == len(children)
