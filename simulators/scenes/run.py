"""Scenarios played one after the other in virtual time, each with its verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.faults import Fault, Refused
from simulators.scenario import Scenario
from simulators.scenes.engine import play
from simulators.scenes.places import places
from simulators.scenes.verdict import differences


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one scenario went. `differences` has every one in words; none is well."""

    name: str
    title: str
    expected: int
    found: int
    calls: int
    differences: tuple[str, ...]
    virtual_s: float
    wall_s: float

    @property
    def well(self) -> bool:
        """Whether all came as expected."""
        return not self.differences

    def told(self) -> dict[str, Any]:
        """For a program."""
        return {
            "name": self.name,
            "title": self.title,
            "verdict": "well" if self.well else "differs",
            "incidents_expected": self.expected,
            "incidents_found": self.found,
            "calls": self.calls,
            "differences": list(self.differences),
            "virtual_s": round(self.virtual_s, 3),
            "wall_s": round(self.wall_s, 3),
        }


def judge(scenario: Scenario) -> Verdict:
    """Play one scenario and judge it. Raises Refused for one that expects nothing: it could not fail."""
    if scenario.expect is None:
        raise Refused([_idle(scenario)])
    began_s = time.perf_counter()
    found, virtual_s = play(scenario)
    told = differences(scenario.expect, found, places())
    wall_s = time.perf_counter() - began_s
    calls = sum(len(incident.calls) for incident in found.incidents)
    counts = (len(scenario.expect.incident), len(found.incidents), calls)
    return Verdict(scenario.name, scenario.title, *counts, tuple(told), virtual_s, wall_s)


def judged(scenarios: Sequence[Scenario]) -> Iterator[Verdict]:
    """Each in turn. Raises Refused before the first, with every scenario that expects nothing."""
    if idle := [_idle(one) for one in scenarios if one.expect is None]:
        raise Refused(idle)
    yield from map(judge, scenarios)


def _idle(scenario: Scenario) -> Fault:
    return Fault(f"{scenario.name}.toml", "expect", "nothing", "what the scenario is to bring forth")
