"""When telemetry stands back for the journal."""

from __future__ import annotations

from hub.core.room import held


def test_telemetry_is_held_below_the_reserve_and_taken_again_well_above_it() -> None:
    """Between the reserve and a quarter more, what was goes on: a disk at the edge does not make it flap."""
    free = [2_000, 1_000, 999, 1_000, 1_249, 1_250, 1_000, 0, 1_300]
    found, state = [], False
    for one in free:
        state = held(state, one, 1_000)
        found.append(state)
    assert [False, False, True, True, True, False, False, True, False] == found


def test_no_reserve_holds_nothing() -> None:
    """A reserve of 0 switches it off."""
    assert not held(False, 0, 0)
