"""What neighbours answer: who may, by which way, what follows, and how long the first took."""

from __future__ import annotations

import msgspec
import pytest

from hub.core.acts import Answer, Answered, Disposition, How, Move, Stage
from hub.core.effects import Effect, Milestone, Page, Reached, StoodDown
from hub.core.incident import NOBODY_CAN
from hub.core.io import Input, NoSuchIncident, NotAllowed
from protocol.kinds import Kind
from protocol.messages import Action, Outcome
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, called, everyone, pages, sends

NEIGHBOURS = sorted(everyone("east") - {"h03"})


def pressed() -> DeskAtWork:
    """h03 pressed, and its group is called."""
    village = DeskAtWork()
    village.press("h03", 0)
    return village


def says(
    village: DeskAtWork, who: str, answer: Answer, how: How = How.PHONE, at: int | None = None, turn: int | None = None
) -> list[Effect]:
    """A member answers."""
    by = "op-1" if how is How.PHONE else ""
    incident = village.desk.incidents()[-1]
    return village.take(Answered(AREA, incident.id, who, answer, how, by, turn), at)


def reached(effects: list[Effect]) -> list[tuple[Milestone, int]]:
    """Milestones among effects, with their times."""
    return [(effect.milestone, effect.after_ms) for effect in effects if isinstance(effect, Reached)]


def panel(village: DeskAtWork, who: str, answer: str, at: int, key: str | None = None) -> list[Effect]:
    """Somebody presses the answer button of their own panel, for the call the incident's first key names."""
    key = key or village.desk.incidents()[-1].keys[0]
    return village.happen(Kind.ANSWER, who, at, key=key, detail={"answer": answer})


@pytest.mark.parametrize("how", How)
def test_the_first_who_goes_is_told_to_the_house_and_the_group(how: How) -> None:
    """By whichever way it came: the lamp of the house, a page of the group, the time it took; the next is no news."""
    village = pressed()
    turn = 0 if how is How.LINK else None
    effects = (
        panel(village, "h05", "going", 7_000)
        if how is How.PANEL
        else says(village, "h05", Answer.GOING, how, 7_000, turn)
    )
    assert [("h03",)] == [order.premises for order in sends(effects, Action.COMING)]
    assert [("group", "h05 is going")] == pages(effects)
    (page,) = [effect for effect in effects if isinstance(effect, Page)]
    assert {"h03", *NEIGHBOURS} - {"h05"} == set(page.premises)
    assert [(Milestone.GOING, 7_000)] == reached(effects)
    said = village.only().answers["h05"]
    assert (Answer.GOING, START_MS + 7_000, how) == (said.answer, said.at_ms, said.how)
    assert START_MS + 7_000 == village.only().going_ms
    again = says(village, "h06", Answer.GOING, at=9_000)
    assert ([], [], []) == (sends(again, Action.COMING), pages(again), reached(again))


def test_on_scene_is_told_once() -> None:
    """The group hears of the first who is there."""
    village = pressed()
    says(village, "h05", Answer.GOING)
    assert [("group", "h05 is there")] == pages(says(village, "h05", Answer.ON_SCENE))
    assert [] == pages(says(village, "h06", Answer.ON_SCENE))


def test_when_nobody_can_the_operators_hear_it() -> None:
    """Every member called says no: one page to the rungs reached, and the incident says so until somebody can."""
    village = pressed()
    before = [pages(says(village, who, Answer.CANNOT)) for who in NEIGHBOURS[:-1]]
    assert not any(before)
    assert [] == village.only().conditions
    (rung, why), *_ = pages(says(village, NEIGHBOURS[-1], Answer.CANNOT))
    assert ("station", f"none of the 9 neighbours called can come: {', '.join(NEIGHBOURS)}") == (rung, why)
    assert [NOBODY_CAN] == village.only().conditions
    says(village, "h05", Answer.GOING)
    assert [] == village.only().conditions


def test_the_ladder_goes_on_while_neighbours_answer() -> None:
    """Who goes accepts nothing: the town is told in its time."""
    village = pressed()
    says(village, "h05", Answer.GOING)
    assert "town" in [rung for rung, _ in pages(village.wait(2 * MIN))]


@pytest.mark.parametrize(
    ("who", "how", "turn", "by", "why"),
    [
        ("h03", How.PHONE, None, "op-1", "h03 is where help is needed"),
        ("nobody", How.PHONE, None, "op-1", "nobody is not a member of its groups"),
        ("h05", How.PHONE, None, "", "needs `by`"),
        ("h05", How.LINK, 1, "", "this link has been used"),
        ("h05", How.LINK, None, "", "this link has been used"),
    ],
)
def test_who_may_not_answer_is_told_why(who: str, how: How, turn: int | None, by: str, why: str) -> None:
    """And nothing was changed."""
    village = pressed()
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed, match=why):
        village.take(Answered(AREA, village.only().id, who, Answer.GOING, how, by, turn))
    assert before == village.desk.snapshot()


def test_an_answer_to_nothing_is_no_incident() -> None:
    """As for a move."""
    with pytest.raises(NoSuchIncident):
        pressed().take(Answered(AREA, "nothing", "h05", Answer.GOING, How.PHONE, "op-1"))


def test_what_is_over_and_what_is_silent_takes_no_answer() -> None:
    """Nobody needs to come any more; nobody was ever called."""
    village = pressed()
    village.move(village.only(), Move.ACCEPT)
    village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    with pytest.raises(NotAllowed, match="it is resolved: nobody needs to come any more"):
        says(village, "h05", Answer.GOING)
    quiet = DeskAtWork()
    quiet.happen(Kind.DURESS, "h03", 0)
    with pytest.raises(NotAllowed, match="it is silent: nobody was called"):
        says(quiet, "h05", Answer.GOING)


def test_a_link_acts_once_however_other_ways_answer() -> None:
    """Its turn is counted by links alone; the next link may act, the same one not."""
    village = pressed()
    says(village, "h05", Answer.CANNOT)
    says(village, "h05", Answer.GOING, How.LINK, turn=0)
    with pytest.raises(NotAllowed, match="this link has been used"):
        says(village, "h05", Answer.CANNOT, How.LINK, turn=0)
    panel(village, "h05", "cannot", 5_000)
    says(village, "h05", Answer.ON_SCENE, How.LINK, turn=1)
    assert (Answer.ON_SCENE, 2) == (village.only().answers["h05"].answer, village.only().answers["h05"].links)


def test_a_panel_answers_for_the_call_it_rang_for() -> None:
    """Of two open calls of the group the key tells which; a key of neither, or no such answer, changes none."""
    village = DeskAtWork()
    village.press("h04", 0)
    village.happen(Kind.FIRE, "h03-smoke", 1_000)
    fire, panic = sorted(village.desk.incidents(), key=lambda one: one.rule)
    panel(village, "h05", "going", 5_000, key=fire.keys[0])
    assert (["h05"], []) == ([*village.now_of(fire).answers], [*village.now_of(panic).answers])
    panel(village, "h06", "going", 6_000, key=panic.id)
    assert ["h06"] == [*village.now_of(panic).answers]
    before = (village.now_of(fire), village.now_of(panic))
    panel(village, "h05", "going", 7_000, key="of-another-time")
    panel(village, "h05", "perhaps", 7_000, key=panic.keys[0])
    assert before == (village.now_of(fire), village.now_of(panic))


def test_a_panels_answer_that_comes_late_is_history() -> None:
    """Half an hour later it lights no lamp; it is a line that says how late."""
    village = pressed()
    key = village.only().keys[0]
    effects = village.happen(Kind.ANSWER, "h05", 5_000, 40 * MIN, key=key, detail={"answer": "going"})
    assert ([], {}) == (sends(effects, Action.COMING), village.only().answers)
    assert "late by 39 min: history only" == village.only().history[-1].why


def test_an_older_answer_does_not_undo_a_newer() -> None:
    """Records of a panel may arrive out of order."""
    village = pressed()
    panel(village, "h05", "on_scene", 60_000)
    village.happen(Kind.ANSWER, "h05", 50_000, 61_000, key=village.only().keys[0], detail={"answer": "going"})
    assert Answer.ON_SCENE is village.only().answers["h05"].answer


def test_the_first_siren_at_a_neighbour_is_measured_once() -> None:
    """From the press to the first confirmation of another member's siren; a failure confirms nothing."""
    village = DeskAtWork()
    orders = sends(village.press("h03", 0, 400), Action.SIREN)
    assert [] == reached(village.reply(orders[0], Outcome.FAILED, at=900))
    assert [(Milestone.RINGING, 1_500)] == reached(village.reply(orders[1], Outcome.DONE, at=1_500))
    assert START_MS + 1_500 == village.only().rang_ms
    assert [] == reached(village.reply(orders[0], Outcome.JOINED, at=2_000))


def test_everyone_who_was_called_or_came_is_stood_down() -> None:
    """The house, who was called, and who of an adjacent group answered all the same; once it is over nobody is left."""
    village = pressed()
    near = sorted(everyone("west") - everyone("east"))[0]
    rang = called(village.effects)
    says(village, near, Answer.GOING)
    village.move(village.only(), Move.ACCEPT)
    effects = village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    (over,) = [effect for effect in effects if isinstance(effect, StoodDown)]
    assert ({"h03", *rang, near}, "genuine") == (set(over.premises), over.why)
    assert {"h03", *rang, near} == {p for order in sends(effects, Action.STAND_DOWN) for p in order.premises}


def test_the_lamp_says_once_that_somebody_is_coming() -> None:
    """A neighbour first and a patrol after, or the other way round: one order."""
    village = pressed()
    says(village, "h05", Answer.GOING)
    assert [] == sends(village.move(village.only(), Move.RESPOND, stage=Stage.EN_ROUTE), Action.COMING)
    other = pressed()
    other.move(other.only(), Move.RESPOND, stage=Stage.EN_ROUTE)
    effects = says(other, "h05", Answer.GOING)
    assert ([], 1) == (sends(effects, Action.COMING), len(reached(effects)))


def test_an_answer_to_what_was_absorbed_counts_for_the_survivor() -> None:
    """A link of an incident that turned out to be one with another still helps."""
    village = DeskAtWork()
    village.press("h03", 1 * MIN)
    village.press("h03", 7 * MIN)
    village.press("h05", 0, 8 * MIN)
    (child,) = [one for one in village.desk.incidents() if one.parent is not None]
    assert child.parent is not None
    village.take(Answered(AREA, child.id, "h09", Answer.GOING, How.PHONE, "op-1"))
    parent = village.desk.incident(AREA, child.parent)
    assert parent is not None
    assert ["h09"] == [*parent.answers]


def test_answers_replay_to_the_same_state() -> None:
    """The journal alone rebuilds them."""
    village = pressed()
    says(village, "h05", Answer.GOING, How.LINK, 3_000, 0)
    panel(village, "h06", "cannot", 4_000)
    says(village, "h07", Answer.ON_SCENE, at=5_000)
    again = DeskAtWork()
    for at_ms, body in village.journal:
        again.desk.begin()
        again.desk.step(msgspec.json.decode(body, type=Input), at_ms, replayed=True)
        again.desk.commit()
    assert village.desk.snapshot() == again.desk.snapshot()


def test_of_each_member_it_is_told_that_they_were_called_rang_and_answered() -> None:
    """One entry a called member says all three with their times, and goes on saying so when they are called again."""
    village = pressed()
    for order in sends(village.effects, Action.SIREN):
        village.reply(order, at=1_000)
    says(village, "h01", Answer.CANNOT, at=2_000)
    before = village.only().calls["h01"]
    assert (START_MS, Outcome.DONE, START_MS + 1_000) == (before.at_ms, before.outcome, before.replied_ms)
    assert (Answer.CANNOT, START_MS + 2_000) == (before.answer, before.answered_ms)
    assert village.only().calls["h02"].answer is None
    village.wait(MIN)  # nobody goes: the head household is called again
    again = village.only().calls["h01"]
    assert (START_MS + MIN, Answer.CANNOT, START_MS + 2_000) == (again.at_ms, again.answer, again.answered_ms)
