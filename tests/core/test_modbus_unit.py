"""What one device's answers and silences become, with time as an argument."""

from __future__ import annotations

import pytest

from edge.modbus.backoff import Policy
from edge.modbus.unit import Unit
from edge.port import Device, Reading
from edge.profiles import load_profiles

PROFILES = load_profiles()
S = 1_000_000_000


@pytest.fixture
def unit() -> Unit:
    """Eight contacts (block 0) and eight outputs (block 1), polled every 100 ms."""
    return Unit(Device("board", 3, PROFILES["waveshare-io-8ch"], 100), Policy())


def contacts(unit: Unit, at_ns: int, *on: int) -> Reading:
    """The contacts answer."""
    return unit.answered(unit.blocks[0], [int(place in on) for place in range(8)], at_ns, 2_000_000)


def test_first_answer_has_no_interval(unit: Unit) -> None:
    """Of the first good answer nothing before is known: since is at."""
    reading = contacts(unit, 5 * S, 0)
    assert (reading.since_ns, reading.at_ns, reading.values["di1"]) == (5 * S, 5 * S, True)


def test_interval_begins_at_the_last_good_answer_of_the_block(unit: Unit) -> None:
    """Since is when the same points were last read well, whatever other blocks did between."""
    contacts(unit, 5 * S)
    unit.answered(unit.blocks[1], [0] * 8, 6 * S, 0)
    assert contacts(unit, 7 * S).since_ns == 5 * S


def test_silence_fails_every_point(unit: Unit) -> None:
    """One time-out and nothing is known of any point of the device."""
    reading = unit.silent("no answer within 300 ms", 5 * S, 0.0)
    assert not reading.values
    assert dict(reading.failed) == dict.fromkeys(unit.device.profile.points, "no answer within 300 ms")


def test_interval_does_not_reach_over_a_silence(unit: Unit) -> None:
    """The first good answer after a failure has no interval."""
    contacts(unit, 5 * S)
    unit.silent("no answer", 6 * S, 0.0)
    assert contacts(unit, 9 * S).since_ns == 9 * S


def test_exception_fails_its_block_only(unit: Unit) -> None:
    """An exception fails the points of its block; the interval of the other block goes on."""
    contacts(unit, 5 * S)
    reading = unit.refused(unit.blocks[1], "exception 2: illegal data address", 6 * S)
    assert sorted(reading.failed) == [f"do{number}" for number in range(1, 9)]
    assert contacts(unit, 7 * S).since_ns == 5 * S


def test_exception_is_not_silence(unit: Unit) -> None:
    """A unit that answers with exceptions is online and polled at its rate."""
    unit.refused(unit.blocks[0], "exception 4: device failure", S)
    assert unit.health().online and not unit.probing


def test_silent_unit_is_due_at_its_probe(unit: Unit) -> None:
    """A silent unit wants the bus again after its back-off, a second at first."""
    unit.begin_poll(S)
    unit.silent("no answer", 2 * S, 0.0)
    assert (unit.due_ns, unit.probing) == (3 * S, True)


def test_lost_connection_is_not_held_against_the_unit(unit: Unit) -> None:
    """A cut connection fails the points but starts no back-off of the unit."""
    reading = unit.cut_off("connection lost", S)
    assert len(reading.failed) == 16 and not unit.probing and not unit.health().online


def test_health_counts_by_reason(unit: Unit) -> None:
    """Polls and failures are counted, failures by their reason."""
    unit.begin_poll(0)
    unit.silent("no answer", S, 0.0)
    unit.cut_off("connection lost", S)
    contacts(unit, 2 * S)
    health = unit.health()
    assert (health.polls, health.failures, health.latency_ms) == (1, {"timeout": 1, "connection": 1}, 2.0)


def test_number_that_is_none_fails_alone() -> None:
    """A NaN among a meter's values fails its own point and no other."""
    meter = Unit(Device("meter", 1, PROFILES["eastron-sdm120"], 1000), Policy())
    block = meter.blocks[0]
    words = [0] * block.count
    words[0:2] = [0x7FC0, 0]
    reading = meter.answered(block, words, S, 0)
    assert list(reading.failed) == ["voltage"] and reading.values["current"] == 0.0
