"""Wall time is believed only as far as it deserves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.clock import ERROR_MS_MAX, NS, Clock, HubClock, Step, built_ms, kernel_error_ms
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
            error_ms=lambda: 20 if self.synced else None,
        )


@pytest.mark.parametrize(("wall_ms", "said_ms"), [(-1, built_ms()), (WALL_MS_MAX + 1, WALL_MS_MAX)])
def test_clock_out_of_range_is_clamped_and_unset(wall_ms: int, said_ms: int) -> None:
    """A clock set to before 1970 or beyond 2262 gives stamps that the wire takes, and says not to trust them."""
    now = Hands(wall_ms=wall_ms).clock(-10).now()
    assert (said_ms, ClockQuality.UNSET) == (now.wall_ms, now.quality)


def test_an_unset_clock_runs_from_the_latest_time_known_to_be_past() -> None:
    """A machine that says 1970 stamps what is surely past, and that goes on with monotonic time, never too fast."""
    floor_ms = built_ms() + DAY_MS
    hands = Hands(wall_ms=5_000)
    clock = hands.clock(floor_ms)
    hands.mono_ms += 7_000
    assert (floor_ms + 6_997, ClockQuality.UNSET) == (clock.now().wall_ms, clock.now().quality)


def test_what_is_saved_as_past_moves_only_on_the_word_of_a_time_service() -> None:
    """A clock set a year ahead by hand would else be believed by every start after it."""
    floor_ms = built_ms() + DAY_MS
    hands = Hands(wall_ms=floor_ms + 365 * DAY_MS)
    clock = hands.clock(floor_ms)
    hands.mono_ms += 60_000
    by_hand = clock.past_ms()
    hands.wall_ms, hands.synced = floor_ms + 2 * DAY_MS, True
    clock.check()
    assert (floor_ms + 59_970, floor_ms + 2 * DAY_MS) == (by_hand, clock.past_ms())


def test_a_clock_set_since_the_last_look_is_not_called_synced() -> None:
    """A record made in those five seconds would say hours that nobody vouches for."""
    hands = Hands(wall_ms=built_ms() + 9 * DAY_MS, synced=True)
    clock = hands.clock()
    hands.wall_ms += 3_600_000
    assert (ClockQuality.HOLDOVER, 20) == (clock.now().quality, clock.error_ms())


def test_the_kernel_says_how_far_its_clock_is_off_or_that_nobody_keeps_it() -> None:
    """The real adjtimex answers within what it calls synchronised, or not at all."""
    found = kernel_error_ms()
    assert found is None or 0 < found <= ERROR_MS_MAX


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
    assert (clock.check(), clock.check()) == (Step(3_600_000, ClockQuality.SYNCED, 20), None)


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
