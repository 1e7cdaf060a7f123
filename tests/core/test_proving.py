"""The nightly proof at the desk: what counts as one, what it leaves behind, and what its absence raises."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.acts import Disposition, Move
from hub.core.desk import Desk
from hub.core.effects import Page, Rung, Send
from hub.core.heard import Twinned
from hub.core.hold import At, TakenOut
from hub.core.incident import State
from hub.core.proof import ProofView
from hub.core.trials import Proved
from protocol.kinds import Kind
from tests.support.desk import AREA, DEFAULTS, INSTANCE, MIN, START_MS, DeskAtWork, H, S

EAST = "gw-east"
REACHED = {"reached": 2, "commit_ms": 3, "notice_ms": 4}


def proof(village: DeskAtWork, at: int, **more: Any) -> list[Page]:
    """The gateway's test record arrives; gives its pages."""
    found = village.happen(Kind.TEST, "h01", at - more.pop("late", 0), at, drill=True, **more)
    return [effect for effect in found if isinstance(effect, Page)]


def through(village: DeskAtWork, page: Page, at: int, **more: Any) -> None:
    """Its notice came as far as it may."""
    village.take(Proved(AREA, page.incident, **(more or REACHED)), at)


def seen(village: DeskAtWork, gateway: str = EAST) -> ProofView:
    return next(one for one in village.desk.proofs(AREA, START_MS + village.now) if one.gateway == gateway)


def test_a_proof_is_an_incident_and_a_page_until_its_notice_is_through() -> None:
    """It pages the station, rings nobody, lights no lamp, and leaves nothing but its own times."""
    village = DeskAtWork()
    effects = village.happen(Kind.TEST, "h01", 10 * S, 11 * S, drill=True)
    (page,) = effects
    assert isinstance(page, Page) and page.rung is Rung.STATION
    incident = village.only()
    assert ("proof", 4, True, []) == (incident.rule, incident.priority, incident.drill, incident.conditions)
    through(village, page, 12 * S)
    assert [] == village.desk.incidents()
    assert not [effect for effect in village.effects if isinstance(effect, Send)]
    told = seen(village)
    assert (START_MS + 10 * S, 2 * S, False) == (told.proved_ms, told.age_ms, told.overdue)
    assert (1 * S, 3, 4, 2, "") == (told.way_ms, told.commit_ms, told.notice_ms, told.told, told.trouble)


def test_a_proof_is_nobodys_work() -> None:
    """Nothing waits to be accepted, and only the next deadline is left."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    through(village, page, S)
    assert START_MS + 25 * H == village.desk.next_due_ms()
    counts = village.desk.counts(AREA)
    assert (0, dict.fromkeys(State, 0)) == (counts.unaccepted, counts.states)


def test_a_proof_every_night_raises_nothing() -> None:
    """A week of them."""
    village = DeskAtWork()
    for night in range(7):
        village.wait(night * 24 * H)
        (page,) = proof(village, night * 24 * H)
        through(village, page, night * 24 * H + S)
    assert [] == village.desk.incidents()


def test_after_25_hours_without_a_proof_its_gateway_has_a_fault() -> None:
    """To the moment, as a P4 that names it; the next whole proof marks it as restored."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    through(village, page, S)
    village.wait(25 * H - 1)
    assert [] == village.desk.incidents()
    village.wait(25 * H)
    fault = village.only()
    assert ("fault", 4, [EAST], False) == (fault.rule, fault.priority, fault.gateways, fault.drill)
    assert "gw-east: no proof that its alarms arrive (the last one 25 h ago)" == fault.why
    assert seen(village).overdue
    (page,) = proof(village, 26 * H)
    assert [] == village.now_of(fault).conditions
    through(village, page, 26 * H + S)
    assert ["restored"] == village.now_of(fault).conditions
    assert not seen(village).overdue


def test_a_gateway_that_never_proved_itself_counts_from_when_the_hub_first_knew_it() -> None:
    """Heard at two o'clock, a fault at three of the next day; another that is never heard as well."""
    village = DeskAtWork()
    village.link(EAST, True, 2 * H)
    village.link("gw-west", False, 2 * H, 2 * H)
    village.wait(27 * H)
    faults = [one for one in village.open() if one.rule == "fault"]
    assert {EAST, "gw-west"} == {one.gateways[0] for one in faults}
    assert {START_MS + 27 * H} == {one.raised_ms for one in faults}
    assert all("none in the 25 h that it is known" in one.why for one in faults)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"late": 10 * MIN + 1}, "a proof that came 10 min late"),
        ({"age_ms": None}, "a proof of unknown age"),
    ],
)
def test_a_proof_that_waited_somewhere_proves_nothing_of_now(more: dict[str, Any], words: str) -> None:
    """Out of a backlog, or of unknown age: no page, no whole proof, and the reason is shown and is in the fault."""
    village = DeskAtWork()
    village.link(EAST, True, 0)
    assert [] == proof(village, H, **more)
    told = seen(village)
    assert (None, words) == (told.proved_ms, told.trouble)
    village.wait(25 * H)
    assert words in village.only().why


def test_ten_minutes_are_young_enough() -> None:
    """The limit itself is inside."""
    village = DeskAtWork()
    (page,) = proof(village, H, late=10 * MIN)
    through(village, page, H)
    assert START_MS + H - 10 * MIN == seen(village).proved_ms


def test_a_test_that_is_no_drill_proves_nothing() -> None:
    """An installer's siren test is not the way to a notice."""
    village = DeskAtWork()
    assert [] == village.happen(Kind.TEST, "h01", 0)
    assert seen(village).proved_ms is None


def test_the_proof_of_a_copied_card_is_not_its_gateways() -> None:
    """While two speak under one name only the rightful one's counts."""
    village = DeskAtWork()
    village.take(Twinned(AREA, EAST, INSTANCE, ["b" * 32]), 0)
    assert [] == proof(village, S, instance="b" * 32)
    assert 1 == len(proof(village, 2 * S))


@pytest.mark.parametrize(
    "more, proved, trouble",
    [
        ({"why": "nobody is registered for it"}, False, "nobody is registered for it"),
        ({"reached": 1, "why": "sms: the queue was full"}, True, "sms: the queue was full"),
        ({"reached": 0}, True, ""),
    ],
)
def test_what_became_of_its_notice(more: dict[str, Any], proved: bool, trouble: str) -> None:
    """Reaching nobody is no proof; reaching some is one, and tells who was not; a hub without channels reaches none."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    village.take(Proved(AREA, page.incident, **more), S)
    told = seen(village)
    assert (proved, trouble) == (told.proved_ms is not None, told.trouble)
    assert [] == village.desk.incidents()


def test_a_notice_that_never_comes_through_is_given_up() -> None:
    """After ten minutes nothing of it stays, and what comes after is of no proof."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    village.wait(10 * MIN)
    assert [] == village.desk.incidents()
    assert "its notice did not come through" == seen(village).trouble
    through(village, page, 11 * MIN)
    assert not village.desk.verdict.effective


def test_a_gateway_out_of_service_proves_itself_all_the_same() -> None:
    """Nobody is told of its faults; whether its alarms arrive is asked on."""
    village = DeskAtWork()
    village.take(TakenOut(AREA, At.GATEWAY, EAST, "sup-1", "sensor_fault", "hash", START_MS + H), 0)
    (page,) = proof(village, S)
    through(village, page, 2 * S)
    assert START_MS + S == seen(village).proved_ms


def test_two_at_once_are_one() -> None:
    """A second proof while the first is under way pages nobody again."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    assert [] == proof(village, S)
    through(village, page, 2 * S)
    assert [] == village.desk.incidents()
    assert START_MS == seen(village).proved_ms


def test_a_hub_that_was_away_gives_each_gateway_one_time_more() -> None:
    """Down for two days: no flood of faults at its start, and the age is shown as it is."""
    village = DeskAtWork()
    (page,) = proof(village, 0)
    through(village, page, S)
    (due,) = village.desk.due(START_MS + 48 * H)
    village.take(due, 48 * H)
    assert [] == village.desk.incidents()
    assert seen(village).overdue
    village.wait(73 * H)
    assert "the last one 73 h ago" in village.only().why


def test_resolved_though_nothing_came_it_is_raised_anew() -> None:
    """As long after: a gateway that proves nothing does not go unnoticed because somebody resolved it."""
    village = DeskAtWork()
    village.link(EAST, True, 0)
    village.wait(50 * H)
    first = village.only()
    assert 2 == first.presses
    village.move(first, Move.ACCEPT)
    village.move(first, Move.RESOLVE, disposition=Disposition.GENUINE)
    village.wait(75 * H)
    (second,) = village.open()
    assert (second.rule, second.id != first.id) == ("fault", True)


def test_a_replay_is_exact_wherever_it_ends() -> None:
    """Whole proofs, a late one, one given up, a fault and its end: the journal gives the same state to the byte."""
    village = DeskAtWork()
    village.link(EAST, True, 0)
    (page,) = proof(village, H)
    through(village, page, H + S)
    proof(village, 2 * H, late=H)
    proof(village, 3 * H)
    village.wait(27 * H)
    (page,) = proof(village, 28 * H)
    assert village.desk.snapshot() == village.again().snapshot()
    through(village, page, 28 * H + S)
    assert village.desk.snapshot() == village.again().snapshot()
    restored = Desk(village.registry, DEFAULTS)
    restored.restore(village.desk.snapshot())
    assert village.desk.snapshot() == restored.snapshot()
    assert village.desk.next_due_ms() == restored.next_due_ms()
