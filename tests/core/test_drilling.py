"""Drills at the desk: plan, start, measure, end, report; and the real thing that always wins."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.acts import Answer, Answered, Disposition, How, Move
from hub.core.desk import Desk
from hub.core.drill import Drill, DrillState
from hub.core.effects import Effect, Page, Send, StoodDown
from hub.core.incident import Incident, State
from hub.core.io import NotAllowed
from hub.core.trials import Drilled, DrillMove, DrillMoved, DrillPlanned
from protocol.kinds import Kind
from protocol.messages import Action, Outcome
from tests.support.desk import AREA, DEFAULTS, MIN, START_MS, DeskAtWork, H, S, called, everyone, sends

WHY = "0" * 64
AT = {"premises": ["h03"]}


def plan(village: DeskAtWork, name: str = "d1", at: int | None = None, **more: Any) -> list[Effect]:
    """A supervisor plans a drill; without `at` it starts now."""
    when = None if at is None else START_MS + at
    given: dict[str, Any] = {"kind": Kind.PANIC, **AT, **more}
    return village.take(DrillPlanned(AREA, name, by="susi", why=WHY, at_ms=when, **given), village.now)


def move(village: DeskAtWork, what: DrillMove, at: int, name: str = "d1") -> list[Effect]:
    return village.take(DrillMoved(AREA, name, what, "susi", WHY), at)


def shown(village: DeskAtWork, name: str = "d1") -> Drill:
    found = village.desk.drill(AREA, name, START_MS + village.now)
    assert found is not None
    return found


def of(village: DeskAtWork, name: str = "d1") -> Incident:
    (incident,) = shown(village, name).incidents
    found = village.desk.incident(AREA, incident)
    assert found is not None
    return found


def answer(village: DeskAtWork, premises: str, said: Answer, at: int) -> None:
    village.take(Answered(AREA, of(village).id, premises, said, How.PHONE, "olga"), at)


def test_a_drill_is_the_real_thing_marked() -> None:
    """The same rule, the same neighbours, the same rungs as a press there: only the mark is another."""
    drilled, pressed = DeskAtWork(), DeskAtWork()
    effects, real = plan(drilled), pressed.press("h03", 0)
    assert called(real) == called(effects) == everyone("east") - {"h03"}
    assert [e.rung for e in real if isinstance(e, Page)] == [e.rung for e in effects if isinstance(e, Page)]
    assert {True} == {order.drill for order in sends(effects, Action.SIREN)}
    incident = of(drilled)
    assert ("panic", 1, True, ["h03"]) == (incident.rule, incident.priority, incident.drill, incident.premises)
    drilled.wait(2 * MIN)
    pressed.wait(2 * MIN)
    assert pressed.only().rung is of(drilled).rung
    assert DrillState.RUNNING is shown(drilled).state


def test_a_drill_of_a_group_happens_at_its_head_household() -> None:
    """Whom the registry names; everybody else of it is called."""
    village = DeskAtWork()
    head = village.registry.groups[AREA, "east"].head
    effects = plan(village, premises=[], groups=["east"])
    assert [head] == shown(village).premises
    assert everyone("east") - {head} == called(effects)


def test_a_planned_drill_starts_and_ends_by_itself() -> None:
    """Nothing before its time, and after its time everyone is stood down."""
    village = DeskAtWork()
    assert [Drilled(AREA, "d1", "planned", "")] == plan(village, at=H, lasts_ms=5 * MIN)
    village.wait(H - 1)
    assert ([], DrillState.PLANNED) == (village.desk.incidents(), shown(village).state)
    village.wait(H)
    assert DrillState.RUNNING is shown(village).state
    effects = village.wait(H + 5 * MIN)
    assert (DrillState.ENDED, "its 5 min are over") == (shown(village).state, shown(village).reason)
    stood = {one for order in sends(effects, Action.STAND_DOWN) for one in order.premises}
    assert everyone("east") <= stood
    assert [True] == [effect.drill for effect in effects if isinstance(effect, StoodDown)]


def test_an_ended_drill_leaves_nobody_anything_to_do() -> None:
    """However far its people brought it, it is archived; only the forgetting of it is still to come."""
    village = DeskAtWork()
    plan(village)
    village.move(of(village), Move.ACCEPT)
    move(village, DrillMove.END, 3 * MIN)
    incident = of(village)
    assert (State.ARCHIVED, Disposition.TEST) == (incident.state, incident.disposition)
    assert 0 == sum(village.desk.counts(AREA).unresolved.values())
    assert not sends(village.wait(5 * H), Action.SIREN)


def test_a_drill_whose_incident_is_resolved_is_over() -> None:
    """Its people went through all of it."""
    village = DeskAtWork()
    plan(village)
    village.move(of(village), Move.ACCEPT)
    village.move(of(village), Move.RESOLVE, disposition=Disposition.TEST)
    assert (DrillState.ENDED, "all of it is resolved") == (shown(village).state, shown(village).reason)
    assert State.ARCHIVED is of(village).state


def test_the_report_says_who_did_what_in_which_time() -> None:
    """To the millisecond, from the start of the drill; and what failed."""
    village = DeskAtWork()
    orders = sends(plan(village), Action.SIREN)
    east = next(order for order in orders if order.gateway == "gw-east")
    west = next(order for order in orders if order.gateway != "gw-east")
    village.reply(east, Outcome.DONE, 400)
    answer(village, "h05", Answer.GOING, 20 * S)
    answer(village, "h04", Answer.CANNOT, 25 * S)
    answer(village, "h05", Answer.ON_SCENE, 50 * S)
    village.wait(55 * S)
    village.move(of(village), Move.ACCEPT)
    move(village, DrillMove.END, 60 * S)
    report = shown(village).report
    assert report is not None
    times = (report.rang_after_ms, report.going_after_ms, report.on_scene_after_ms, report.accepted_after_ms)
    assert (400, 20 * S, 50 * S, 55 * S) == times
    assert (60 * S, len(everyone("east")) - 1, "station") == (report.lasted_ms, report.called, report.rung)
    by = {member.premises: member for member in report.members}
    assert (Answer.ON_SCENE, 50 * S, 400) == (
        by["h05"].answer,
        by["h05"].answered_after_ms,
        by["h05"].confirmed_after_ms,
    )
    assert [west.gateway] == report.unreachable
    assert sorted(west.premises) == report.unconfirmed
    assert {"h04", "h05"} == set(by) - set(report.unanswered)


def test_a_report_outlives_its_incident() -> None:
    """The desk forgets the incident after a week, and not what the drill showed."""
    village = DeskAtWork()
    plan(village)
    move(village, DrillMove.END, MIN)
    before = shown(village)
    village.wait(8 * 24 * H)
    assert [] == village.desk.incidents()
    assert before == shown(village)


@pytest.mark.parametrize("who", ["h03", "h05"])
def test_a_real_press_breaks_off_the_drill_and_keeps_its_sirens(who: str) -> None:
    """Where the drill is, or at one of the called: the drill's causes alone are stood down, and after the real call."""
    village = DeskAtWork()
    plan(village)
    drill = of(village)
    effects = village.press(who, 30 * S)
    assert DrillState.ABORTED is shown(village).state
    assert f"a real panic at {who}" in shown(village).reason
    (real,) = [one for one in village.desk.incidents() if not one.drill]
    rings = [order for order in sends(effects, Action.SIREN) if not order.drill]
    assert {real.id} == {order.incident for order in rings}
    for order in (*sends(effects, Action.SILENCE), *sends(effects, Action.STAND_DOWN)):
        assert (drill.id, True, list(order.keys)) == (order.incident, order.drill, drill.keys)
        assert effects.index(order) > max(map(effects.index, rings))
    assert not set(real.keys) & set(drill.keys)
    assert (False, State.REPORTED) == (real.drill, real.state)
    assert any("was broken off for it" in line.what for line in real.history)
    assert State.ARCHIVED is of(village).state


def test_a_real_press_far_away_leaves_a_drill_alone() -> None:
    """Another group, of which nobody takes part."""
    village = DeskAtWork()
    plan(village)
    village.press("h11", 30 * S)
    assert DrillState.RUNNING is shown(village).state
    assert 2 == len(village.desk.incidents())


def test_a_drill_that_comes_to_call_busy_people_is_broken_off_before_it_does() -> None:
    """Nobody goes, so the adjacent group would be called, and there somebody has really pressed."""
    village = DeskAtWork()
    village.press("h11", 0)
    village.move(village.only(), Move.ACCEPT)
    village.move(village.only(), Move.ASSIGN, to="team")
    plan(village)
    effects = village.wait(3 * MIN)
    assert "a real panic at h11" in shown(village).reason
    drilled = {one for order in sends(effects, Action.SIREN) if order.drill for one in order.premises}
    assert not drilled & everyone("west")
    silenced = [order for order in sends(effects, Action.SILENCE) if not order.drill]
    assert [] == silenced


def test_what_is_silent_breaks_off_no_drill() -> None:
    """Whoever stands beside the one who called must not see that somebody did."""
    village = DeskAtWork()
    plan(village)
    effects = village.happen(Kind.DURESS, "h03", 30 * S)
    assert DrillState.RUNNING is shown(village).state
    assert [] == [effect for effect in effects if isinstance(effect, Send)]


@pytest.mark.parametrize("first", ["real", "drill"])
def test_no_drill_starts_among_people_who_are_busy(first: str) -> None:
    """With a real alarm, or with another drill: refused with the reason now; at a planned time it is broken off."""
    village = DeskAtWork()
    plan(village, "later", at=MIN)
    if first == "real":
        village.press("h05", 0)
    else:
        plan(village, "other", premises=["h05"])
    with pytest.raises(NotAllowed, match="a real panic at h05 is open" if first == "real" else "drill other runs"):
        plan(village)
    village.wait(MIN)
    assert DrillState.ABORTED is shown(village, "later").state
    assert [] == shown(village, "later").incidents


def test_a_start_that_nobody_expects_any_more_is_missed() -> None:
    """The hub was away for longer than ten minutes: no siren sounds out of the blue."""
    village = DeskAtWork()
    plan(village, at=MIN)
    (due,) = village.desk.due(START_MS + 12 * MIN)
    assert ["missed"] == [one.state for one in village.take(due, 12 * MIN) if isinstance(one, Drilled)]
    assert [] == village.desk.incidents(AREA)
    assert DrillState.MISSED is shown(village).state


@pytest.mark.parametrize(
    "more, words",
    [
        ({"premises": ["h99"], "groups": ["nowhere"]}, ["no premises h99", "no group nowhere"]),
        ({"kind": Kind.DURESS}, ["`kind` duress; allowed: panic, fire, gas"]),
        ({"premises": []}, ["0 premises and groups"]),
        ({"lasts_ms": 1}, ["`lasts_ms` 1"]),
        ({"at": -1}, ["`at_ms` is past"]),
    ],
)
def test_what_cannot_be_planned_is_refused(more: dict[str, Any], words: list[str]) -> None:
    """With every reason at once, and nothing changed."""
    village = DeskAtWork()
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed) as refused:
        plan(village, **more)
    assert [] == [word for word in words if word not in str(refused.value)]
    assert before == village.desk.snapshot()


def test_what_is_over_cannot_be_moved() -> None:
    """Nor started twice, nor ended before it began."""
    village = DeskAtWork()
    plan(village, at=H)
    with pytest.raises(NotAllowed, match="cannot end what is planned; allowed: start, abort"):
        move(village, DrillMove.END, S)
    move(village, DrillMove.START, 2 * S)
    with pytest.raises(NotAllowed, match="cannot start what is running; allowed: end, abort"):
        move(village, DrillMove.START, 3 * S)
    move(village, DrillMove.ABORT, 4 * S)
    with pytest.raises(NotAllowed, match="nothing: it is over"):
        move(village, DrillMove.ABORT, 5 * S)


def test_drills_are_bounded() -> None:
    """So many may be planned; of those that are over the oldest goes first."""
    village = DeskAtWork()
    for number in range(32):
        plan(village, f"p{number}", at=H)
    with pytest.raises(NotAllowed, match="32 drills are planned or run"):
        plan(village, "more", at=H)
    for number in range(32):
        move(village, DrillMove.ABORT, S, f"p{number}")
    for number in range(200):
        plan(village, f"q{number}", at=H)
        move(village, DrillMove.ABORT, S, f"q{number}")
    names = [drill.id for drill in village.desk.drills(AREA, START_MS)]
    assert (200, "q199", "q0") == (len(names), names[0], names[-1])


def test_a_replay_is_exact_wherever_it_ends() -> None:
    """Planned, started, answered, broken off by the real thing; and what a snapshot gives back."""
    village = DeskAtWork()
    plan(village, at=MIN)
    village.wait(MIN)
    assert village.desk.snapshot() == village.again().snapshot()
    answer(village, "h05", Answer.GOING, 2 * MIN)
    village.press("h04", 3 * MIN)
    plan(village, "d2", at=H)
    assert village.desk.snapshot() == village.again().snapshot()
    restored = Desk(village.registry, DEFAULTS)
    restored.restore(village.desk.snapshot())
    assert village.desk.snapshot() == restored.snapshot()
    assert village.desk.next_due_ms() == restored.next_due_ms()
