"""Readings stand on the hub's axis by the same evidence as records, and say by which."""

from __future__ import annotations

import pytest

from hub.core.clocks import NOTHING, Anchor, Evidence, KernelBoot
from hub.intake import sample
from hub.store.port import Placed
from protocol.messages import TelemetryItem
from protocol.records import ClockQuality, Reading, Stamp

NOW_MS, H = 1_800_000_000_000, 3_600_000
ZERO_MS = NOW_MS - 6 * H
SOURCE = ("town", "gw-1", "1" * 32)
KNOWN = Evidence(KernelBoot(1, exact=Anchor(ZERO_MS, H, 20)))
UNSET, HOLDOVER, SYNCED = ClockQuality.UNSET, ClockQuality.HOLDOVER, ClockQuality.SYNCED


@pytest.mark.parametrize(
    ("age_ms", "stamp", "known", "how", "at_ms"),
    [
        (500, Stamp(1, 5, UNSET), KNOWN, Placed.AGE, NOW_MS - 500),
        (None, Stamp(H * 1_000_000, 5, UNSET), KNOWN, Placed.CLOCK, ZERO_MS + H),
        (None, Stamp(H * 1_000_000, NOW_MS - 9 * H, HOLDOVER), KNOWN, Placed.CLOCK, ZERO_MS + H),
        (None, Stamp(1, NOW_MS - H, SYNCED), NOTHING, Placed.CLOCK, NOW_MS - H),
        (None, Stamp(1, NOW_MS - H, HOLDOVER), NOTHING, Placed.WALL, NOW_MS - H),
        (None, Stamp(1, NOW_MS + H, HOLDOVER), NOTHING, Placed.WALL, NOW_MS),
        (None, Stamp(1, NOW_MS - H, UNSET), NOTHING, Placed.ARRIVAL, NOW_MS),
    ],
)
def test_a_reading_is_placed_as_a_record_is(
    age_ms: int | None, stamp: Stamp, known: Evidence, how: Placed, at_ms: int
) -> None:
    """By its age, by the clock of its kernel boot, by a clock nobody keeps, or where it came; never in the future."""
    made = sample(SOURCE, TelemetryItem(age_ms, Reading(1, "meter/total_kwh", 1.5, stamp)), NOW_MS, known)
    assert (how, at_ms) == (made.placed, made.at_ms)
