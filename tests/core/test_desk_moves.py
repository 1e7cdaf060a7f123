"""Every transition that may be, and every other refused by name with nothing changed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hub.core.acts import Disposition, Move, Moved, Stage
from hub.core.incident import NEXT, Incident, State
from hub.core.io import NoSuchIncident, NotAllowed
from tests.support.desk import AREA, DeskAtWork

PATH: dict[State, list[tuple[Move, str]]] = {
    State.REPORTED: [],
    State.ACCEPTED: [(Move.ACCEPT, "op-1")],
    State.ASSIGNED: [(Move.ACCEPT, "op-1"), (Move.ASSIGN, "op-1")],
    State.HANDLING: [(Move.ACCEPT, "op-1"), (Move.ASSIGN, "op-1"), (Move.RESPOND, "p-1")],
    State.RESOLVED: [(Move.ACCEPT, "op-1"), (Move.RESOLVE, "op-1")],
    State.REVIEWED: [(Move.ACCEPT, "op-1"), (Move.RESOLVE, "op-1"), (Move.REVIEW, "sup-1")],
    State.ARCHIVED: [
        (Move.ACCEPT, "op-1"),
        (Move.RESOLVE, "op-1"),
        (Move.REVIEW, "sup-1"),
        (Move.ARCHIVE, "sup-1"),
    ],
}


def full(incident: Incident, move: Move, by: str) -> Moved:
    """The move with all it may need."""
    made = Moved(AREA, incident.id, move, by, "team-1", Stage.EN_ROUTE, Disposition.FALSE_ALARM, "a cat", "ab12")
    return replace(made, record=next(line.record for line in incident.history if line.record))


def at(state: State, presses: int = 1) -> DeskAtWork:
    """A panic of so many presses brought to `state`."""
    village = DeskAtWork()
    for number in range(presses):
        village.press("h01", number)
    for move, by in PATH[state]:
        village.take(full(village.only(), move, by))
    assert state is village.only().state
    return village


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_the_table_decides(state: State, move: Move) -> None:
    """What is in the table leads where it says; what is not is refused, says what is allowed, and changes nothing."""
    village = at(state, presses=2)
    before = village.desk.snapshot()
    item = full(village.only(), move, "sup-2")
    if (state, move) in NEXT:
        was = village.only()
        village.take(item)
        assert NEXT[state, move] is village.now_of(was).state
        return
    with pytest.raises(NotAllowed, match=f"cannot {move} what is {state}; allowed: ") as refusal:
        village.take(item)
    assert all(known in str(refusal.value) for (of, known) in NEXT if of is state)
    assert before == village.desk.snapshot()


@pytest.mark.parametrize(
    ("state", "move", "missing", "said"),
    [
        (State.ACCEPTED, Move.ASSIGN, "to", "a person or team"),
        (State.ASSIGNED, Move.RESPOND, "stage", "accepted, en_route, on_scene"),
        (State.ACCEPTED, Move.RESOLVE, "disposition", "genuine, false_alarm, test, cancelled"),
        (State.ACCEPTED, Move.RESOLVE, "cause", "what set it off"),
        (State.REPORTED, Move.NOTE, "note", "needs `note`"),
    ],
)
def test_a_move_without_what_it_needs_is_refused(state: State, move: Move, missing: str, said: str) -> None:
    """The refusal names what is missing and what is allowed."""
    village = at(state)
    item = full(village.only(), move, "op-1")
    bare = Moved(**{**{f: getattr(item, f) for f in item.__struct_fields__}, missing: None})
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed, match=said):
        village.take(bare)
    assert before == village.desk.snapshot()


@pytest.mark.parametrize("move", [Move.REVIEW, Move.SEND_BACK])
def test_nobody_reviews_or_sends_back_their_own(move: Move) -> None:
    """Who resolved it is refused; somebody else is not."""
    village = at(State.RESOLVED)
    with pytest.raises(NotAllowed, match="op-1 resolved it; another must"):
        village.take(full(village.only(), move, "op-1"))
    village.take(full(village.only(), move, "sup-1"))


def test_a_move_on_no_incident_says_so() -> None:
    """An unknown id, or one of another area, is no incident here."""
    village = at(State.REPORTED)
    for area, incident in ((AREA, "nothing"), ("elsewhere", village.only().id)):
        with pytest.raises(NoSuchIncident, match=f"no incident {incident} in {area}"):
            village.take(Moved(area, incident, Move.ACCEPT, "op-1"))


def test_a_refused_move_spares_the_rest_of_its_batch() -> None:
    """The batch goes on and commits what was good."""
    village = at(State.REPORTED)
    incident = village.only()
    village.desk.begin()
    with pytest.raises(NotAllowed):
        village.desk.step(Moved(AREA, incident.id, Move.REVIEW, "x"), 0)
    village.desk.step(Moved(AREA, incident.id, Move.ACCEPT, "op-1"), 0)
    village.desk.commit()
    assert State.ACCEPTED is village.only().state


def test_sent_back_is_open_again() -> None:
    """Its disposition is gone, and a press within its window joins it."""
    village = at(State.RESOLVED)
    village.take(full(village.only(), Move.SEND_BACK, "sup-1"))
    assert (
        village.only().state,
        village.only().disposition,
        village.only().resolved_by,
    ) == (State.HANDLING, None, None)
    village.press("h01", 1_000)
    assert village.only().presses == 2


def test_a_press_after_resolve_is_a_new_incident() -> None:
    """Only unresolved incidents take joins."""
    village = at(State.RESOLVED)
    village.press("h01", 1_000)
    assert len(village.desk.incidents()) == 2


def test_a_responders_stamps_stay_as_first_set() -> None:
    """Each stage of each person is stamped once, whoever says so; the history has both."""
    village = at(State.ASSIGNED)
    village.move(village.only(), Move.RESPOND, by="op-1", to="p-1", stage=Stage.EN_ROUTE)
    village.now = 5_000
    village.move(village.only(), Move.RESPOND, by="p-1", stage=Stage.EN_ROUTE)
    village.move(village.only(), Move.RESPOND, by="p-1", stage=Stage.ON_SCENE)
    said = [(line.what, line.by) for line in village.only().history if line.what.startswith("respond")]
    assert [("respond: en_route p-1", "op-1"), ("respond: en_route", "p-1"), ("respond: on_scene", "p-1")] == said
    stamps = village.only().responders["p-1"]
    assert stamps[Stage.ON_SCENE] - stamps[Stage.EN_ROUTE] == 5_000
