"""The simulated recorder tells through its registers what a real one would, and lies like a real one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from simulators.nvr import NO_RECORDING_S, Nvr


@dataclass
class Clock:
    """Seconds that move when told."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def shown(nvr: Nvr, point: str) -> float:
    """What a read over the wire would give."""
    nvr.unit.read("input", 0, 1)
    return nvr.unit.get(point)


def test_healthy_recorder_shows_fresh_recording() -> None:
    """A recorder that is well is online, records, has all disks and a newest recording of age 0."""
    nvr = Nvr(Clock())
    points = ("online", "recording", "disk1_ok", "newest_recording_age_s", "channels_lost")
    assert [shown(nvr, point) for point in points] == [True, True, True, 0, 0]


def test_claims_to_record_while_newest_file_is_an_hour_old() -> None:
    """It says that it records although its newest file is an hour old, and that file goes on ageing."""
    clock = Clock()
    nvr = Nvr(clock)
    nvr.stop_writing(age_s=3600)
    clock.now_s += 5
    assert (shown(nvr, "recording"), shown(nvr, "newest_recording_age_s")) == (True, 3605)


def test_resuming_makes_the_newest_recording_fresh() -> None:
    """Once it writes again its newest recording has age 0."""
    nvr = Nvr(Clock())
    nvr.stop_writing(age_s=3600)
    nvr.resume_writing()
    assert shown(nvr, "newest_recording_age_s") == 0


def test_lost_channel_is_counted_and_named() -> None:
    """A lost channel shows in the count and in its own bit, and no other."""
    nvr = Nvr(Clock(), channels=20)
    nvr.lose_channel(17)
    assert shown(nvr, "channels_lost") == 1
    assert [channel for channel in range(1, 33) if shown(nvr, f"channel{channel}_lost")] == [17]


def test_last_failed_disk_stops_the_recording() -> None:
    """With its last disk gone the newest recording ages, whatever the recorder claims."""
    clock = Clock()
    nvr = Nvr(clock, disks=1)
    nvr.fail_disk(1)
    clock.now_s += 60
    assert (shown(nvr, "disk1_ok"), shown(nvr, "newest_recording_age_s")) == (False, 60)


def test_offline_recorder_keeps_its_last_state_but_ages() -> None:
    """Of a recorder that cannot be reached only the age moves on."""
    clock = Clock()
    nvr = Nvr(clock)
    shown(nvr, "online")
    nvr.go_offline()
    nvr.lose_channel(1)
    clock.now_s += 90
    assert [shown(nvr, point) for point in ("online", "channels_lost", "newest_recording_age_s")] == [False, 0, 90]


def test_recorder_without_disks_has_no_recording() -> None:
    """Without a disk the age is the value that means no recording at all."""
    assert shown(Nvr(Clock(), disks=0), "newest_recording_age_s") == NO_RECORDING_S


def test_unknown_channel_is_refused() -> None:
    """A channel that is not configured cannot be lost."""
    with pytest.raises(ValueError, match="no channel 9: there are 8"):
        Nvr(Clock(), channels=8).lose_channel(9)
