"""Four weeks of a real apartment through the gateway's fold, at their own times, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config import Config, parse
from edge.core.gateway import Gateway
from edge.core.io import Effect, Emit, Looked, Memory, Report, Tick
from edge.port import Reading
from edge.profiles import load_profiles
from protocol.records import ClockQuality, Stamp
from simulators.recorded_house import RecordedHouse, house_of
from simulators.trace import Recording, Transition, load, transitions

START_NS = 10**12
NS_PER_MS = 1_000_000
LOOK_MS = 60_000


@pytest.fixture
def recording(recorded_house: Path) -> Recording:
    """The recorded house."""
    return load(recorded_house)


def test_every_transition_leaves_once_in_order_at_its_own_time(recording: Recording) -> None:
    """Without debounce all 2,638 transitions are reported: zone, state, order and time."""
    house = house_of(recording)
    played = transitions(recording)
    text = house.site.replace('report = "every"', 'report = "every"\non_ms = 0\noff_ms = 0')
    effects = through_the_fold(house, text, played)
    assert expected(house, played) == reported(effects)


def test_a_closing_shorter_than_the_debounce_is_not_reported(recording: Recording) -> None:
    """With the default debounce the 9 ties of one sensor (1 ms apart) merge, and nothing else changes."""
    house = house_of(recording)
    played = transitions(recording)
    last: dict[int, Transition] = {}
    merged: set[Transition] = set()
    for move in played:
        before = last.get(move.sensor)
        if before is not None and move.at_ms - before.at_ms < 30:
            merged |= {before, move}
        last[move.sensor] = move
    kept = [move for move in played if move not in merged]
    assert (18, expected(house, kept)) == (len(merged), reported(through_the_fold(house, house.site, played)))


def test_a_house_that_reports_raises_nothing(recording: Recording) -> None:
    """A disarmed household that opted in sends records, and no alarm but the drills that prove its gateway."""
    house = house_of(recording)
    effects = through_the_fold(house, house.site, transitions(recording))
    assert [] == [effect for effect in effects if isinstance(effect, Emit) and not effect.event.drill]


def test_a_house_that_did_not_opt_in_tells_nobody(recording: Recording) -> None:
    """Without `report = "every"` no opening leaves the house: only its zones' health, once each."""
    house = house_of(recording)
    effects = through_the_fold(house, house.site.replace('report = "every"', ""), transitions(recording))
    told = {effect.point for effect in effects if isinstance(effect, Report)}
    assert {f"zone/{zone}/health" for zone in house.zones.values()} == told


def through_the_fold(house: RecordedHouse, text: str, played: list[Transition]) -> list[Effect]:
    """Every effect of the whole recording: the boards are read as a contact moves, and often enough in between."""
    config = configured(text)
    now = stamp(0)
    gateway = Gateway(config.site, Memory(), instance="1" * 32, kboot="0" * 32, now=now)
    points = {board: dict.fromkeys((f"di{n}" for n in range(1, 9)), False) for board in house.boards}
    effects = list(gateway.start(now))
    for board, values in points.items():
        effects += gateway.step(Looked(Reading(board, now.mono_ns, now.mono_ns, dict(values))), now)
    settled = len(effects)
    looked_ms = 0
    for move in played:
        for at_ms in (*range(looked_ms, move.at_ms, LOOK_MS), move.at_ms):
            at = stamp(at_ms)
            effects += ticks(gateway, at.mono_ns)
            if at_ms == move.at_ms:
                board, _, point = house.sources[move.sensor].partition("/")
                points[board][point] = move.active
            for other, values in points.items():
                effects += gateway.step(Looked(Reading(other, at.mono_ns, at.mono_ns, dict(values))), at)
        looked_ms = move.at_ms
    effects += ticks(gateway, stamp(played[-1].at_ms + 1_000).mono_ns)
    return [effect for effect in effects[:settled] if not is_condition(effect)] + effects[settled:]


def ticks(gateway: Gateway, until_ns: int) -> Iterator[Effect]:
    """Let every deadline before `until_ns` come at its time."""
    while (due_ns := gateway.next_due_ns()) is not None and due_ns < until_ns:
        yield from gateway.step(Tick(), stamp((due_ns - START_NS) / NS_PER_MS))


def is_condition(effect: Effect) -> bool:
    """Whether it says what a zone is (not how it is)."""
    return isinstance(effect, Report) and not effect.point.endswith("/health")


def configured(text: str) -> Config:
    """The site, polled at the longest period there is, so that four weeks need few looks."""
    return parse(text.replace("poll_ms = 30", "poll_ms = 60000").encode(), "house.toml", Path(), load_profiles())


def stamp(ms: float) -> Stamp:
    """A time of the recording."""
    return Stamp(START_NS + round(ms * NS_PER_MS), round(ms), ClockQuality.SYNCED)


def expected(house: RecordedHouse, played: list[Transition]) -> list[tuple[str, str, int]]:
    """What should have been reported."""
    return [(f"zone/{house.zones[m.sensor]}", "alarm" if m.active else "normal", m.at_ms) for m in played]


def reported(effects: list[Effect]) -> list[tuple[str, str, int]]:
    """What was."""
    return [
        (effect.point, str(effect.value), (effect.at_ns - START_NS) // NS_PER_MS)
        for effect in effects
        if isinstance(effect, Report) and is_condition(effect)
    ]
