"""What a desk is for when everything comes at once: the one that matters is raised, paged and called like on a quiet
day, and the rest does not drown it. And who moves while an incident is open."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hub.core.acts import Disposition, Move
from hub.core.desk import Desk
from hub.core.effects import Effect, Page
from hub.core.incident import State
from hub.core.registry import Registry
from protocol.kinds import Kind
from protocol.messages import Action
from tests.support.desk import AREA, DEFAULTS, MIN, DeskAtWork, H, S, called, pages, sends
from tests.support.town import HOMES, NEAR, gateway_of, town

GATEWAYS = sorted({gateway_of(f"{group}-{n}") for group in NEAR for n in range(1, HOMES + 1)})


def storm(village: DeskAtWork, but: str) -> list[Effect]:
    """Every gateway but one is lost within seconds of one another, and there too the mains fail."""
    effects = []
    for number, gateway in enumerate(name for name in GATEWAYS if name != but):
        effects += village.link(gateway, False, 30 * S + number * S, 10 * S + number * S)
    return effects


def test_a_storm_with_one_genuine_intrusion_inside() -> None:
    """One outage for what hangs together, told in a few pages; the intrusion is a P2 of its own, paged by name, and
    confirmed it calls its neighbours."""
    village = DeskAtWork(town())
    told = pages(storm(village, "gw-b-4"))
    outages = [i for i in village.open() if i.rule == "area_outage"]
    alone = [i for i in village.open() if i.parent is None and i.rule == "gateway_lost"]
    assert [1, 1] == [len(outages), len([i for i in village.open() if i.rule == "silence" and i.parent is None])]
    assert [] == alone, "far is a cut of its own; all others are of the outage"
    assert 4 * 2 + 2 + 1 == len(told), "two of each group before its cut, the cuts of a and far, the outage"
    assert ["b-4-door tripped, not confirmed"] == [
        why for _, why in pages(village.happen(Kind.INTRUSION, "b-4-door", 2 * MIN))
    ]
    assert {"b-1", "b-2", "b-3"} == called(village.happen(Kind.INTRUSION, "b-4-motion", 3 * MIN))
    assert "intrusion" == village.desk.incidents()[0].rule, "the list begins with it"


def test_a_storm_that_takes_the_gateway_of_the_intrusion_is_no_cover() -> None:
    """The thief waits for the storm: door, then the link with all the others. A P1, and not a child of the outage."""
    village = DeskAtWork(town())
    village.happen(Kind.INTRUSION, "b-4-door", 0)
    storm(village, "")
    (sabotage,) = [i for i in village.open() if i.rule == "sabotage"]
    assert (1, None, ["b-4"]) == (sabotage.priority, sabotage.parent, sabotage.premises)
    assert sabotage.id == village.desk.incidents()[0].id


def test_a_panic_in_a_flood_is_like_any_panic() -> None:
    """After 300 faults, tampers and losses a press pages group and station in its own step, and rings the group."""
    village = DeskAtWork(town())
    for number in range(300):
        home = f"{('a', 'b', 'c')[number % 3]}-{number % HOMES + 1}"
        kind, zone = ((Kind.TAMPER, "door"), (Kind.ZONE_FAULT, "motion"), (Kind.NVR_OFFLINE, "nvr"))[number % 3]
        village.happen(kind, f"{home}-{zone}", number * 100)
    quiet = DeskAtWork(town())
    found = [desk.press("b-2", MIN) for desk in (village, quiet)]
    assert pages(found[0]) == pages(found[1])
    assert called(found[0]) == called(found[1]) == {"b-1", "b-3", "b-4"}
    assert "panic" == village.desk.incidents()[0].rule


def test_the_night_of_the_fibre_cut() -> None:
    """Cut at 02:00 and told as lost; the door at 02:03 arrives at 08:00 and is a P1 at once, at the station."""
    village = DeskAtWork(town())
    lost = village.link("gw-a-2", False, 20 * S, 0)
    assert ["station"] == [rung for rung, _ in pages(lost)]
    village.wait(6 * H)
    village.link("gw-a-2", True, 6 * H, 0)
    effects = village.happen(Kind.INTRUSION, "a-2-door", 3 * MIN, 6 * H)
    urgent = [e for e in effects if isinstance(e, Page) and "sabotage" in e.why]
    assert ["station"] == [page.rung for page in urgent]
    assert (1, "sabotage") == (village.desk.incidents()[0].priority, village.desk.incidents()[0].rule)


def moved(home: str, group: str) -> Registry:
    """The town after a household moved to another group, its gateway with it."""
    now = town()
    was = now.premises[AREA, home].groups[0]
    for name, members in (
        (was, tuple(m for m in now.groups[AREA, was].members if m != home)),
        (group, (*now.groups[AREA, group].members, home)),
    ):
        now.groups[AREA, name] = replace(now.groups[AREA, name], members=members)
    now.premises[AREA, home] = replace(now.premises[AREA, home], groups=(group,))
    return now


def after(village: DeskAtWork, registry: Registry) -> DeskAtWork:
    """The same desk after a start with another registry."""
    then = DeskAtWork(registry)
    then.desk = Desk(registry, DEFAULTS)
    then.desk.restore(village.desk.snapshot())
    then.now, then._seq = village.now, 1_000
    return then


def test_a_household_that_moves_keeps_its_open_incident() -> None:
    """The press of before is one of its old group, and its end reaches all who were called for it."""
    village = DeskAtWork(town())
    village.press("a-2", 0)
    was = village.only()
    village = after(village, moved("a-2", "far"))
    village.move(was, Move.ACCEPT)
    effects = village.move(was, Move.RESOLVE, disposition=Disposition.GENUINE)
    told = {member for order in sends(effects, Action.STAND_DOWN) for member in order.premises}
    assert {"a-1", "a-2", "a-3", "a-4", "a-shop"} == told
    assert ("a", State.RESOLVED) == (village.only().group, village.only().state)


def test_a_household_that_moved_presses_in_its_new_group() -> None:
    """A press after the move is the new group's, and calls that; the old group's incident takes it no more."""
    village = DeskAtWork(town())
    village.press("a-2", 0)
    village = after(village, moved("a-2", "far"))
    assert {"far-1", "far-2", "far-3", "far-4"} == called(village.press("a-2", MIN))
    assert ["a", "far"] == sorted(str(i.group) for i in village.open())


@pytest.mark.parametrize("kind", [Kind.INTRUSION, Kind.MAINS_LOST])
def test_what_is_forgotten_after_a_move_leaves_nothing_behind(kind: Kind) -> None:
    """Resolved, archived and forgotten under another registry: no list names it, and its old group goes on."""
    village = DeskAtWork(town())
    village.happen(kind, "a-2-door", 0)
    was = village.only()
    village = after(village, moved("a-2", "far"))
    for by, move, more in (
        ("op-1", Move.ACCEPT, {}),
        ("op-1", Move.RESOLVE, {"disposition": Disposition.TEST}),
        ("sup-1", Move.REVIEW, {}),
        ("sup-1", Move.ARCHIVE, {}),
    ):
        village.move(was, move, by, **more)
    village.wait(10 * 24 * H)
    assert was.id.encode() not in village.desk.snapshot()
    village.happen(Kind.INTRUSION, "a-3-door", 11 * 24 * H)
    village.happen(Kind.INTRUSION, "a-4-door", 11 * 24 * H + S)
    assert {"group_intrusion", "intrusion"} == {i.rule for i in village.open()}
