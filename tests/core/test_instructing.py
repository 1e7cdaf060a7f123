"""Operators' orders in the desk: sent again until answered, failed when nobody does, remembered within bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.core.effects import Effect, Send
from hub.core.heard import Replied
from hub.core.instruction import INSTRUCTIONS_MAX, Instructed, Instruction
from hub.core.io import Input, NotAllowed
from protocol.messages import Action, Outcome, Result
from tests.support.desk import AREA, DEFAULTS, MIN, DeskAtWork, sends


def order(village: DeskAtWork, name: str = "o-1", at: int = 0, **more: Any) -> list[Effect]:
    """A supervisor orders something of h03."""
    given: dict[str, Any] = {"premises": "h03", "action": Action.RESET, "by": "sup-1", "why": "ab12", **more}
    return village.take(Instructed(area=AREA, order=name, **given), at)


def shown(village: DeskAtWork) -> Instruction:
    """The newest of h03."""
    return village.desk.instructions(AREA, "h03")[0]


def test_it_goes_out_at_once_to_the_gateway_of_the_premises() -> None:
    """With its own id, zone and mode."""
    village = DeskAtWork()
    (sent,) = sends(order(village, action=Action.BYPASS, zone="h03-smoke"), Action.BYPASS)
    assert ("o-1", "gw-east", ("h03",), "h03-smoke") == (sent.order, sent.gateway, sent.premises, sent.zone)


def test_unanswered_it_is_sent_again_and_then_has_failed() -> None:
    """Under the same id, until it expires."""
    village = DeskAtWork()
    order(village)
    again = [effect for effect in village.wait(5 * MIN) if isinstance(effect, Send)]
    assert {"o-1"} == {effect.order for effect in again}
    assert (Outcome.FAILED, "no answer before the order expired") == (shown(village).outcome, shown(village).reason)
    assert [] == village.desk.resume(0)


@pytest.mark.parametrize("premises", ["h03", None])
def test_an_answer_settles_it(premises: str | None) -> None:
    """For the premises, or for the whole order; nothing is sent again, and a second answer changes nothing."""
    village = DeskAtWork()
    order(village)
    answer = Replied(AREA, "gw-east", "o-1", [Result(premises, Outcome.DONE, "nothing was latched")])
    village.take(answer, 1_000)
    assert (Outcome.DONE, "nothing was latched") == (shown(village).outcome, shown(village).reason)
    village.take(answer, 2_000)
    assert not village.desk.verdict.effective
    assert not [effect for effect in village.wait(5 * MIN) if isinstance(effect, Send)]


def test_another_gateways_answer_is_none() -> None:
    """It was not asked."""
    village = DeskAtWork()
    order(village)
    village.take(Replied(AREA, "gw-west", "o-1", [Result("h03", Outcome.DONE)]), 1_000)
    assert shown(village).outcome is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"premises": "h99"}, "no premises h99"),
        ({"action": Action.SIREN}, "not an operator's order; allowed: arm, disarm"),
        ({"why": ""}, "needs `by` and `why`"),
        ({"action": Action.ARM}, "needs `mode`"),
        ({"action": Action.BYPASS}, "needs `zone`"),
        ({"zone": "h04-panic"}, "zone h04-panic is not one of h03"),
    ],
)
def test_what_may_not_be_ordered_is_refused(more: dict[str, Any], why: str) -> None:
    """By name, and nothing was changed: no reason, no order."""
    village = DeskAtWork()
    before = village.desk.snapshot()
    with pytest.raises(NotAllowed, match=why):
        order(village, **more)
    assert before == village.desk.snapshot()


def test_an_order_is_given_once() -> None:
    """The same id again is refused."""
    village = DeskAtWork()
    order(village)
    with pytest.raises(NotAllowed, match="was given before"):
        order(village)


def test_orders_remembered_are_bounded_and_let_go_in_time() -> None:
    """The oldest of a premises goes first; after a week there is none, nor anything of it."""
    village = DeskAtWork()
    empty = village.desk.snapshot()
    for number in range(INSTRUCTIONS_MAX + 3):
        order(village, f"o-{number}", number)
    kept = [one.id for one in village.desk.instructions(AREA, "h03")]
    assert (INSTRUCTIONS_MAX, f"o-{INSTRUCTIONS_MAX + 2}", "o-3") == (len(kept), kept[0], kept[-1])
    village.wait(DEFAULTS.keeping.forget_ms + MIN)
    assert empty == village.desk.snapshot()


def test_orders_replay_to_the_same_state() -> None:
    """The journal alone rebuilds them."""
    village = DeskAtWork()
    order(village)
    village.wait(20_000)
    order(village, "o-2", 21_000, action=Action.ARM, mode="armed_home")
    village.take(Replied(AREA, "gw-east", "o-2", [Result("h03", Outcome.DONE)]), 22_000)
    again = DeskAtWork()
    for at_ms, body in village.journal:
        again.desk.begin()
        again.desk.step(msgspec.json.decode(body, type=Input), at_ms, replayed=True)
        again.desk.commit()
    assert village.desk.snapshot() == again.desk.snapshot()


@pytest.mark.parametrize("duration_ms, drill", [(0, True), (5_000, False)])
def test_a_test_without_a_siren_is_a_proof(duration_ms: int, drill: bool) -> None:
    """Its order is marked, so the gateway's record is; one that sounds is an installer's."""
    village = DeskAtWork()
    (sent,) = sends(order(village, action=Action.TEST, duration_ms=duration_ms), Action.TEST)
    assert drill is sent.drill
