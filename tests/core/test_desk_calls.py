"""Who is called, who is not and why, what happens when no answer comes, and that everyone called is stood down."""

from __future__ import annotations

from hub.core.acts import Disposition, Move, Stage
from hub.core.heard import Replied
from hub.core.rules.base import Duplicate
from protocol.kinds import Kind
from protocol.messages import Action, Outcome, Result
from protocol.records import ClockQuality, Stamp
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, S, called, everyone, pages, sends


def test_a_press_calls_every_other_member_by_one_order_a_gateway() -> None:
    """The sirens of nine households on two gateways, for the cause of the press, and not the presser's own."""
    effects = DeskAtWork().press("h03", 0, key="gw-east-1-1")
    orders = {order.gateway: order for order in sends(effects, Action.SIREN)}
    assert {"gw-east", "gw-west"} == set(orders)
    assert everyone("east") - {"h03"} == called(effects)
    assert orders["gw-west"].premises == ("h09", "h10")
    assert orders["gw-west"].keys == ("gw-east-1-1",)
    assert (orders["gw-west"].pressed, orders["gw-west"].duration_ms) == ("h03", 300_000)


def test_a_desk_put_back_to_an_earlier_hour_gives_no_order_an_old_id() -> None:
    """What a restored hub orders of an incident is new to gateways that obeyed orders the backup does not know."""
    lost, restored = DeskAtWork(), DeskAtWork()
    for village in (lost, restored):
        village.press("h03", 0)
    lost.move(lost.only(), Move.RESPOND, by="p-1", stage=Stage.EN_ROUTE)
    obeyed = {order.order for action in Action for order in sends(lost.effects, action)}
    restored.now = MIN
    effects = restored.move(restored.only(), Move.SILENCE)
    fresh = {order.order for action in Action for order in sends(effects, action)}
    assert (True, set()) == (bool(fresh), fresh & obeyed)


def test_pressing_again_pages_again_and_rings_nobody_twice() -> None:
    """A second press of the household within its window sends no second siren order."""
    village = DeskAtWork()
    village.press("h03", 0)
    effects = village.press("h03", MIN)
    assert pages(effects) == [("station", "h03 again")]
    assert set() == called(effects)


def test_a_second_household_calls_the_adjacent_group() -> None:
    """Group west and its site are called, and nobody of group east a second time."""
    village = DeskAtWork()
    village.press("h03", 0)
    assert everyone("west") == called(village.press("h09", MIN))


def test_duress_and_hold_up_send_nothing_to_any_gateway() -> None:
    """From the code to the stand-down no order leaves; station and above are paged."""
    for kind, where in ((Kind.DURESS, "h05-duress"), (Kind.SILENT_HOLDUP, "works")):
        village = DeskAtWork()
        village.happen(kind, where, 0)
        incident = village.only()
        assert incident.silent
        village.move(incident, Move.ACCEPT)
        village.move(incident, Move.RESPOND, by="p-1", stage=Stage.EN_ROUTE)
        village.move(incident, Move.SILENCE)
        village.move(incident, Move.RESOLVE, disposition=Disposition.GENUINE)
        assert [order for action in Action for order in sends(village.effects, action)] == []
        assert {"station"} == {rung for rung, _ in pages(village.effects)}
        assert village.now_of(incident).calling == "nobody called: it is silent"


def test_an_unconfirmed_intrusion_calls_nobody_and_a_confirmed_one_the_group() -> None:
    """The second zone makes it P1 and rings the neighbours."""
    village = DeskAtWork()
    assert set() == called(village.happen(Kind.INTRUSION, "h01-door", 0))
    assert village.only().calling == "nobody called: P2 intrusion is for the operators"
    effects = village.happen(Kind.INTRUSION, "h01-motion", MIN)
    assert everyone("east") - {"h01"} == called(effects)
    assert {"group", "station"} == {rung for rung, _ in pages(effects)}


def test_a_group_intrusion_calls_those_not_intruded_upon() -> None:
    """The parent rings the rest of the group, for the causes of both."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0, key="k1")
    effects = village.happen(Kind.INTRUSION, "h02-door", S, key="k2")
    assert everyone("east") - {"h01", "h02"} == called(effects)
    assert sends(effects, Action.SIREN)[0].keys == ("k1", "k2")


def test_a_late_press_pages_but_rings_only_when_young() -> None:
    """Below 2 min it rings; up to 30 min it pages "late by N"; beyond it is on the must-look list."""
    for age, rings, why in (
        (2 * MIN - 1, True, "late by 119 s"),
        (2 * MIN, False, "late by 2 min"),
        (30 * MIN, False, "late by 30 min"),
        (30 * MIN + 1, False, "must look: late by 30 min"),
    ):
        village = DeskAtWork()
        effects = village.press("h03", 0, age)
        assert rings == bool(called(effects)), age
        assert why in pages(effects)[0][1], age
        assert ("must_look" in village.only().conditions) == (age > 30 * MIN)
        assert rings or village.only().calling == f"nobody called: {why.removeprefix('must look: ')}"


def test_unknown_age_pages_and_rings_nobody_whatever_the_clocks_say() -> None:
    """A trusted wall clock places the event; it never makes it young enough to ring."""
    village = DeskAtWork()
    stamp = Stamp(0, START_MS - 5 * S, ClockQuality.SYNCED)
    effects = village.press("h03", 0, age_ms=None, stamp=stamp)
    assert set() == called(effects)
    assert "age unknown" in pages(effects)[0][1]
    incident = village.only()
    assert (incident.event_ms, incident.late_ms) == (START_MS - 5 * S, None)
    assert incident.calling == "nobody called: its age is unknown"


def test_a_clock_in_the_future_or_unset_is_now() -> None:
    """No event lies in the hub's future, and an unset clock places nothing."""
    for quality in (ClockQuality.HOLDOVER, ClockQuality.UNSET):
        village = DeskAtWork()
        village.press("h03", 0, age_ms=None, stamp=Stamp(0, START_MS + 10**9, quality))
        assert village.only().event_ms == START_MS


def test_a_fresh_press_rings_for_an_incident_that_came_late() -> None:
    """The first record was too old to ring; a young one of the same incident rings."""
    village = DeskAtWork()
    assert set() == called(village.press("h03", 0, 3 * MIN))
    assert everyone("east") - {"h03"} == called(village.press("h03", 4 * MIN))
    assert village.only().calling.startswith("neighbours called")


def test_answers_become_the_outcome_of_each_call() -> None:
    """Done, joined and refused stand with the premises, and an answer told twice is nothing."""
    village = DeskAtWork()
    west = next(order for order in sends(village.press("h03", 0), Action.SIREN) if order.gateway == "gw-west")
    answer = Replied(
        AREA, "gw-west", west.order, [Result("h09", Outcome.JOINED), Result("h10", Outcome.REFUSED, "no siren here")]
    )
    village.take(answer, S)
    calls = village.only().calls
    assert (calls["h09"].outcome, calls["h10"].outcome) == (Outcome.JOINED, Outcome.REFUSED)
    assert calls["h10"].reason == "no siren here"
    assert calls["h09"].replied_ms == START_MS + S
    village.take(answer, 2 * S)
    assert not village.desk.verdict.effective


def test_an_answer_from_another_gateway_is_nothing() -> None:
    """Only the gateway that was ordered can answer."""
    village = DeskAtWork()
    west = next(order for order in sends(village.press("h03", 0), Action.SIREN) if order.gateway == "gw-west")
    village.take(Replied(AREA, "gw-east", west.order, [Result("h09", Outcome.DONE)]))
    assert not village.desk.verdict.effective
    assert village.only().calls["h09"].outcome is None


def test_an_unanswered_order_is_sent_again_under_its_id_until_it_expires() -> None:
    """At 5, 15, 35 and 75 s; at 120 s the failure is told and the calls have failed."""
    village = DeskAtWork()
    east, west = sends(village.press("h03", 0), Action.SIREN)
    village.reply(east)
    village.move(village.only(), Move.RESPOND, stage=Stage.EN_ROUTE)
    again = sends(village.wait(2 * MIN - 1), Action.SIREN)
    assert [west] * 4 == again
    effects = village.wait(2 * MIN)
    assert sends(effects, Action.SIREN) == []
    assert ("station", "gw-west did not answer siren for h09, h10") in pages(effects)
    assert {Outcome.FAILED} == {village.only().calls[premises].outcome for premises in ("h09", "h10")}


def test_a_gateway_heard_again_gets_its_order_at_once() -> None:
    """No need to wait for the next try; what has expired is not sent."""
    village = DeskAtWork()
    village.link("gw-west", False, 0)
    orders = sends(village.press("h03", S), Action.SIREN)
    assert [o for o in orders if o.gateway == "gw-west"] == sends(village.link("gw-west", True, 3 * S), Action.SIREN)


def test_after_a_restart_outstanding_orders_are_resumed() -> None:
    """Unanswered and unexpired ones only."""
    village = DeskAtWork()
    east, west = sends(village.press("h03", 0), Action.SIREN)
    village.reply(east)
    assert [west] == village.desk.resume(START_MS + MIN)
    assert village.desk.resume(START_MS + 2 * MIN) == []


def test_the_first_answer_tells_the_house_that_somebody_is_coming() -> None:
    """The first responder lights the lamp, even before the station accepted; the second does not again."""
    village = DeskAtWork()
    village.press("h03", 0)
    effects = village.move(village.only(), Move.RESPOND, by="p-h04", stage=Stage.EN_ROUTE)
    assert [(o.gateway, o.premises) for o in sends(effects, Action.COMING)] == [("gw-east", ("h03",))]
    effects = village.move(village.only(), Move.RESPOND, by="p-h05", stage=Stage.ACCEPTED)
    assert sends(effects, Action.COMING) == []


def test_resolve_silences_and_stands_down_everyone_who_was_called() -> None:
    """All called and the house itself, on each gateway; unanswered siren orders are not sent any more."""
    village = DeskAtWork()
    village.press("h03", 0)
    village.move(village.only(), Move.ACCEPT)
    effects = village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    for action in (Action.SILENCE, Action.STAND_DOWN):
        assert everyone("east") == {p for order in sends(effects, action) for p in order.premises}
        assert {"gw-east", "gw-west"} == {order.gateway for order in sends(effects, action)}
    assert sends(village.wait(10 * MIN), Action.SIREN) == []


def test_a_late_panic_stands_down_those_its_own_gateway_rang() -> None:
    """The hub called nobody, but the gateway rang its own members at the time."""
    village = DeskAtWork()
    village.press("h03", 0, 10 * MIN)
    village.move(village.only(), Move.ACCEPT)
    effects = village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    local = {f"h{number:02}" for number in range(1, 9)}
    assert local == {p for order in sends(effects, Action.STAND_DOWN) for p in order.premises}


def test_a_parents_end_is_its_childrens_end_and_a_childs_end_is_not() -> None:
    """A child resolved alone silences nobody while its parent stands; the parent resolves and stands down all."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.INTRUSION, "h02-door", S)
    parent = next(i for i in village.desk.incidents() if i.rule == "group_intrusion")
    first, second = (i for i in village.desk.incidents() if i.rule == "intrusion")
    village.move(parent, Move.ACCEPT)
    assert {"accepted"} == {i.state for i in village.desk.incidents()}
    effects = village.move(first, Move.RESOLVE, disposition=Disposition.TEST)
    assert sends(effects, Action.SILENCE) + sends(effects, Action.STAND_DOWN) == []
    effects = village.move(parent, Move.RESOLVE, disposition=Disposition.GENUINE)
    assert everyone("east") >= {p for order in sends(effects, Action.STAND_DOWN) for p in order.premises}
    assert everyone("east") - {"h01"} <= {p for order in sends(effects, Action.STAND_DOWN) for p in order.premises}
    assert Disposition.GENUINE is village.now_of(second).disposition
    assert Disposition.TEST is village.now_of(first).disposition


def test_a_cancel_inside_the_abort_window_stands_down_and_still_wants_a_look() -> None:
    """Marked, paged, and not resolved; the same whichever of the two arrives first."""
    for cancel_first in (False, True):
        village = DeskAtWork()
        trip = village.record(Kind.INTRUSION, "h01-door", 0, 31 * S)
        cancel = village.record(Kind.CANCEL, "h01", 30 * S, 31 * S)
        for item in (cancel, trip) if cancel_first else (trip, cancel):
            village.take(item, 31 * S)
        incident = village.only()
        assert (incident.conditions, incident.state) == (["cancelled"], "reported")
        assert "still wants a look" in pages(village.effects)[-1][1]
        assert sends(village.effects, Action.STAND_DOWN)


def test_a_cancel_past_the_abort_window_withdraws_nothing() -> None:
    """A second too late changes nothing of the incident."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    before = village.only()
    assert village.happen(Kind.CANCEL, "h01", 30 * S + 1) == []
    assert before == village.only()


def test_a_drill_never_meets_the_real() -> None:
    """A drill's press is its own incident, and its orders say so."""
    village = DeskAtWork()
    village.press("h03", 0)
    effects = village.press("h03", S, drill=True)
    assert len(village.desk.incidents()) == 2
    assert {True} == {order.drill for order in sends(effects, Action.SIREN)}


def test_a_duplicate_is_named() -> None:
    """The reason is there to count."""
    village = DeskAtWork()
    record = village.record(Kind.PANIC, "h03-panic", 0)
    village.take(record)
    village.take(record)
    assert Duplicate() == village.desk.verdict


def test_a_failed_call_is_tried_anew_at_the_next_press() -> None:
    """Whom no order reached is called again; who answered is not."""
    village = DeskAtWork()
    east, _ = sends(village.press("h03", 0), Action.SIREN)
    village.reply(east)
    village.move(village.only(), Move.RESPOND, stage=Stage.EN_ROUTE)
    village.wait(3 * MIN)
    assert {"h09", "h10"} == called(village.press("h03", 4 * MIN))


def test_a_drills_cancel_withdraws_nothing_real() -> None:
    """Whichever arrives first."""
    village = DeskAtWork()
    village.happen(Kind.CANCEL, "h01", 10 * S, drill=True)
    village.happen(Kind.INTRUSION, "h01-door", 5 * S, 11 * S)
    village.happen(Kind.CANCEL, "h01", 12 * S, drill=True)
    assert village.only().conditions == []
