"""The lamp of a panic button: how far the call for help has come, told by its pattern.

dark             nothing pressed
fast blink       pressed, not yet stored (8 times a second it changes)
slow blink       stored in the gateway: it will not be lost
steady           the hub has it
double blink     somebody is coming
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from edge.core.bounds import NS_PER_MS
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe
from edge.core.io import Memory
from edge.core.site import Output, Role, Site

LAMP = "lamp"


class Stage(StrEnum):
    """What a lamp shows."""

    DARK = "dark"
    PRESSED = "pressed"
    STORED = "stored"
    RECEIVED = "received"
    COMING = "coming"


PATTERNS: dict[Stage, tuple[int, ...]] = {
    Stage.DARK: (),
    Stage.PRESSED: (125, 125),
    Stage.STORED: (500, 500),
    Stage.RECEIVED: (),
    Stage.COMING: (150, 150, 150, 550),
}
"""ms on, off, on ...; no pattern is steady."""
NEXT = {Stage.PRESSED: Stage.STORED, Stage.STORED: Stage.RECEIVED}


class Lamps:
    """The lamps of the zones that have one. The stage survives a restart; a press under way then is stored by then."""

    def __init__(self, site: Site, memory: Memory, scribe: Scribe, deadlines: Deadlines) -> None:
        self._lamps: dict[str, list[Output]] = {}
        for output in site.outputs:
            if output.role is Role.LAMP and output.zone is not None:
                self._lamps.setdefault(output.zone, []).append(output)
        self.stages = {zone: Stage(stage) for zone, stage in memory.lamps.items() if zone in self._lamps}
        self._phases: dict[str, int] = {}
        self._scribe = scribe
        self._deadlines = deadlines

    def resume(self) -> None:
        """At start: every lamp to what it showed. The record of a press is in the same store as its stage."""
        for zone in self._lamps:
            stage = self.stages.get(zone, Stage.DARK)
            self._show(zone, Stage.STORED if stage is Stage.PRESSED else stage, again=True)

    def pressed(self, zone: str) -> None:
        """A press was recorded. Somebody coming is still coming."""
        if zone in self._lamps and self.stages.get(zone) is not Stage.COMING:
            self._show(zone, Stage.PRESSED)

    def advance(self, zones: Iterable[str], to: Stage) -> None:
        """The last records of these zones are stored, or the hub has them."""
        before = (Stage.PRESSED,) if to is Stage.STORED else (Stage.PRESSED, Stage.STORED)
        for zone in zones:
            if self.stages.get(zone) in before:
                self._show(zone, to)

    def coming(self, zone: str) -> None:
        """Somebody has said that they are coming."""
        if zone in self._lamps:
            self._show(zone, Stage.COMING)

    def dark(self, zone: str) -> None:
        """The call is over."""
        if self.stages.get(zone, Stage.DARK) is not Stage.DARK:
            self._show(zone, Stage.DARK)

    def blink(self, zone: str) -> None:
        """The next phase of a zone's pattern came."""
        pattern = PATTERNS[self.stages.get(zone, Stage.DARK)]
        if pattern:
            self._phase(zone, (self._phases.get(zone, 0) + 1) % len(pattern))

    def restate(self, output: Output) -> None:
        """Say again what the lamp has to show: its board came back."""
        self._scribe.drive(output, self._scribe.outputs.get(output.id, False), again=True)

    def _show(self, zone: str, stage: Stage, again: bool = False) -> None:
        self.stages[zone] = stage
        if stage is Stage.DARK:
            del self.stages[zone]
        self._scribe.changed = True
        self._deadlines.clear(Timer(LAMP, zone))
        if PATTERNS[stage]:
            self._phase(zone, 0, again)
        else:
            self._drive(zone, stage is Stage.RECEIVED, again)

    def _phase(self, zone: str, phase: int, again: bool = False) -> None:
        self._phases[zone] = phase
        self._drive(zone, phase % 2 == 0, again)
        length_ms = PATTERNS[self.stages[zone]][phase]
        self._deadlines.set(Timer(LAMP, zone), self._scribe.now.mono_ns + length_ms * NS_PER_MS)

    def _drive(self, zone: str, on: bool, again: bool) -> None:
        for output in self._lamps[zone]:
            self._scribe.drive(output, on, again)
