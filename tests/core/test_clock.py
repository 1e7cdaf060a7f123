"""Wall time is believed only as far as it deserves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.clock import NS, Clock, HubClock, Step, built_ms
from protocol.records import WALL_MS_MAX, ClockQuality

DAY_MS = 86_400_000


@dataclass
class Hands:
    """A machine's clocks, set by hand."""

    mono_ms: int = 1_000
    wall_ms: int = 0
    synced: bool = False

    def clock(self, floor_ms: int = 0) -> Clock:
        return Clock(
            floor_ms,
            mono_ns=lambda: self.mono_ms * NS,
            wall_ns=lambda: self.wall_ms * NS,
            synced=lambda: self.synced,
        )


@pytest.mark.parametrize("wall_ms", [-1, WALL_MS_MAX + 1])
def test_clock_out_of_range_is_clamped_and_unset(wall_ms: int) -> None:
    """A clock set to before 1970 or beyond 2262 gives stamps that the wire takes, and says not to trust them."""
    now = Hands(wall_ms=wall_ms).clock(-10).now()
    assert (max(0, min(wall_ms, WALL_MS_MAX)), ClockQuality.UNSET) == (now.wall_ms, now.quality)


def test_clock_before_the_last_saved_time_is_unset() -> None:
    """A Pi that wakes in the past says so."""
    floor_ms = built_ms() + DAY_MS
    assert Hands(wall_ms=floor_ms - 1).clock(floor_ms).now().quality is ClockQuality.UNSET


def test_plausible_but_unsynchronised_clock_is_holdover() -> None:
    """Time that goes on from the last saved one is not called synced."""
    floor_ms = built_ms() + DAY_MS
    assert Hands(wall_ms=floor_ms).clock(floor_ms).now().quality is ClockQuality.HOLDOVER


def test_kernel_in_sync_makes_it_synced() -> None:
    """Only the time service's word makes synced."""
    assert Hands(wall_ms=built_ms() + DAY_MS, synced=True).clock().now().quality is ClockQuality.SYNCED


def test_setting_the_clock_is_noticed_once_with_its_size() -> None:
    """A jump of an hour is told; the next look finds nothing new."""
    hands = Hands(wall_ms=built_ms() + DAY_MS)
    clock = hands.clock()
    hands.mono_ms += 5_000
    hands.wall_ms += 5_000 + 3_600_000
    hands.synced = True
    assert (clock.check(), clock.check()) == (Step(3_600_000, ClockQuality.SYNCED), None)


def test_slow_drift_is_no_setting_until_it_adds_up() -> None:
    """100 ms a look are told at the fifth."""
    hands = Hands(wall_ms=built_ms() + DAY_MS)
    clock = hands.clock()
    told = []
    for _ in range(6):
        hands.wall_ms += 100
        told.append(clock.check())
    assert [step.by_ms if step else None for step in told] == [None, None, None, None, 500, None]


def test_hub_time_goes_on_between_receipts() -> None:
    """The estimate runs by monotonic time, and is none before the first receipt."""
    hub = HubClock()
    before = hub.now_ms(5 * NS)
    hub.heard(1_000_000, 5 * NS)
    assert (before, hub.now_ms(2_005 * NS)) == (None, 1_002_000)


def test_slow_receipt_does_not_set_hub_time_back_but_a_set_clock_does() -> None:
    """A receipt 3 s under way is ignored; one an hour back is the hub's clock set right."""
    hub = HubClock()
    hub.heard(10_000_000, 0)
    hub.heard(10_000_000 - 3_000, 0)
    slow = hub.now_ms(0)
    hub.heard(10_000_000 - 3_600_000, 0)
    assert (slow, hub.now_ms(0)) == (10_000_000, 6_400_000)


def test_hub_time_is_forgotten_after_a_day() -> None:
    """An estimate older than a day is none."""
    hub = HubClock()
    hub.heard(1, 0)
    assert hub.now_ms((DAY_MS + 1) * NS) is None
