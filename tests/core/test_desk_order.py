"""Arrival order within a rule's window plus 60 s changes nothing in the set of incidents; judged by a naive oracle
that reads the design's words over the records in the order they happened."""

from __future__ import annotations

import json
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.acts import Move
from protocol.kinds import Kind
from tests.support.desk import MIN, DeskAtWork, S

PRESSERS = ("h01", "h02", "h03", "h09", "h12")
ZONES = ("h01-door", "h01-motion", "h02-door", "h02-motion", "h04-door", "h04-window", "h11-door", "h11-motion")
WEST = {"h11", "h12"}


class Happened(NamedTuple):
    """When (ms, all different), where, and by how much its arrival is delayed."""

    at: int
    where: str
    delay: int


def histories(places: tuple[str, ...], span_ms: int, delay_ms: int) -> st.SearchStrategy[list[Happened]]:
    """Up to nine records at different times, bunched to the second so that window edges are met."""
    seconds = st.integers(0, span_ms // S)
    one = st.builds(
        lambda at, fine, where, delay: Happened(at * S + fine, where, delay),
        seconds,
        st.sampled_from((0, 1)),
        st.sampled_from(places),
        st.one_of(st.just(0), st.integers(0, delay_ms)),
    )
    return st.lists(one, min_size=1, max_size=9, unique_by=lambda happened: happened.at)


def group_of(place: str) -> str:
    return "west" if place[:3] in WEST else "east"


def panics(history: list[Happened]) -> set[frozenset[int]]:
    """Each press joins the earliest incident of its group within 5 min (its first presser) or 10 min (another)."""
    incidents: list[list[Happened]] = []
    for press in sorted(history):
        for incident in incidents:
            first = incident[0]
            limit = 5 * MIN if first.where == press.where else 10 * MIN
            if group_of(first.where) == group_of(press.where) and press.at - first.at <= limit:
                incident.append(press)
                break
        else:
            incidents.append([press])
    return {frozenset(press.at for press in incident) for incident in incidents}


def intrusions(history: list[Happened]) -> set[tuple[frozenset[int], int]]:
    """Trips of a premises within 30 min of the first; P1 once two zones tripped."""
    found = set()
    for home in sorted({trip.where[:3] for trip in history}):
        left = sorted(trip for trip in history if trip.where[:3] == home)
        while left:
            own = [trip for trip in left if trip.at - left[0].at <= 30 * MIN]
            left = left[len(own) :]
            priority = 1 if len({trip.where for trip in own}) > 1 else 2
            found.add((frozenset(trip.at for trip in own), priority))
    return found


def parents(history: list[Happened]) -> set[tuple[frozenset[int], frozenset[str]]]:
    """From the first trip on: all trips within 10 min of it, if two households are among them."""
    found = set()
    for group in ("east", "west"):
        left = sorted(trip for trip in history if group_of(trip.where) == group)
        while left:
            near = [trip for trip in left if trip.at - left[0].at <= 10 * MIN]
            homes = frozenset(trip.where[:3] for trip in near)
            if len(homes) > 1:
                found.add((frozenset(trip.at for trip in near), homes))
                left = left[len(near) :]
            else:
                left = left[1:]
    return found


def play(history: list[Happened], kind: Kind, suffix: str = "") -> DeskAtWork:
    """Let the records arrive, each delayed, deadlines in between."""
    village = DeskAtWork()
    for happened in sorted(history, key=lambda h: (h.at + h.delay, h.at)):
        arrival = happened.at + happened.delay
        village.wait(arrival)
        village.happen(kind, happened.where + suffix, happened.at, arrival, seq=happened.at + 1)
    return village


def found(village: DeskAtWork, rule: str) -> dict[str, frozenset[int]]:
    """The incidents of a rule with the times of their records, without those that are one with another."""
    state = json.loads(village.desk.snapshot())
    shown = {key[1]: incident for key, incident in state["incidents"]}
    times: dict[str, frozenset[int]] = {}
    for (_, incident), dossier in state["dossiers"]:
        parent = shown[incident].get("parent")
        if shown[incident]["rule"] == rule and (parent is None or shown[parent]["rule"] != rule):
            times[incident] = frozenset(int(mark[1].rpartition("/")[2]) - 1 for mark in dossier["marks"])
    return times


THOROUGH = settings(max_examples=200, deadline=None, print_blob=True)


@THOROUGH
@given(histories(PRESSERS, 25 * MIN, 11 * MIN))
@example([Happened(0, "h01", 0), Happened(7 * MIN, "h01", 0), Happened(5 * MIN, "h02", 5 * MIN)])
@example([Happened(3 * MIN, "h01", 0), Happened(10 * MIN, "h01", 0), Happened(0, "h02", 11 * MIN)])
@example([Happened(9 * MIN, "h02", 0), Happened(12 * MIN, "h03", 0), Happened(0, "h01", 11 * MIN)])
def test_panics_are_the_same_in_any_order(history: list[Happened]) -> None:
    """The presses of each incident are those of the oracle, and each press is in exactly one."""
    village = play(history, Kind.PANIC, "-panic")
    incidents = found(village, "panic")
    assert panics(history) == set(incidents.values())
    assert sorted(press.at for press in history) == sorted(at for times in incidents.values() for at in times)


@THOROUGH
@given(histories(ZONES, 70 * MIN, 31 * MIN))
@example([Happened(10 * MIN, "h01-door", 0), Happened(35 * MIN, "h01-motion", 0), Happened(0, "h01-door", 31 * MIN)])
def test_intrusions_are_the_same_in_any_order(history: list[Happened]) -> None:
    """Trips and priority of each intrusion are those of the oracle."""
    village = play(history, Kind.INTRUSION)
    shown = {incident.id: int(incident.priority) for incident in village.desk.incidents()}
    assert intrusions(history) == {(times, shown[i]) for i, times in found(village, "intrusion").items()}


@THOROUGH
@given(histories(ZONES, 30 * MIN, 11 * MIN))
@example([Happened(S, "h01-door", 0), Happened(9 * MIN, "h02-door", 0), Happened(0, "h04-door", 11 * MIN)])
def test_group_intrusions_are_the_same_in_any_order(history: list[Happened]) -> None:
    """Trips and households of each parent are those of the oracle; a child is of the first that holds its trips."""
    village = play(history, Kind.INTRUSION)
    named = {incident.id: incident for incident in village.desk.incidents()}
    of_parents, of_children = found(village, "group_intrusion"), found(village, "intrusion")
    assert parents(history) == {(times, frozenset(named[i].premises)) for i, times in of_parents.items()}
    taken: set[str] = set()
    for parent, times in sorted(of_parents.items(), key=lambda held: min(held[1])):
        mine = {child for child in named[parent].children if named[child].rule == "intrusion"}
        assert {child for child, trips in of_children.items() if trips & times} - taken == mine
        taken |= mine
    for child in of_children:
        holders = [parent for parent, times in of_parents.items() if times & of_children[child]]
        assert (named[child].parent in holders) if holders else named[child].parent is None


@THOROUGH
@given(histories(PRESSERS, 12 * MIN, 11 * MIN))
def test_deadlines_and_effects_do_not_depend_on_a_second_telling(history: list[Happened]) -> None:
    """Every record told twice is the same desk as told once, and the second telling asks for nothing."""
    once, twice = play(history, Kind.PANIC, "-panic"), DeskAtWork()
    for happened in sorted(history, key=lambda h: (h.at + h.delay, h.at)):
        arrival = happened.at + happened.delay
        twice.wait(arrival)
        record = twice.record(Kind.PANIC, f"{happened.where}-panic", happened.at, arrival, seq=happened.at + 1)
        twice.take(record, arrival)
        assert twice.take(record, arrival) == []
        assert not twice.desk.verdict.effective
    assert once.desk.snapshot() == twice.desk.snapshot()


@THOROUGH
@given(histories(PRESSERS, 12 * MIN, 11 * MIN), st.integers(0, 8))
def test_an_accepted_incident_is_never_repartitioned(history: list[Happened], after: int) -> None:
    """What an incident holds when accepted it holds ever after, at the anchor it had."""
    village, kept, anchors = DeskAtWork(), dict[str, frozenset[int]](), dict[str, int]()
    for number, happened in enumerate(sorted(history, key=lambda h: (h.at + h.delay, h.at))):
        arrival = happened.at + happened.delay
        village.happen(Kind.PANIC, f"{happened.where}-panic", happened.at, arrival, seq=happened.at + 1)
        if number == after:
            for incident in village.open():
                if incident.parent is None:
                    village.move(incident, Move.ACCEPT)
            kept = found(village, "panic")
            anchors = {incident.id: incident.event_ms for incident in village.desk.incidents()}
    now = found(village, "panic")
    for incident_id, times in kept.items():
        assert times <= now[incident_id]
        assert anchors[incident_id] == {i.id: i.event_ms for i in village.desk.incidents()}[incident_id]
