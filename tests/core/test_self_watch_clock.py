"""What a gateway says of its clock, as records of the alarm lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from edge.clock import NS, Clock, HubClock
from edge.core.io import Input, Troubled
from edge.self_watch import HUB_TOLD_NS, SelfWatch
from edge.workings import Workings

START_MS = 2_000_000_000_000


@dataclass
class Machine:
    """An app as far as its clock goes; what was put to the fold is in `told`."""

    kboot_before: str = ""
    mono_ms: int = 1_000
    wall_ms: int = START_MS
    error_ms: int | None = None
    hub_clock: HubClock = field(default_factory=HubClock)
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock(
            mono_ns=lambda: self.mono_ms * NS, wall_ns=lambda: self.wall_ms * NS, error_ms=lambda: self.error_ms
        )
        self.inward = SimpleNamespace(hub_clock=self.hub_clock)
        self.inbox = self
        self.watch = SelfWatch(cast(Workings[Any], self), {}, {})

    def put(self, item: Input) -> None:
        assert isinstance(item, Troubled)
        if item.fault == "clock_set":
            self.told.append(dict(item.detail))

    def begin(self) -> list[dict[str, Any]]:
        """What it says as it begins."""
        self.watch.begin()
        return self._taken()

    def later(self, ms: int, wall_ms: int | None = None) -> list[dict[str, Any]]:
        """What it says at the look after that long; its clock may have been set meanwhile."""
        self.mono_ms += ms
        self.wall_ms = self.wall_ms + ms if wall_ms is None else wall_ms
        self.watch._clock()
        return self._taken()

    def _taken(self) -> list[dict[str, Any]]:
        told, self.told[:] = list(self.told), []
        return told


def test_a_synchronised_clock_is_told_with_the_kernel_s_error() -> None:
    """Offset and error place every record of this kernel boot."""
    assert [
        {"source": "clock", "quality": "synced", "offset_ms": START_MS - 1_000, "error_ms": 7, "by_ms": 0}
    ] == Machine(error_ms=7).begin()


def test_a_clock_that_nobody_keeps_states_no_error() -> None:
    """Set by hand it says by how much, and vouches for nothing."""
    machine = Machine()
    assert [] == machine.begin()
    assert [
        {"source": "clock", "quality": "holdover", "offset_ms": START_MS + 3_600_000 - 6_000, "by_ms": 3_595_000}
    ] == machine.later(5_000, START_MS + 3_600_000)


def test_the_kernel_boot_before_is_told_at_the_start_and_only_there() -> None:
    """By the card, where it knows one."""
    machine = Machine(kboot_before="k1")
    assert [{"source": "start", "before": "k1"}] == machine.begin()
    assert [] == machine.later(5_000)


def test_hub_time_is_told_back_once_it_is_heard_and_again_hours_later() -> None:
    """As a bound at the moment it was heard, not at the one it is told."""
    machine = Machine()
    machine.begin()
    machine.hub_clock.heard(START_MS + 300, 2_500_700_000)
    told = {"source": "hub", "offset_ms": START_MS + 300 - 2_501, "heard_ms": 2_501}
    assert ([told], []) == (machine.later(5_000), machine.later(5_000))
    assert [told] == machine.later(HUB_TOLD_NS // NS)
