"""Replay of recorded contact activity: through a Modbus server, a gateway and a broker to the hub, and compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from protocol.records import Condition
from simulators.recorded_house import AREA, GATEWAY, POLL_MS, RecordedHouse, house_of
from simulators.trace import Recording, Transition, transitions
from simulators.village import Village

AT_ONCE = 'report = "every"\non_ms = 0\noff_ms = 0'
"""What a poll shows counts: held up, a gateway polls twice within its debounce, and would take a state for a glitch."""
ARRIVE_S_MAX = 60.0
"""How long the last transition may take to the hub's store before what is missing is called missing."""
NAMED_MAX = 10


class Played(NamedTuple):
    """A transition as it was put on the wire. `poll_ms`: from the answer that last showed the old state to the first
    that showed the new one, or, where the gateway was held up by then, to the next."""

    zone: str
    state: str
    at_ms: float
    poll_ms: float


class Arrived(NamedTuple):
    """A transition as the hub has it, in the order of the gateway's sequence; `at_ms` is the gateway's event time."""

    zone: str
    state: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the transitions. `differences` is empty when every tuple (zone, state, order) arrived in time."""

    played: int
    arrived: int
    worst_ms: float
    differences: tuple[str, ...]


def compare(played: Sequence[Played], arrived: Sequence[Arrived], poll_ms: int) -> Comparison:
    """Hold what arrived against what was played: same zones and states in the same order, times within one poll."""
    differences: list[str] = []
    worst_ms = 0.0
    for number in range(max(len(played), len(arrived))):
        sent = played[number] if number < len(played) else None
        came = arrived[number] if number < len(arrived) else None
        if sent is None or came is None or (sent.zone, sent.state) != (came.zone, came.state):
            differences.append(f"transition {number + 1}: played {_told(sent)}, arrived {_told(came)}")
            continue
        off_ms = abs(came.at_ms - sent.at_ms)
        worst_ms = max(worst_ms, off_ms)
        if off_ms > max(poll_ms, sent.poll_ms):
            text = f"{_told(sent)} is timed {off_ms:.0f} ms off; one poll was {sent.poll_ms:.0f} ms"
            differences.append(f"transition {number + 1}: {text}")
    return Comparison(len(played), len(arrived), worst_ms, tuple(differences))


def _told(moved: Played | Arrived | None) -> str:
    return "nothing" if moved is None else f"{moved.zone} {moved.state}"


async def replay(recording: Recording, folder: Path, told: Callable[[int, int], None]) -> Comparison:
    """Play all of a recording on a village of one house. `told` hears how many of how many were played."""
    house = house_of(recording)
    site, registry = _write(house, folder)
    async with Village(folder, sites=[site], registry=registry) as village:
        before = len(await _arrived(village, house))
        played = await _play(village, house, transitions(recording), told)
        arrived: list[Arrived] = []
        deadline_s = time.monotonic() + ARRIVE_S_MAX
        while time.monotonic() < deadline_s:
            arrived = (await _arrived(village, house))[before:]
            if len(arrived) >= len(played):
                break
            await asyncio.sleep(0.1)
        async with village.centre() as centre:
            incidents = await centre.incidents()
    found = compare(played, arrived, POLL_MS)
    raised = tuple(f"incident {incident['id']}: none was to be raised" for incident in incidents)
    return Comparison(found.played, found.arrived, found.worst_ms, found.differences + raised)


def _write(house: RecordedHouse, folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    site, registry = folder / "house.toml", folder / "registry.toml"
    site.write_text(house.site.replace('report = "every"', AT_ONCE), encoding="utf-8")
    registry.write_text(house.registry, encoding="utf-8")
    return site, registry


async def _play(
    village: Village, house: RecordedHouse, moves: Sequence[Transition], told: Callable[[int, int], None]
) -> list[Played]:
    plant = village.plants[GATEWAY]
    played: list[Played] = []
    for number, move in enumerate(moves, 1):
        unit = plant.units[house.sources[move.sensor].partition("/")[0]]
        read_ns = [unit.read_ns["discrete"]]
        plant.set(house.sources[move.sensor], move.active)
        at_ms = time.time() * 1000
        for _ in range(2):  # asked for the second time, the gateway has taken in the first answer
            await unit.polled(1)
            read_ns.append(unit.read_ns["discrete"])
        old, new, after = (ns / 1e6 for ns in read_ns)
        gap_ms = (new if after - new <= 2 * POLL_MS else after) - old
        state = Condition.ALARM if move.active else Condition.NORMAL
        played.append(Played(house.zones[move.sensor], state, at_ms, gap_ms))
        told(number, len(moves))
    return played


async def _arrived(village: Village, house: RecordedHouse) -> list[Arrived]:
    """Every reading of the house's zones at the hub, in the gateway's order."""
    async with village.centre() as centre:
        readings = [
            reading for zone in house.zones.values() for reading in await centre.readings(AREA, GATEWAY, f"zone/{zone}")
        ]
    return moves(readings)


def moves(readings: Iterable[dict[str, Any]]) -> list[Arrived]:
    """Changes of state in the gateway's order; what it did not know for a while, and said again then, is none."""
    found: list[Arrived] = []
    last: dict[str, str] = {}
    for reading in sorted(readings, key=lambda reading: int(reading["seq"])):
        zone, state = reading["point"].removeprefix("zone/"), reading["value"]
        if state not in (Condition.UNKNOWN, last.get(zone)):
            last[zone] = state
            found.append(Arrived(zone, state, reading["wall_ms"]))
    return found
