"""How a silent unit is left alone, and whose turn it is meanwhile."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.modbus.backoff import Answered, Answering, Policy, Silent, step, write_may_try
from edge.modbus.schedule import next_slot, pick

S = 1_000_000_000
POLICY = Policy()


@dataclass
class Turn:
    """A unit waiting for the bus."""

    name: str
    due_ns: int
    probing: bool = False


def fallen(times: int, at_ns: int = 0) -> Answering:
    """A unit that let so many requests time out, each as soon as it was probed."""
    state = Answering()
    for _ in range(times):
        state = step(state, Silent(max(at_ns, state.retry_at_ns), 0.0), POLICY)
    return state


def test_waits_double_up_to_the_cap() -> None:
    """The waits are 1, 2, 4, 8, 16 and then 30 s for ever."""
    states = [fallen(times) for times in range(1, 9)]
    assert [(state.retry_at_ns - state.failed_at_ns) / S for state in states] == [1, 2, 4, 8, 16, 30, 30, 30]


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_jitter_never_shortens_a_wait(failures: int, jitter: float) -> None:
    """Jitter lengthens a wait by at most a quarter and never past the cap."""
    plain_ns, jittered_ns = POLICY.wait_ns(failures, 0.0), POLICY.wait_ns(failures, jitter)
    assert plain_ns <= jittered_ns <= min(plain_ns * 1.25, 30 * S)


def test_an_answer_forgives_everything() -> None:
    """After an answer the next silence waits one second again."""
    assert step(fallen(6), Answered(), POLICY) == Answering()


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_minute_of_silence_costs_six_time_outs(jitter: float) -> None:
    """Over 60 s a dead unit polled every 100 ms holds the bus for one time-out per back-off period, six in all."""
    now_ns, asked, state = 0, [], Answering()
    while now_ns < 60 * S:
        if state.well or now_ns >= state.retry_at_ns:
            asked.append(now_ns)
            state = step(state, Silent(now_ns + 300_000_000, jitter), POLICY)
        now_ns += 100_000_000
    assert len(asked) <= 6
    for number, (before_ns, after_ns) in enumerate(itertools.pairwise(asked), start=1):
        assert after_ns - before_ns >= POLICY.wait_ns(number, 0.0)


def test_write_is_tried_before_the_probe() -> None:
    """A siren write to a silent unit is tried one first wait after the last time-out, not half a minute later."""
    state = fallen(6)
    assert not write_may_try(state, state.failed_at_ns + S - 1, POLICY)
    assert write_may_try(state, state.failed_at_ns + S, POLICY)


def test_longest_due_goes_first() -> None:
    """Of the units due the one that has waited longest has its turn; one that is not due has none."""
    turns = [Turn("a", 5), Turn("b", 3), Turn("c", 11)]
    assert pick(turns, 10, after_probe=False) is turns[1]
    assert pick(turns, 2, after_probe=False) is None


def test_probes_do_not_queue_up() -> None:
    """After a probe a unit that is well goes first, even if another dead one has waited longer."""
    turns = [Turn("dead", 1, probing=True), Turn("well", 9)]
    assert pick(turns, 10, after_probe=True) is turns[1]
    assert pick(turns, 10, after_probe=False) is turns[0]


def test_probe_follows_a_probe_when_nobody_else_waits() -> None:
    """A bus of dead units only is probed all the same."""
    turns = [Turn("dead", 1, probing=True)]
    assert pick(turns, 10, after_probe=True) is turns[0]


@given(slot=st.integers(0, 10**12), period=st.integers(1, 10**9), late=st.integers(-(10**9), 10**12))
def test_slots_keep_the_grid(slot: int, period: int, late: int) -> None:
    """The next slot is after now, on the grid, and the first such one after the last."""
    now = max(0, slot + late)
    following = next_slot(slot, period, now)
    assert (following - slot) % period == 0
    assert following > now and (following - period <= now or following == slot + period)
