"""Recorded contact activity is read whole and played in an order in which no transition is swallowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from protocol.faults import Refused
from simulators.trace import Activation, Recording, Transition, load, transitions

HEADER = "    [ 5]    'Hall door'\n\nStart\tEnd\tID\tVal\n-----\t-----\t--\t---\n"
NOON = datetime(2008, 2, 25, 12, tzinfo=UTC)


def test_the_recorded_house_has_2638_transitions(recorded_house: Path) -> None:
    """1,319 activations of 14 sensors become twice as many transitions."""
    recording = load(recorded_house)
    assert (14, 1319, 2638) == (len(recording.sensors), len(recording.activations), len(transitions(recording)))


def test_every_sensor_of_the_recorded_house_alternates(recorded_house: Path) -> None:
    """No sensor opens twice without closing, and no two of its transitions share a time."""
    last: dict[int, Transition] = {}
    for now in transitions(load(recorded_house)):
        before = last.get(now.sensor)
        assert now.active is (before is None or not before.active)
        assert before is None or before.at_ms < now.at_ms
        last[now.sensor] = now


def test_a_tie_of_one_sensor_plays_its_end_first() -> None:
    """An end and a start in the same second play end before start, 1 ms apart."""
    second = timedelta(seconds=1)
    recording = Recording(
        {5: "door"}, [Activation(5, NOON, NOON + second), Activation(5, NOON + second, NOON + 2 * second)]
    )
    assert [(0, True), (1000, False), (1001, True), (2000, False)] == [
        (played.at_ms, played.active) for played in transitions(recording)
    ]


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("25-Feb-2008 00:20:14\t25-Feb-2008 00:22:57\t5", "four fields"),
        ("25-Feb-2008 00:20\t25-Feb-2008 00:22:57\t5\t1", "times as"),
        ("25-Feb-2008 00:22:57\t25-Feb-2008 00:20:14\t5\t1", "an end that is not before"),
        ("Length: 7", "the number of lines read: 0"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, allowed: str) -> None:
    """A line that cannot be read is refused with its number and what it should have been."""
    path = tmp_path / "house.txt"
    path.write_text(HEADER + line + "\n")
    with pytest.raises(Refused) as refused:
        load(path)
    assert refused.value.faults[0].key == "line 5"
    assert allowed in refused.value.faults[0].allowed


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    """A file that is not there is a refusal, not a stack trace."""
    with pytest.raises(Refused, match=r"none\.txt: file: found FileNotFoundError"):
        load(tmp_path / "none.txt")
