"""What a replay calls a difference."""

from __future__ import annotations

import pytest

from simulators.replay import Arrived, Played, compare, moves

PLAYED = [
    Played("s1", "alarm", 1_000.0, 31.0),
    Played("s1", "normal", 1_070.0, 31.0),
    Played("s2", "alarm", 1_140.0, 31.0),
]
ARRIVED = [Arrived("s1", "alarm", 1_012), Arrived("s1", "normal", 1_082), Arrived("s2", "alarm", 1_155)]


def test_the_same_transitions_in_time_are_no_difference() -> None:
    """All arrived, in order, each within a poll: nothing to name, and the worst error is told."""
    found = compare(PLAYED, ARRIVED, 30)
    assert (3, 3, 15.0, ()) == (found.played, found.arrived, found.worst_ms, found.differences)


@pytest.mark.parametrize(
    ("arrived", "named"),
    [
        (ARRIVED[:2], "transition 3: played s2 alarm, arrived nothing"),
        ([*ARRIVED, Arrived("s2", "alarm", 1_200)], "transition 4: played nothing, arrived s2 alarm"),
        ([ARRIVED[0], ARRIVED[2], ARRIVED[1]], "transition 2: played s1 normal, arrived s2 alarm"),
        ([ARRIVED[0], Arrived("s1", "alarm", 1_082), ARRIVED[2]], "transition 2: played s1 normal, arrived s1 alarm"),
        (
            [Arrived("s1", "alarm", 1_032), *ARRIVED[1:]],
            "transition 1: s1 alarm is timed 32 ms off; one poll was 31 ms",
        ),
        ([Arrived("s1", "alarm", 900), *ARRIVED[1:]], "transition 1: s1 alarm is timed 100 ms off; one poll was 31 ms"),
    ],
    ids=["lost", "twice", "reordered", "wrong state", "late", "early"],
)
def test_a_difference_is_named(arrived: list[Arrived], named: str) -> None:
    """A transition that is missing, twice, out of order, wrong or mistimed is named with its number."""
    assert named == compare(PLAYED, arrived, 30).differences[0]


def test_what_a_gateway_did_not_know_for_a_while_is_no_transition() -> None:
    """Nor is the same state said again after; the order is that of the gateway's numbers."""
    said = [(4, "s1", "normal"), (1, "s1", "alarm"), (2, "s1", "unknown"), (3, "s1", "alarm"), (5, "s2", "normal")]
    readings = [{"seq": seq, "point": f"zone/{zone}", "value": state, "wall_ms": seq} for seq, zone, state in said]
    assert [Arrived("s1", "alarm", 1), Arrived("s1", "normal", 4), Arrived("s2", "normal", 5)] == moves(readings)
