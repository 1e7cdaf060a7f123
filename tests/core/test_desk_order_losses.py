"""Arrival order changes nothing in what is a sabotage, a cut or an outage; judged by naive oracles over all that
happened, in the order it happened."""

from __future__ import annotations

import json
from itertools import combinations
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.acts import Move
from protocol.kinds import Kind
from tests.support.desk import MIN, START_MS, DeskAtWork, S
from tests.support.town import HOMES, NEAR, ONE_GATEWAY, gateway_of, town

THOROUGH = settings(max_examples=60, deadline=None, print_blob=True)
TRIP, MAINS, LINK = "door", "mains", "link"
HOMES_NEAR = ("lane-1", "lane-2", "a-2")
GATEWAYS = {gateway_of(f"{group}-{n}"): group for group in NEAR for n in range(1, HOMES + 1)}
REGISTRY = town()


class Happened(NamedTuple):
    """When (ms), what, where, and how much later it arrives: a record was delayed, a loss was found out."""

    at: int
    what: str
    where: str
    delay: int


def near_intrusions() -> st.SearchStrategy[list[Happened]]:
    """Up to eight trips and losses of mains and link at different times, bunched to half minutes."""
    one = st.builds(
        lambda at, what, where, delay: Happened(at * 30 * S, what, where, delay * 30 * S),
        st.integers(0, 50),
        st.sampled_from((TRIP, TRIP, MAINS, LINK)),
        st.sampled_from(HOMES_NEAR),
        st.integers(1, 12),
    )
    return st.lists(one, min_size=2, max_size=8, unique_by=lambda happened: happened.at)


def losses() -> st.SearchStrategy[list[Happened]]:
    """Up to ten gateways lost once each, found out after different reporting times."""
    one = st.builds(
        lambda at, where, delay: Happened(at * 10 * S, LINK, where, delay),
        st.integers(0, 40),
        st.sampled_from(sorted(GATEWAYS)),
        st.sampled_from((20 * S, 90 * S, 180 * S)),
    )
    return st.lists(one, min_size=3, max_size=10, unique_by=lambda happened: happened.where)


def play(history: list[Happened], accept: int | None = None) -> DeskAtWork:
    """Let it arrive, each in its time; after `accept` arrivals all that is open is accepted."""
    village = DeskAtWork(REGISTRY)
    for number, one in enumerate(sorted(history, key=lambda h: (h.at + h.delay, h.at))):
        arrival = one.at + one.delay
        village.wait(arrival)
        if one.what == LINK:
            gateway = one.where if one.where in GATEWAYS else gateway_of(one.where)
            village.link(gateway, False, arrival, one.at)
            if len(one.where) != len(gateway):  # only what is lost once stays lost
                village.link(gateway, True, arrival, one.at)
        else:
            kind = Kind.INTRUSION if one.what == TRIP else Kind.MAINS_LOST
            village.happen(kind, f"{one.where}-{one.what}", one.at, arrival)
        if number == accept:
            for incident in [i for i in village.open() if i.parent is None]:
                village.move(incident, Move.ACCEPT)
    return village


def found(village: DeskAtWork, rule: str) -> set[frozenset[tuple[int, str]]]:
    """When and at which gateway the records of each incident of a rule were, without those one with another."""
    state = json.loads(village.desk.snapshot())
    shown = {key[1]: incident for key, incident in state["incidents"]}
    mine = [
        frozenset((mark[0] - START_MS, mark[3]) for mark in dossier["marks"])
        for (_, name), dossier in state["dossiers"]
        if shown[name]["rule"] == rule and shown.get(shown[name].get("parent"), {}).get("rule") != rule
    ]
    assert len(mine) == len(set(mine))
    return set(mine)


def apart(one: Happened, other: Happened) -> int:
    """A loss of link is somewhere between last heard and found out; anything else is when it is."""
    ends = [(h.at, h.at + h.delay if h.what == LINK else h.at) for h in (one, other)]
    return max(0, ends[0][0] - ends[1][1], ends[1][0] - ends[0][1])


def united(pairs: list[set[Happened]]) -> list[set[Happened]]:
    """Sets that have something in common are one."""
    for one, other in combinations(pairs, 2):
        if one & other:
            return united([*(p for p in pairs if p is not one and p is not other), one | other])
    return pairs


def sabotages(history: list[Happened]) -> set[frozenset[tuple[int, str]]]:
    """Each trip with each loss there that is at most 5 min apart; what shares one of them is one."""
    pairs: list[set[Happened]] = []
    for trip in (h for h in history if h.what == TRIP):
        for loss in (h for h in history if h.what != TRIP):
            there = loss.where == trip.where
            if loss.what == LINK:
                there = gateway_of(loss.where) == gateway_of(trip.where)
            if there and apart(trip, loss) <= 5 * MIN:
                pairs.append({trip, loss})
    return {frozenset((h.at, gateway_of(h.where)) for h in one) for one in united(pairs)}


def cuts(history: list[Happened]) -> set[frozenset[tuple[int, str]]]:
    """Of each group: the first loss with two others within 60 s of it takes all that are, and so on."""
    results = set()
    for group in NEAR:
        left = sorted(h for h in history if GATEWAYS[h.where] == group)
        while left:
            near = [h for h in left if apart(left[0], h) <= MIN]
            if len(near) >= 3:
                results.add(frozenset((h.at, h.where) for h in near))
                left = [h for h in left if h not in near]
            else:
                left = left[1:]
    return results


def outages(history: list[Happened]) -> set[frozenset[tuple[int, str]]]:
    """What of a group and its neighbours is lost within 60 s of one of its losses, groups counted that are gone."""
    around: list[set[Happened]] = []
    for anchor in history:
        group = GATEWAYS[anchor.where]
        near = {g: {h for h in history if GATEWAYS[h.where] == g and apart(anchor, h) <= MIN} for g in NEAR}
        gone = [g for g in (group, *NEAR[group]) if len(near[g]) >= (1 if g in ONE_GATEWAY else 3)]
        lost = {h for g in gone for h in near[g]}
        if group in gone and len(gone) > 1 and len(lost) >= 3:
            around.append(lost)
    return {frozenset((h.at, h.where) for h in one) for one in united(around)}


@THOROUGH
@given(near_intrusions())
@example([Happened(0, TRIP, "lane-1", S), Happened(MIN, LINK, "lane-1", S), Happened(5 * MIN, TRIP, "lane-2", S)])
@example([Happened(0, MAINS, "a-2", 6 * MIN), Happened(4 * MIN, TRIP, "a-2", S), Happened(8 * MIN, MAINS, "a-2", S)])
def test_sabotages_are_the_same_in_any_order(history: list[Happened]) -> None:
    """The trips and losses of each sabotage are those of the oracle."""
    assert sabotages(history) == found(play(history), "sabotage")


@THOROUGH
@given(near_intrusions())
@example(
    [
        Happened(at * S, what, home, 30 * S)
        for at, what, home in (
            (0, MAINS, "lane-2"),
            (30, TRIP, "lane-2"),
            (330, TRIP, "lane-2"),
            (360, MAINS, "lane-2"),
            (390, TRIP, "lane-1"),
        )
    ]
)
def test_whoever_holds_a_record_of_a_sabotage_is_its_child(history: list[Happened]) -> None:
    """Each intrusion and loss with a record in a sabotage escalates with one: as its child, or a child of its child."""
    village = play(history)
    named = {incident.id: incident for incident in village.desk.incidents()}
    state = json.loads(village.desk.snapshot())
    marks = {name: {mark[1] for mark in dossier["marks"]} for (_, name), dossier in state["dossiers"]}
    sabotages = {i.id: marks[i.id] for i in named.values() if i.rule == "sabotage"}
    for one in named.values():
        held = any(marks[one.id] & theirs for theirs in sabotages.values())
        if held and one.rule in ("intrusion", "gateway_lost", "fault"):
            parents = {one.parent, named[one.parent].parent if one.parent in named else None}
            assert parents & sabotages.keys(), (one.id, one.parent)


@THOROUGH
@given(losses())
def test_cuts_and_outages_are_the_same_in_any_order(history: list[Happened]) -> None:
    """The losses of each cut and of each outage are those of the oracles, and each loss has at most one parent."""
    village = play(history)
    assert cuts(history) == found(village, "silence")
    assert outages(history) == found(village, "area_outage")
    named = {incident.id: incident for incident in village.desk.incidents()}
    for incident in named.values():
        for child in incident.children:
            assert incident.id == named[child].parent
        if incident.parent is not None:
            assert incident.id in named[incident.parent].children


@THOROUGH
@given(losses(), st.integers(0, 9))
def test_an_accepted_cut_or_outage_is_never_repartitioned(history: list[Happened], after: int) -> None:
    """What one held when it was accepted it holds ever after."""
    before = play(sorted(history, key=lambda h: (h.at + h.delay, h.at))[: after + 1], accept=after)
    now = play(history, accept=after)
    for rule in ("silence", "area_outage"):
        later = found(now, rule)
        assert all(any(had <= has for has in later) for had in found(before, rule))
