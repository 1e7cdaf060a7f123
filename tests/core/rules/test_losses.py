"""What is lost together, near an intrusion, or too often: each rule as a table."""

from __future__ import annotations

import msgspec
import pytest

from hub.core.acts import Move
from hub.core.desk import Desk
from hub.core.io import Input
from protocol.kinds import Kind
from protocol.messages import Action
from tests.support.desk import DEFAULTS, MIN, DeskAtWork, H, S, pages, sends
from tests.support.town import SHOP, town

LOST, BACK = "lost", "back"
INT, MAINS, VIDEO, NVR = Kind.INTRUSION, Kind.MAINS_LOST, Kind.VIDEO_LOSS, Kind.NVR_OFFLINE
Step = tuple[int, str, str]
Expected = list[tuple[str, int, list[str]]]
"""rule, priority, gateways."""
PROFILE = 20 * S

CASES: dict[str, tuple[list[Step], Expected]] = {
    "sabotage: a link lost within 5 min after an intrusion there": (
        [(0, INT, "a-2-door"), (5 * MIN, LOST, "gw-a-2")],
        [("sabotage", 1, ["gw-a-2"]), ("gateway_lost", 3, ["gw-a-2"]), ("intrusion", 2, ["gw-a-2"])],
    ),
    "sabotage: a link lost before it, found out 20 s later: the interval is what counts": (
        [(0, LOST, "gw-a-2"), (5 * MIN + PROFILE, INT, "a-2-door")],
        [("sabotage", 1, ["gw-a-2"]), ("gateway_lost", 3, ["gw-a-2"]), ("intrusion", 2, ["gw-a-2"])],
    ),
    "sabotage: past 5 min they have nothing to do with one another": (
        [(0, INT, "a-2-door"), (5 * MIN + 1, LOST, "gw-a-2")],
        [("gateway_lost", 3, ["gw-a-2"]), ("intrusion", 2, ["gw-a-2"])],
    ),
    "sabotage: the link of another gateway is none": (
        [(0, INT, "a-2-door"), (S, LOST, "gw-a-3")],
        [("gateway_lost", 3, ["gw-a-3"]), ("intrusion", 2, ["gw-a-2"])],
    ),
    "sabotage: mains and video there count": (
        [(0, MAINS, "a-2-mains"), (S, VIDEO, "a-2-nvr"), (MIN, INT, "a-2-door")],
        [
            ("sabotage", 1, ["gw-a-2"]),
            ("fault", 4, ["gw-a-2"]),
            ("intrusion", 2, ["gw-a-2"]),
            ("nvr_blind", 3, ["gw-a-2"]),
        ],
    ),
    "sabotage: the mains of a neighbour on the same gateway do not": (
        [(0, MAINS, "lane-1-mains"), (MIN, INT, "lane-2-door")],
        [("fault", 4, ["gw-lane"]), ("intrusion", 2, ["gw-lane"])],
    ),
    "sabotage: the link of a gateway that both hang on is of both": (
        [(0, INT, "lane-1-door"), (MIN, LOST, "gw-lane"), (11 * MIN, INT, "lane-2-door")],
        [
            ("sabotage", 1, ["gw-lane"]),
            ("gateway_lost", 3, ["gw-lane"]),
            ("intrusion", 2, ["gw-lane"]),
            ("intrusion", 2, ["gw-lane"]),
        ],
    ),
    "sabotage: of two households that are one group intrusion takes that": (
        [(0, INT, "lane-1-door"), (MIN, INT, "lane-2-door"), (2 * MIN, LOST, "gw-lane")],
        [
            ("sabotage", 1, ["gw-lane"]),
            ("gateway_lost", 3, ["gw-lane"]),
            ("group_intrusion", 1, ["gw-lane"]),
            ("intrusion", 2, ["gw-lane"]),
            ("intrusion", 2, ["gw-lane"]),
        ],
    ),
    "silence: two ways lost are two losses": (
        [(0, LOST, "gw-far-1"), (S, LOST, "gw-far-2")],
        [("gateway_lost", 3, ["gw-far-1"]), ("gateway_lost", 3, ["gw-far-2"])],
    ),
    "silence: three of a group within 60 s are a possible cut or jam": (
        [(0, LOST, "gw-far-1"), (S, LOST, "gw-far-2"), (60 * S + PROFILE, LOST, "gw-far-3")],
        [
            ("silence", 3, ["gw-far-1", "gw-far-2", "gw-far-3"]),
            *(("gateway_lost", 3, [f"gw-far-{n}"]) for n in (1, 2, 3)),
        ],
    ),
    "silence: the third past 60 s of the first is a loss by itself": (
        [(0, LOST, "gw-far-1"), (S, LOST, "gw-far-2"), (60 * S + PROFILE + 1, LOST, "gw-far-3")],
        [("gateway_lost", 3, [f"gw-far-{n}"]) for n in (1, 2, 3)],
    ),
    "silence: one gateway lost three times is one way": (
        [(n * MIN, what, "gw-far-1") for n in range(3) for what in (LOST, BACK)],
        [("gateway_lost", 3, ["gw-far-1"])],
    ),
    "area_outage: two neighbouring groups of one gateway each are two ways, and none": (
        [(0, LOST, "gw-lane"), (S, LOST, "gw-yard")],
        [("gateway_lost", 3, ["gw-lane"]), ("gateway_lost", 3, ["gw-yard"])],
    ),
    "area_outage: a group gone, and its neighbour too": (
        [*((n * S, LOST, f"gw-c-{n}") for n in (1, 2, 3)), (4 * S, LOST, "gw-lane")],
        [
            ("area_outage", 3, ["gw-c-1", "gw-c-2", "gw-c-3", "gw-lane"]),
            ("silence", 3, ["gw-c-1", "gw-c-2", "gw-c-3"]),
            *(("gateway_lost", 3, [f"gw-c-{n}"]) for n in (1, 2, 3)),
            ("gateway_lost", 3, ["gw-lane"]),
        ],
    ),
    "area_outage: groups that are no neighbours are two cuts": (
        [(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "far") for n in (1, 2, 3)],
        [
            ("silence", 3, ["gw-a-1", "gw-a-2", "gw-a-3"]),
            ("silence", 3, ["gw-far-1", "gw-far-2", "gw-far-3"]),
            *(("gateway_lost", 3, [f"gw-{group}-{n}"]) for group in ("a", "far") for n in (1, 2, 3)),
        ],
    ),
    "area_outage: neighbours gone an hour later are another matter": (
        [(at + n * S, LOST, f"gw-{group}-{n}") for at, group in ((0, "a"), (H, "b")) for n in (1, 2, 3)],
        [
            ("silence", 3, ["gw-a-1", "gw-a-2", "gw-a-3"]),
            ("silence", 3, ["gw-b-1", "gw-b-2", "gw-b-3"]),
            *(("gateway_lost", 3, [f"gw-{group}-{n}"]) for group in ("a", "b") for n in (1, 2, 3)),
        ],
    ),
    "chatter: one P4 a zone, however often": (
        [(0, Kind.CHATTER, "a-2-door"), (H, Kind.CHATTER, "a-2-door"), (H, Kind.CHATTER, "a-3-door")],
        [("chatter", 4, ["gw-a-2"]), ("chatter", 4, ["gw-a-3"])],
    ),
}


def played(steps: list[Step]) -> DeskAtWork:
    """A loss is found out a reporting time after the gateway was last heard."""
    village = DeskAtWork(town())
    for at, what, where in sorted(steps, key=lambda step: (step[0] + PROFILE * (step[1] == LOST), steps.index(step))):
        if what in (LOST, BACK):
            village.link(where, what == BACK, at + PROFILE, at)
        else:
            village.happen(Kind(what), where, at)
    return village


@pytest.mark.parametrize("case", CASES)
def test_what_is_lost_becomes_these_incidents(case: str) -> None:
    """The table's incidents come of the table's losses and records, and each says why it stands."""
    steps, expected = CASES[case]
    found = played(steps).open()
    assert sorted(expected) == sorted((i.rule, int(i.priority), sorted(i.gateways)) for i in found)
    assert all(i.why for i in found)


def test_a_sabotage_beats_an_outage() -> None:
    """What was lost near an intrusion belongs to that; the rest is the outage, and only the sabotage is a P1."""
    storm: list[Step] = [(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "b") for n in (1, 2, 3)]
    for steps in ([(0, INT, "a-2-door"), *storm], [*storm, (30 * S, INT, "a-2-door")]):
        village = played(steps)
        (sabotage,) = [i for i in village.open() if i.rule == "sabotage"]
        (outage,) = [i for i in village.open() if i.rule == "area_outage"]
        named = {i.id: i for i in village.open()}
        assert (1, None, 3, None) == (sabotage.priority, sabotage.parent, outage.priority, outage.parent)
        assert {"gateway_lost", "intrusion"} == {named[child].rule for child in sabotage.children}
        assert {"silence"} == {named[child].rule for child in outage.children}
        losses = {i.gateways[0]: i.parent for i in village.open() if i.rule == "gateway_lost"}
        assert ["gw-a-2"] == [gateway for gateway, parent in losses.items() if parent == sabotage.id]


def test_an_outage_pages_once_and_then_holds_its_peace() -> None:
    """Operators are told of what is lost alone, then of the cut, then of the outage, and of nothing that joins it."""
    steps: list[Step] = [(n * S + at, LOST, f"gw-{g}-{n}") for at, g in ((0, "a"), (5 * S, "b")) for n in (1, 2, 3, 4)]
    village = played(steps)
    whys = [why for rung, why in pages(village.effects)]
    starts = ["gw-a-1 is", "gw-a-2 is", "3 ways out", "gw-b-1 is", "gw-b-2 is"]
    assert starts == [why[: len(start)] for why, start in zip(whys, starts, strict=False)]
    assert ["area outage" in why for why in whys[5:]] == [True]
    told = {line.what for i in village.open() if i.rule == "gateway_lost" for line in i.history}
    assert "not paged" in told


def test_what_an_outage_holds_does_not_escalate_alone() -> None:
    """Half an hour later the town is told of the outage, and of nothing in it."""
    village = played([(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "b") for n in (1, 2, 3)])
    told = pages(village.wait(H))
    assert [("town", True)] == [(rung, "area outage" in why) for rung, why in told]


def test_what_is_more_urgent_goes_on_by_itself() -> None:
    """A loss with an armed partition is a P2 at once, in an outage too, and the town is told of it in 5 min."""
    village = DeskAtWork(town())
    village.happen(Kind.ARMED, SHOP, 0)
    for n in (1, 2, 3):
        village.link(f"gw-a-{n}", False, MIN + n * S, MIN)
        village.link(f"gw-b-{n}", False, MIN + n * S, MIN)
    (armed,) = [i for i in village.open() if i.priority == 2]
    assert ("gateway_lost", True) == (armed.rule, "a-shop armed" in armed.why)
    assert armed.parent is not None
    told = pages(village.wait(7 * MIN))
    assert [("town", True)] == [(rung, "a-shop armed" in why) for rung, why in told]


def test_a_household_that_keeps_its_arming_to_itself_is_judged_without() -> None:
    """Nothing was said of a-2, and the loss of its gateway is a P3."""
    village = DeskAtWork(town())
    village.link("gw-a-2", False, MIN, MIN - PROFILE)
    assert 3 == village.only().priority


def test_arming_that_is_told_late_counts_as_of_when_it_was() -> None:
    """Armed before the loss and told after it: a P2; disarmed before it: a P3 again; armed after it: nothing to it."""
    village = DeskAtWork(town())
    village.link("gw-a-1", False, 10 * MIN, 9 * MIN)
    village.happen(Kind.ARMED, SHOP, 9 * MIN + S, 11 * MIN)
    assert 3 == village.only().priority
    village.happen(Kind.ARMED, SHOP, 5 * MIN, 11 * MIN)
    assert 2 == village.only().priority
    village.happen(Kind.DISARMED, SHOP, 6 * MIN, 11 * MIN)
    assert 3 == village.only().priority


def test_an_intrusion_that_comes_next_morning_pages_while_the_cut_is_unresolved() -> None:
    """Fibre cut at 0, two doors 3 min later, told 8 h later: a sabotage that pages at once and is no must-look."""
    village = DeskAtWork(town())
    village.link("gw-a-2", False, PROFILE, 0)
    village.link("gw-a-2", True, 8 * H, 0)
    effects = village.happen(Kind.INTRUSION, "a-2-door", 3 * MIN, 8 * H)
    effects += village.happen(Kind.INTRUSION, "a-2-motion", 3 * MIN + S, 8 * H)
    (sabotage,) = [i for i in village.open() if i.rule == "sabotage"]
    (intrusion,) = [i for i in village.open() if i.rule == "intrusion"]
    assert (1, [], sabotage.id) == (sabotage.priority, sabotage.conditions, intrusion.parent)
    assert any(rung == "station" and "sabotage" in why for rung, why in pages(effects))
    assert not sends(effects, Action.SIREN), "neighbours are not rung for last night"
    assert ("town", True) in [(rung, "not accepted in 60 s" in why) for rung, why in pages(village.wait(8 * H + MIN))]


def test_hours_into_the_cut_a_confirmed_intrusion_still_races() -> None:
    """Two zones 2 h into the cut are no sabotage by the clock, but a P1 that is not put on the must-look list."""
    village = DeskAtWork(town())
    village.link("gw-a-2", False, PROFILE, 0)
    for zone in ("door", "motion"):
        village.happen(Kind.INTRUSION, f"a-2-{zone}", 2 * H, 8 * H)
    (intrusion,) = [i for i in village.open() if i.rule == "intrusion"]
    assert (1, []) == (intrusion.priority, intrusion.conditions)
    assert any("gw-a-2 was not heard" in why for _, why in pages(village.effects))


def test_after_the_cut_is_resolved_a_late_one_is_for_the_must_look_list() -> None:
    """Nothing unresolved says that it was cut off: it is late like any other."""
    village = DeskAtWork(town())
    village.link("gw-a-2", False, PROFILE, 0)
    village.link("gw-a-2", True, MIN, 0)
    lost = village.only()
    village.move(lost, Move.ACCEPT)
    village.move(lost, Move.RESOLVE, disposition="genuine")
    for zone in ("door", "motion"):
        village.happen(Kind.INTRUSION, f"a-2-{zone}", 2 * MIN, 8 * H)
    (intrusion,) = [i for i in village.open() if i.rule == "intrusion"]
    assert ["must_look"] == intrusion.conditions


def test_the_count_of_a_chattering_zone_is_told() -> None:
    """Left out three times, with the limit its gateway states."""
    village = DeskAtWork(town())
    for at in range(3):
        village.happen(Kind.CHATTER, "a-2-door", at * H, detail={"transitions": 10})
    why = "a-2-door chatters (over 10 changes a minute): its gateway left it out, 3 times so far"
    assert (why, 3) == (village.only().why, village.only().presses)


def test_what_is_still_lost_is_not_resolved_with_the_outage() -> None:
    """Who resolves an outage resolves what is heard again; what is not goes on alone, and escalates."""
    village = played([(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "b") for n in (1, 2, 3)])
    (outage,) = [i for i in village.open() if i.rule == "area_outage"]
    for gateway in ("gw-a-1", "gw-a-2", "gw-a-3", "gw-b-1", "gw-b-2"):
        village.link(gateway, True, MIN, 0)
    assert "link_restored" not in village.now_of(outage).conditions
    village.move(outage, Move.ACCEPT)
    village.move(outage, Move.RESOLVE, disposition="genuine")
    unresolved = [i for i in village.desk.incidents() if i.state not in ("resolved", "archived", "reviewed")]
    assert [("gateway_lost", ["gw-b-3"])] == [(i.rule, i.gateways) for i in unresolved]
    village.link("gw-b-3", True, 2 * MIN, 0)
    assert ["link_restored"] == village.now_of(unresolved[0]).conditions


def test_an_outage_says_when_all_of_it_is_heard_again() -> None:
    """The last gateway that comes back is news of its cut, and of the outage."""
    village = played([(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "b") for n in (1, 2, 3)])
    for group in ("a", "b"):
        for n in (1, 2, 3):
            village.link(f"gw-{group}-{n}", True, MIN, 0)
    assert all(i.conditions == ["link_restored"] for i in village.desk.incidents())


def test_an_outage_is_replayed_to_the_byte() -> None:
    """The journal of an outage rebuilds the desk, to the byte."""
    village = played([(n * S, LOST, f"gw-{group}-{n}") for group in ("a", "b") for n in (1, 2, 3)])
    village.happen(Kind.ARMED, SHOP, MIN)
    again = Desk(village.registry, DEFAULTS)
    for at_ms, item in village.journal:
        again.begin()
        again.step(msgspec.json.decode(item, type=Input), at_ms, replayed=True)
        again.commit()
    assert village.desk.snapshot() == again.snapshot()
