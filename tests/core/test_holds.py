"""Shelves and places out of service: what they keep from being told, for how long, and what nobody may keep back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.core.acts import Move
from hub.core.desk import Desk
from hub.core.effects import Effect
from hub.core.hold import At, PutBack, Shelved, Sort, TakenOut
from hub.core.io import Input, NotAllowed
from protocol.kinds import Kind, Qualifier
from tests.support.desk import AREA, DEFAULTS, MIN, START_MS, DeskAtWork, H, S, called, everyone, pages
from tests.support.town import town

DAY = 24 * H


def shelve(
    village: DeskAtWork, at: int, place: str, until: int, rule: str | None = None, where: At = At.ZONE, **more: Any
) -> list[Effect]:
    """A supervisor shelves a zone, unless said otherwise; times are ms from the start."""
    by: dict[str, Any] = {"supervisor": True, "by": "sup-1", "reason": "nuisance", "why": "hash"} | more
    return village.take(Shelved(AREA, where, place, rule=rule, until_ms=START_MS + until, **by), at)


def take_out(village: DeskAtWork, at: int, where: At, place: str, review: int = DAY) -> list[Effect]:
    """A supervisor takes a place out of service."""
    return village.take(TakenOut(AREA, where, place, "sup-1", "sensor_fault", "hash", START_MS + review), at)


def put_back(
    village: DeskAtWork, at: int, sort: Sort, place: str, where: At = At.ZONE, rule: str | None = None
) -> None:
    """Somebody ends it."""
    village.take(PutBack(AREA, sort, where, place, "sup-1", rule), at)


def told(village: DeskAtWork) -> list[str]:
    """The history of the one incident, in words."""
    return [line.what for line in village.only().history]


def test_a_shelved_door_is_raised_and_pages_nobody() -> None:
    """The record is an incident with the reason in its history; no page, no rung climbed, and its count is kept."""
    village = DeskAtWork()
    shelve(village, 0, "h01-door", H)
    effects = village.happen(Kind.INTRUSION, "h01-door", MIN) + village.wait(30 * MIN)
    incident = village.only()
    assert ([], "shelved", ["shelved"]) == (pages(effects), incident.withheld, incident.conditions)
    assert ["intrusion", "shelved", "raised", "not paged"] == told(village)
    (hold,) = village.desk.alarms.holds(AREA)
    assert (1, (incident.id,)) == (hold.count, hold.held)


def test_what_is_still_open_when_the_shelf_ends_is_told_then() -> None:
    """By the desk's own timer, with the time to accept counted from then."""
    village = DeskAtWork()
    shelve(village, 0, "h01-door", H)
    village.happen(Kind.INTRUSION, "h01-door", MIN)
    effects = village.wait(H)
    why = "unshelved: its time is over, still open: h01-door tripped, not confirmed"
    assert [("station", why)] == pages(effects)
    assert ([], []) == (village.only().conditions, village.desk.alarms.holds(AREA))
    assert ["town"] == [rung for rung, _ in pages(village.wait(H + 5 * MIN))]


def test_a_shelf_whose_time_is_over_withholds_nothing_though_its_timer_is_late() -> None:
    """A record of the very moment pages, whichever the desk steps first; the timer then finds nothing to tell."""
    village = DeskAtWork()
    shelve(village, 0, "h01-door", H)
    assert ["station"] == [rung for rung, _ in pages(village.happen(Kind.INTRUSION, "h01-door", H))]
    assert [] == pages(village.wait(H))


def test_what_was_over_before_the_shelf_ended_stands_in_the_list_as_returned() -> None:
    """Nobody is paged for it, then or later; a record after that is told like any other."""
    village = DeskAtWork()
    shelve(village, 0, "h03-tamper", H)
    village.happen(Kind.TAMPER, "h03-tamper", MIN)
    village.happen(Kind.TAMPER, "h03-tamper", 2 * MIN, qualifier=Qualifier.RESTORE, key="gw-east-1-1")
    put_back(village, 3 * MIN, Sort.SHELVED, "h03-tamper")
    assert ["restored", "returned"] == village.only().conditions
    assert [] == pages(village.wait(2 * H))
    assert ["station"] == [rung for rung, _ in pages(village.happen(Kind.TAMPER, "h03-tamper", 3 * H))]
    assert [] == village.only().conditions


def test_what_stands_already_is_withheld_from_the_moment_it_is_shelved() -> None:
    """It climbs no further; what somebody accepted is left in their hands."""
    village = DeskAtWork()
    village.happen(Kind.INTRUSION, "h01-door", 0)
    village.happen(Kind.TAMPER, "h03-tamper", 0)
    taken = next(one for one in village.open() if one.rule == "tamper")
    village.move(taken, Move.ACCEPT)
    shelve(village, MIN, "h01-door", H)
    shelve(village, MIN, "h03-tamper", H)
    assert [] == pages(village.wait(30 * MIN))
    (incident,) = village.open()
    assert (["shelved"], []) == (incident.conditions, village.now_of(taken).conditions)


def test_a_p1_is_told_whatever_is_shelved_or_out_of_service() -> None:
    """A confirmed intrusion at a shelved house, a panic at a house out of service: paged, and the group called."""
    village = DeskAtWork()
    shelve(village, 0, "h01", H, where=At.PREMISES)
    assert [] == pages(village.happen(Kind.INTRUSION, "h01-door", S))
    effects = village.happen(Kind.INTRUSION, "h01-motion", MIN)
    assert (["station", "group"], everyone("east") - {"h01"}) == ([rung for rung, _ in pages(effects)], called(effects))
    assert ([], True) == (village.only().conditions, all(rung for rung in pages(village.wait(10 * MIN))))
    take_out(village, 11 * MIN, At.PREMISES, "h03")
    take_out(village, 11 * MIN, At.ZONE, "h03-panic")
    effects = village.press("h03", 12 * MIN)
    (station, _) = pages(effects)
    words = "h03 pressed the panic button (zone h03-panic is out of service: sensor_fault)"
    assert (("station", words), everyone("east") - {"h03"}) == (station, called(effects))


@pytest.mark.parametrize("rule", ["panic", "duress", "silent_holdup", "fire", "gas", "sabotage", "group_intrusion"])
def test_life_is_never_shelved(rule: str) -> None:
    """Not by a supervisor either, and the refusal says why."""
    village = DeskAtWork()
    with pytest.raises(NotAllowed, match=f"{rule} is a P1: it is never shelved"):
        shelve(village, 0, "h01", H, rule, where=At.PREMISES)
    assert [] == village.desk.alarms.holds(AREA)


def test_of_a_panic_button_only_its_troubles_are_shelved() -> None:
    """The zone as a whole is refused; its faults by name are not, and a press is a P1 as ever."""
    village = DeskAtWork()
    with pytest.raises(
        NotAllowed, match=r"h03-panic is a panic zone, and panic is a P1: it is never shelved; .*tamper"
    ):
        shelve(village, 0, "h03-panic", H)
    shelve(village, 0, "h03-panic", H, "fault")
    village.happen(Kind.ZONE_FAULT, "h03-panic", S)
    assert "shelved" == village.only().withheld
    assert ["station", "group"] == [rung for rung, _ in pages(village.press("h03", MIN))]


def test_an_operator_shelves_p3_and_p4_for_eight_hours() -> None:
    """An intrusion by name is refused, and pages through the shelf of a whole zone; a longer one is refused."""
    village = DeskAtWork()
    with pytest.raises(NotAllowed, match="intrusion is a P2: only a supervisor shelves it"):
        shelve(village, 0, "h01-door", H, "intrusion", supervisor=False)
    with pytest.raises(NotAllowed, match="`until_ms` is not a time to come within 8 h, the longest of an operator"):
        shelve(village, 0, "h01-door", 9 * H, supervisor=False)
    shelve(village, 0, "h01-door", 8 * H, supervisor=False)
    village.happen(Kind.ZONE_FAULT, "h01-door", S)
    assert "shelved" == village.only().withheld
    assert ["station"] == [rung for rung, _ in pages(village.happen(Kind.INTRUSION, "h01-door", MIN))]


def test_what_cannot_be_shelved_is_refused_with_every_fault() -> None:
    """Place, reason, words, rule and time: all said at once, and nothing changed."""
    village = DeskAtWork()
    before = village.desk.snapshot()
    words = "no zone h99.*needs `by` and `why`.*no reason bad; allowed: nuisance.*no rule nap; allowed: .*`until_ms`"
    with pytest.raises(NotAllowed, match=words):
        shelve(village, H, "h99", 0, "nap", by="", why="", reason="bad")
    with pytest.raises(NotAllowed, match="`review_ms` is not a time to come within"):
        take_out(village, H, At.GATEWAY, "gw-east", 200 * DAY)
    with pytest.raises(NotAllowed, match="put back zone h01-door: it is not shelved"):
        put_back(village, H, Sort.SHELVED, "h01-door")
    assert before == village.desk.snapshot()


def test_a_supervisors_shelf_is_not_made_smaller_by_an_operator() -> None:
    """They may end it, which tells more; they may not put their own in its place. Set again, a shelf counts it."""
    village = DeskAtWork()
    shelve(village, 0, "h01-door", H)
    with pytest.raises(NotAllowed, match="a supervisor shelved it, up to P2"):
        shelve(village, MIN, "h01-door", H, supervisor=False)
    shelve(village, 2 * MIN, "h01-door", 2 * H)
    (hold,) = village.desk.alarms.holds(AREA)
    assert (1, START_MS + 2 * H) == (hold.renewed, hold.until_ms)
    assert [] == pages(village.happen(Kind.INTRUSION, "h01-door", 90 * MIN)), "the first end is no more"


def test_a_gateway_out_of_service_keeps_its_troubles_to_itself_and_no_intrusion() -> None:
    """Its loss, even with an armed site, and the faults of its zones are withheld; a door of a house there pages."""
    village = DeskAtWork()
    take_out(village, 0, At.GATEWAY, "gw-works")
    village.happen(Kind.ARMED, "works", S)
    effects = village.link("gw-works", False, 10 * MIN, heard=MIN)
    zone = "works-gate"
    effects += village.happen(Kind.ZONE_FAULT, zone, 11 * MIN) + village.wait(H)
    assert [] == pages(effects)
    assert {"out_of_service"} == {one.withheld for one in village.open()}
    assert ["station"] == [rung for rung, _ in pages(village.happen(Kind.INTRUSION, zone, 2 * H))]


def test_a_review_that_is_due_is_a_p4_every_day_until_somebody_looks() -> None:
    """What is out of service never goes quiet: the P4 of its review is not withheld by it."""
    village = DeskAtWork()
    take_out(village, 0, At.ZONE, "h01-door")
    village.wait(DAY)
    incident = village.only()
    assert ("fault", None, ["h01-door"]) == (incident.rule, incident.withheld, incident.zones)
    assert "h01-door: out of service, and its review is due (sensor_fault, for 24 h)" == incident.why
    village.wait(2 * DAY)
    assert 2 == village.only().presses
    put_back(village, 2 * DAY, Sort.OUT_OF_SERVICE, "h01-door")
    village.wait(5 * DAY)
    assert 2 == village.only().presses


def test_a_parent_is_withheld_only_with_all_that_it_is_made_of() -> None:
    """Three gateways gone are a cut; of one out of service the other two still tell it, of three nobody does."""
    for out, expected in ((("gw-a-1",), True), (("gw-a-1", "gw-a-2", "gw-a-3"), False)):
        village = DeskAtWork(town())
        for name in out:
            take_out(village, 0, At.GATEWAY, name)
        for number, name in enumerate(("gw-a-1", "gw-a-2", "gw-a-3")):
            village.link(name, False, 5 * MIN + number * S, heard=MIN + number * S)
        (parent,) = (one for one in village.open() if one.rule == "silence")
        assert expected == (parent.withheld is None)


def test_a_fault_that_follows_from_a_lost_gateway_is_suppressed_until_somebody_says_why() -> None:
    """By design and by name; resolved, the fault that is still there is presented, and one of another time is told."""
    village = DeskAtWork()
    village.link("gw-east", False, 5 * MIN, heard=MIN)
    village.happen(Kind.ZONE_FAULT, "h01-door", 0, 6 * MIN)
    village.happen(Kind.ZONE_FAULT, "h03-panic", 2 * MIN, 6 * MIN)
    faults = {one.zones[0]: one for one in village.open() if one.rule == "fault"}
    assert (None, "suppressed") == (faults["h01-door"].withheld, faults["h03-panic"].withheld)
    (lost,) = (one for one in village.open() if one.rule == "gateway_lost")
    why = next(line.why for line in faults["h03-panic"].history if line.what == "suppressed")
    assert f"by design, gateway_lost: {lost.id}" == why
    (listed,) = village.desk.alarms.suppressed(AREA)
    assert ("gateway_lost", lost.id, faults["h03-panic"].id) == (listed.by, listed.cause, listed.incident)
    village.move(lost, Move.ACCEPT)
    village.move(lost, Move.RESOLVE, disposition="genuine")
    assert village.now_of(faults["h03-panic"]).withheld is None
    assert [] == village.desk.alarms.suppressed(AREA)


def test_holds_are_journalled_and_replayed() -> None:
    """The journal rebuilds the desk with its shelves, what they hold, and the counts; so do snapshot and journal."""
    village = DeskAtWork()
    shelve(village, 0, "h01-door", H)
    take_out(village, S, At.GATEWAY, "gw-works")
    village.happen(Kind.INTRUSION, "h01-door", MIN)
    village.link("gw-works", False, 10 * MIN, heard=MIN)
    village.press("h03", 11 * MIN)
    halfway = village.desk.snapshot()
    kept = len(village.journal)
    village.wait(2 * H)
    put_back(village, 3 * H, Sort.OUT_OF_SERVICE, "gw-works", At.GATEWAY)
    for begin, entries in ((None, village.journal), (halfway, village.journal[kept:])):
        again = Desk(village.registry, DEFAULTS)
        if begin is not None:
            again.restore(begin)
        for at_ms, item in entries:
            again.begin()
            again.step(msgspec.json.decode(item, type=Input), at_ms, replayed=True)
            again.commit()
        assert village.desk.snapshot() == again.snapshot()
