"""Which copy of telemetry answers for which time."""

from __future__ import annotations

import random

import pytest

from hub.store.downsampled import merged
from hub.store.levels import DAY_MS, FIVE_MINUTE, HOURLY, KEPT, Part, TooFine, parts
from hub.store.port import Aggregate

FIVE, HOUR = FIVE_MINUTE.window_ms, HOURLY.window_ms
NOW = 20_000 * DAY_MS + 12_345
RAW, FINE = KEPT.begins_ms(None, NOW), KEPT.begins_ms(FIVE_MINUTE, NOW)
EDGE, FINE_EDGE = RAW - RAW % HOUR + HOUR, FINE - FINE % HOUR + HOUR


@pytest.mark.parametrize(
    ("span", "every_ms", "expected"),
    [
        ((NOW - DAY_MS, NOW), 1_000, [Part(None, NOW - DAY_MS, NOW)]),
        ((EDGE, NOW), 7_000, [Part(None, EDGE, NOW)]),
        ((EDGE - 1, NOW), FIVE, [Part(FIVE_MINUTE, EDGE - FIVE, EDGE), Part(None, EDGE, NOW)]),
        ((EDGE - 1, NOW), 3 * HOUR, [Part(HOURLY, EDGE - HOUR, EDGE), Part(None, EDGE, NOW)]),
        ((FINE_EDGE, FINE_EDGE + 7), 2 * FIVE, [Part(FIVE_MINUTE, FINE_EDGE, FINE_EDGE + 7)]),
        ((0, NOW), HOUR, [Part(HOURLY, 0, EDGE), Part(None, EDGE, NOW)]),
        ((NOW, NOW), 1_000, []),
        ((EDGE - FIVE, EDGE - FIVE), FIVE, []),
    ],
)
def test_the_finest_that_is_kept_and_fills_the_windows_answers(
    span: tuple[int, int], every_ms: int, expected: list[Part]
) -> None:
    """Readings as far back as they are kept, then the widest copy that fills the windows, rounded out to its own."""
    assert expected == [part for part in parts(*span, every_ms, RAW, FINE) if part.from_ms < part.to_ms]


@pytest.mark.parametrize(
    ("from_ms", "every_ms", "allowed"),
    [(EDGE - 1, 60_000, f"multiple of {FIVE}"), (FINE_EDGE - 1, 3 * FIVE, f"multiple of {HOUR}")],
)
def test_windows_shorter_than_what_is_kept_are_refused(from_ms: int, every_ms: int, allowed: str) -> None:
    """Nothing is answered as if it were all there was; what is allowed is said."""
    with pytest.raises(TooFine, match=allowed):
        parts(from_ms, NOW, every_ms, RAW, FINE)


def test_parts_of_windows_come_together_as_if_they_had_never_been_apart() -> None:
    """Counts add up, means weigh by them, the least and the most are those of all."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    values = [(rng.randrange(10 * HOUR), rng.uniform(-9, 9)) for _ in range(500)]

    def aggregated(every_ms: int) -> list[Aggregate]:
        return merged((Aggregate(at_ms - at_ms % FIVE, 1, value, value, value) for at_ms, value in values), every_ms)

    whole, again = aggregated(3 * HOUR), merged(aggregated(HOUR), 3 * HOUR)
    assert [(one.at_ms, one.count, one.min, one.max) for one in whole] == [
        (one.at_ms, one.count, one.min, one.max) for one in again
    ], seed
    assert [one.mean for one in whole] == pytest.approx([one.mean for one in again]), seed
