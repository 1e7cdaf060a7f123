"""Groups whose members hang on the same gateways: what is lost belongs to one parent all the same."""

from __future__ import annotations

import pytest

from hub.core.acts import Disposition, Move
from hub.core.heard import Linked
from hub.core.incident import UNRESOLVED, Incident
from protocol.kinds import Kind
from simulators.world.village import GATEWAYS, village
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, S

PROFILE = 90 * S


def work() -> DeskAtWork:
    """A village of two neighbouring groups, with members of both on each of three gateways."""
    return DeskAtWork(village().registry)


def lose(desk: DeskAtWork, *gateways: str, at: int = 0) -> None:
    """Gateways that are last heard a second after one another, each found out a reporting time later."""
    for number, gateway in enumerate(gateways):
        heard = at + number * S
        desk.take(Linked(AREA, gateway, False, START_MS + heard), heard + PROFILE)


def of(desk: DeskAtWork, rule: str) -> list[Incident]:
    """The incidents of a rule."""
    return [incident for incident in desk.desk.incidents() if incident.rule == rule]


def over(desk: DeskAtWork, incident: Incident) -> None:
    """Accepted and resolved."""
    desk.move(incident, Move.ACCEPT)
    desk.move(incident, Move.RESOLVE, disposition=Disposition.GENUINE)


def assert_one_parent_each(desk: DeskAtWork) -> None:
    """Who names a child is its parent."""
    named = {incident.id: incident for incident in desk.desk.incidents()}
    for incident in named.values():
        assert {incident.id} >= {named[child].parent for child in incident.children}, incident


def test_an_outage_holds_the_cuts_of_all_its_groups() -> None:
    """Three gateways gone take the ways of both groups: one outage, and each group's cut is part of it."""
    desk = work()
    lose(desk, *GATEWAYS)
    (outage,) = of(desk, "area_outage")
    assert [outage.id, outage.id] == [cut.parent for cut in of(desk, "silence")]
    assert all(lost.parent in {cut.id for cut in of(desk, "silence")} for lost in of(desk, "gateway_lost"))
    assert_one_parent_each(desk)


@pytest.mark.parametrize("kind", [Kind.MAINS_LOST, Kind.GATEWAY_FAULT])
def test_what_takes_no_way_out_is_no_part_of_an_outage(kind: Kind) -> None:
    """A fault for maintenance at one of its gateways, in the same minute, stays what it is."""
    desk = work()
    lose(desk, *GATEWAYS)
    where = "h01-mains" if kind is Kind.MAINS_LOST else "h01"
    desk.happen(kind, where, 30 * S, PROFILE + 10 * S)
    (fault,) = of(desk, "fault")
    assert fault.parent is None
    assert fault.id not in of(desk, "area_outage")[0].children


def test_a_loss_that_is_told_twice_is_part_of_one_sabotage() -> None:
    """Mains lost near one intrusion and again near another, in one incident: two sabotages, and it is of the first."""
    desk = work()
    for at in (0, 20 * MIN):
        desk.happen(Kind.MAINS_LOST, "h01-mains", at)
        desk.happen(Kind.INTRUSION, "h01-door", at + MIN)
    assert [2, 1] == [len(of(desk, "sabotage")), len(of(desk, "fault"))]
    assert_one_parent_each(desk)


def test_intrusions_of_two_gateways_are_part_of_one_sabotage() -> None:
    """Two households of a group, and the mains of each: a sabotage at each gateway, and they belong to one of them."""
    desk = work()
    for number, house in enumerate(("h01", "h07")):
        desk.happen(Kind.MAINS_LOST, f"{house}-mains", number * MIN)
        desk.happen(Kind.INTRUSION, f"{house}-door", number * MIN + 10 * S)
    (group,) = of(desk, "group_intrusion")
    assert 2 == len(of(desk, "sabotage"))
    assert group.parent in {sabotage.id for sabotage in of(desk, "sabotage")}
    assert_one_parent_each(desk)


def test_a_cut_that_was_resolved_is_not_raised_again_by_another_fault() -> None:
    """The gateways are still lost and go on alone; a maintenance fault there is no news of the cut."""
    desk = work()
    lose(desk, *GATEWAYS)
    for incident in [*of(desk, "area_outage"), *of(desk, "silence")]:
        if desk.now_of(incident).state in UNRESOLVED:
            over(desk, incident)
    before = len(desk.desk.incidents())
    desk.happen(Kind.MAINS_LOST, "h01-mains", 3 * MIN)
    assert before + 1 == len(desk.desk.incidents())


def test_a_child_stays_though_what_it_was_found_by_is_over() -> None:
    """One intrusion of two is resolved by itself; a later loss there leaves the pair of them in their sabotage."""
    desk = work()
    desk.happen(Kind.INTRUSION, "h01-door", 0)
    desk.happen(Kind.INTRUSION, "h07-door", MIN)
    desk.happen(Kind.MAINS_LOST, "h07-mains", 2 * MIN)
    (group,), (sabotage,) = of(desk, "group_intrusion"), of(desk, "sabotage")
    assert sabotage.id == group.parent
    (second,) = [incident for incident in of(desk, "intrusion") if incident.premises == ["h07"]]
    over(desk, second)
    desk.happen(Kind.NVR_OFFLINE, "h07-nvr-online", 3 * MIN)
    assert sabotage.id == desk.now_of(group).parent
    assert_one_parent_each(desk)


def test_a_cut_that_was_resolved_is_not_raised_again_by_another_loss() -> None:
    """Minutes later an expander there does not answer: that is news of itself, and not of the cut."""
    desk = work()
    lose(desk, *GATEWAYS)
    for incident in [*of(desk, "area_outage"), *of(desk, "silence")]:
        if desk.now_of(incident).state in UNRESOLVED:
            over(desk, incident)
    before = len(of(desk, "silence"))
    desk.happen(Kind.DEVICE_LOST, "h01", 9 * MIN, detail={"device": "gw-a-d1"})
    assert before == len(of(desk, "silence"))
