"""What lives in a zone, when it is over, and what the loss of a gateway makes unknown."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from hub.core.acts import Disposition, Move
from hub.core.incident import Incident
from hub.core.registry import GatewayEntry
from hub.core.views import ZoneView
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition
from tests.support.desk import AREA, MIN, REGISTRY, START_MS, DeskAtWork, H, S, called, pages


def zone(village: DeskAtWork, name: str) -> ZoneView:
    """The zone as the desk sees it."""
    return next(view for view in village.desk.zones(AREA) if view.id == name)


def resolve(village: DeskAtWork) -> None:
    """Accept and resolve the one incident there is."""
    village.move(village.only(), Move.ACCEPT)
    village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)


def test_a_zone_is_unknown_until_something_is_said_of_it() -> None:
    """Unknown is never normal."""
    assert {Condition.UNKNOWN} == {view.condition for view in DeskAtWork().desk.zones()}


def test_an_end_clears_the_condition_and_resolves_nothing() -> None:
    """The zone is normal again, the incident says restored and stays open."""
    village = DeskAtWork()
    village.happen(Kind.FIRE, "h03-smoke", 0)
    assert Condition.ALARM is zone(village, "h03-smoke").condition
    village.happen(Kind.FIRE, "h03-smoke", MIN, qualifier=Qualifier.RESTORE)
    assert Condition.NORMAL is zone(village, "h03-smoke").condition
    assert (village.only().conditions, village.only().state) == (["restored"], "reported")


def test_a_late_end_never_clears_a_live_condition() -> None:
    """An end older than the newest beginning is a line of history and no more."""
    village = DeskAtWork()
    village.happen(Kind.FIRE, "h03-smoke", 10 * MIN, seq=2)
    village.happen(Kind.FIRE, "h03-smoke", 5 * MIN, 11 * MIN, qualifier=Qualifier.RESTORE, seq=1)
    assert Condition.ALARM is zone(village, "h03-smoke").condition
    assert village.only().conditions == []
    assert village.only().history[-1].why == "older than the newest beginning: history only"


def test_an_end_that_overtakes_its_beginning_still_ends_it() -> None:
    """Event times decide, not arrival; the incident is opened all the same."""
    village = DeskAtWork()
    village.happen(Kind.FIRE, "h03-smoke", MIN, qualifier=Qualifier.RESTORE, seq=2)
    village.happen(Kind.FIRE, "h03-smoke", 0, 2 * MIN, seq=1)
    assert Condition.NORMAL is zone(village, "h03-smoke").condition
    assert village.only().rule == "fire"


def test_one_of_two_zones_restored_is_not_restored() -> None:
    """The incident is restored when nothing of it lives."""
    village = DeskAtWork()
    for name in ("h01-door", "h01-motion"):
        village.happen(Kind.INTRUSION, name, 0)
    village.happen(Kind.INTRUSION, "h01-door", MIN, qualifier=Qualifier.RESTORE)
    assert village.only().conditions == []
    village.happen(Kind.INTRUSION, "h01-motion", MIN, qualifier=Qualifier.RESTORE)
    assert village.only().conditions == ["restored"]


def test_still_present_joins_its_cause_and_pages_nobody() -> None:
    """A gateway that restarts tells a latched button again; even resolved it is no new incident."""
    village = DeskAtWork()
    village.press("h01", 0, key="k1")
    assert pages(village.press("h01", H, key="k1", qualifier=Qualifier.PRESENT)) == []
    resolve(village)
    effects = village.press("h01", 2 * H, key="k1", qualifier=Qualifier.PRESENT)
    assert ([], set()) == (pages(effects), called(effects))
    assert village.only().presses == 1


def test_still_present_of_a_cause_never_heard_of_is_an_incident() -> None:
    """What began while the hub knew nothing of it is raised."""
    village = DeskAtWork()
    village.press("h01", 0, key="k9", qualifier=Qualifier.PRESENT)
    assert village.only().rule == "panic"


def test_a_press_told_of_by_still_present_is_no_second_incident_when_it_comes_at_last() -> None:
    """A gateway that restarted told of the press before its record was through; in between it was resolved."""
    village = DeskAtWork()
    press = village.record(Kind.PANIC, "h01-panic", 0, 6 * S, key="k1")
    still = village.record(Kind.PANIC, "h01-panic", 2 * S, 3 * S, key="k1", qualifier=Qualifier.PRESENT)
    village.take(replace(still, instance="b" * 32, boot=press.boot + 1), 3 * S)
    resolve(village)
    effects = village.take(press, 6 * S)
    assert ([], set()) == (pages(effects), called(effects))
    assert "panic, told before" in [line.what for line in village.only().history]
    assert 1 == village.only().presses


def test_a_press_after_still_present_is_told_though_it_comes_when_that_is_resolved() -> None:
    """What was pressed again after the restart is somebody who still calls."""
    village = DeskAtWork()
    village.press("h01", 0, key="k1", qualifier=Qualifier.PRESENT)
    again = village.record(Kind.PANIC, "h01-panic", 2 * S, 6 * S, key="k1")
    resolve(village)
    village.take(again, 6 * S)
    assert 2 == len(village.desk.incidents())


def test_an_end_that_was_long_under_way_never_clears_what_began_after_it() -> None:
    """Its age does not count the way, so by its time it is the newer; by its number it is not."""
    village = DeskAtWork()
    village.happen(Kind.TAMPER, "h03-tamper", 0, seq=101)
    village.happen(Kind.TAMPER, "h03-tamper", 3 * S, seq=103)
    village.happen(Kind.TAMPER, "h03-tamper", 5 * S, seq=102, qualifier=Qualifier.RESTORE)
    assert [Kind.TAMPER] == zone(village, "h03-tamper").live
    village.happen(Kind.TAMPER, "h03-tamper", 6 * S, seq=104, qualifier=Qualifier.RESTORE)
    assert [] == zone(village, "h03-tamper").live


def test_a_lost_gateway_is_one_p3_until_resolved_and_its_zones_are_unknown() -> None:
    """Heard again it is restored, not resolved; lost again it is the same incident."""
    village = DeskAtWork()
    village.happen(Kind.FIRE, "h15-smoke", 0)
    village.link("gw-west", False, MIN, heard=40 * S)
    lost = next(i for i in village.desk.incidents() if i.rule == "gateway_lost")
    assert (lost.priority, lost.gateways, lost.event_ms) == (3, ["gw-west"], START_MS + 40 * S)
    assert {Condition.UNKNOWN} == {view.condition for view in village.desk.zones(AREA, "gw-west")}
    assert zone(village, "h15-smoke").live == [Kind.FIRE]
    village.link("gw-west", True, 2 * MIN)
    assert (village.now_of(lost).conditions, village.now_of(lost).state) == (["link_restored"], "reported")
    assert Condition.ALARM is zone(village, "h15-smoke").condition
    village.link("gw-west", False, 3 * MIN)
    assert village.now_of(lost).conditions == []
    assert len(_of(village, "gateway_lost")) == 1


def test_a_link_told_twice_is_nothing() -> None:
    """The second telling has no effect and is not journalled."""
    village = DeskAtWork()
    village.link("gw-west", False, 0)
    assert village.link("gw-west", False, S) == []
    assert not village.desk.verdict.effective


def test_coalesced_repeats_count() -> None:
    """One record that stands for five is five."""
    village = DeskAtWork()
    village.happen(Kind.TAMPER, "h03-tamper", 0, count=5)
    assert village.only().presses == 5


def test_views_count_and_group() -> None:
    """The group shows its incidents and whom they call, the head line its counts."""
    village = DeskAtWork()
    village.press("h03", 0)
    village.happen(Kind.ZONE_FAULT, "works-mains", 0)
    village.link("gw-works", False, S)
    east, west = village.desk.groups(AREA)
    assert [_of(village, "panic")[0].id] == east.incidents
    assert len(east.calling) == 9
    assert "works" in west.members and west.calling == {}
    counts = village.desk.counts()
    assert counts.unresolved == {"P1": 1, "P2": 0, "P3": 1, "P4": 1}
    assert (counts.unaccepted, counts.gateways_down, counts.zones_live) == (3, 1, 2)
    down = {view.id: view.up for view in village.desk.gateways(AREA)}
    assert down == {"gw-east": None, "gw-west": None, "gw-works": False}


def _of(village: DeskAtWork, rule: str) -> list[Incident]:
    return [incident for incident in village.desk.incidents() if incident.rule == rule]


def test_the_loss_of_a_gateway_that_serves_no_group_is_an_incident() -> None:
    """A gateway of a station alone has no neighbours that could be lost with it."""
    alone = GatewayEntry("gw-alone", AREA)
    gateways = {**REGISTRY.gateways, (AREA, alone.id): alone}
    village = DeskAtWork(dataclasses.replace(REGISTRY, gateways=gateways))
    village.link(alone.id, False, MIN, 0)
    assert ("gateway_lost", [alone.id]) == (village.only().rule, village.only().gateways)
