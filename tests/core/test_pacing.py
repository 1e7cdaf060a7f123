"""Telemetry leaves room for alarms on any link."""

from __future__ import annotations

import pytest

from edge.core.pacing import HOLD_MS, HOLD_RUN_MS, NS, SIZE_FIRST, SIZE_MAX_FAST, SIZE_MAX_SLOW, SIZE_MIN, Pacing

S = 1000 * NS


def settle(bytes_per_s: float, delay_ms: float = 0.0, messages: int = 60) -> list[int]:
    """Sizes sent over a link of this capacity and delay."""
    pacing = Pacing()
    sizes = []
    for _ in range(messages):
        sizes.append(pacing.size)
        pacing.acked(pacing.size, int((pacing.size / bytes_per_s + delay_ms / 1000) * 1e9))
    return sizes


@pytest.mark.parametrize("kbit", [16, 64, 256])
def test_slow_link_never_holds_more_than_about_half_a_second_of_telemetry(kbit: int) -> None:
    """From 16 kbit/s up, no message takes the link for more than 0.52 s."""
    bytes_per_s = kbit * 125
    assert max(settle(bytes_per_s)) / bytes_per_s <= 0.52


def test_fast_link_gets_large_messages() -> None:
    """At 100 Mbit/s the size reaches its upper cap."""
    assert settle(12_500_000, delay_ms=5)[-1] == SIZE_MAX_FAST


def test_size_stays_at_the_slow_cap_without_proof_of_speed() -> None:
    """A long but middling link stays at 16 KiB."""
    assert max(settle(200_000, delay_ms=20)) == SIZE_MAX_SLOW


def test_very_slow_link_still_moves() -> None:
    """The size never falls below its floor."""
    assert settle(500)[-1] == SIZE_MIN


def test_a_small_message_proves_nothing_about_large_ones() -> None:
    """A quick acknowledgement of a few bytes does not grow the size."""
    pacing = Pacing()
    pacing.acked(50, 1)
    assert pacing.size == SIZE_FIRST


def test_lost_link_starts_small() -> None:
    """After a loss the size is the first size again."""
    pacing = Pacing()
    pacing.acked(SIZE_FIRST, 1)
    pacing.failed()
    assert pacing.size == SIZE_FIRST


def test_alarm_holds_telemetry_for_a_bounded_time() -> None:
    """One alarm without receipt holds telemetry back for HOLD_MS and not longer."""
    pacing = Pacing()
    pacing.alarm(5 * S)
    assert (pacing.wait_ns(5 * S), pacing.wait_ns(5 * S + HOLD_MS * NS)) == (HOLD_MS * NS, 0)


def test_receipt_releases_telemetry() -> None:
    """Once every alarm has its receipt telemetry goes on at once."""
    pacing = Pacing()
    pacing.alarm(5 * S)
    pacing.alarms_receipted()
    assert pacing.wait_ns(5 * S) == 0


def test_a_stream_of_alarms_does_not_starve_telemetry() -> None:
    """With an alarm every 100 ms and no receipts, a telemetry message passes each HOLD_RUN_MS."""
    pacing = Pacing()
    passed = []
    for at_ms in range(0, 60_000, 100):
        pacing.alarm(at_ms * NS)
        if pacing.wait_ns(at_ms * NS) == 0:
            pacing.sent(at_ms * NS)
            passed.append(at_ms)
    assert passed == [HOLD_RUN_MS * i for i in range(1, 6)]
