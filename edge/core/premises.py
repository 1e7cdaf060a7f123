"""One household or site: armed or not, and what an opening means just now. Times are monotonic ns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from edge.core.bounds import NS_PER_MS
from edge.core.site import Arming, Mode, Premises
from edge.core.zone import Wire
from protocol.records import Condition

ENTRY, EXIT = "entry", "exit"
"""The deadlines of a partition."""


class Trip(StrEnum):
    """What an alarm condition of an intrusion zone means: nothing, wait for the code, or an intrusion now."""

    IGNORED = "ignored"
    ENTRY = "entry"
    INTRUSION = "intrusion"


@dataclass(slots=True)
class Partition:
    """Arming state with its entry and exit delay. `waiting` maps zones tripped on entry to when they tripped."""

    premises: Premises
    mode: Mode
    exit_due_ns: int | None = None
    entry_due_ns: int | None = None
    waiting: dict[str, int] = field(default_factory=dict)
    trips: dict[str, int] = field(default_factory=dict)
    intruded: dict[str, int] = field(default_factory=dict)

    def live(self, wire: Wire) -> bool:
        """Whether the zone watches now: always, or as the mode and a running exit delay allow."""
        arming = wire.zone.arming
        if arming is Arming.ALWAYS:
            return True
        if self.mode is Mode.DISARMED or (self.mode is Mode.ARMED_HOME and arming is Arming.INTERIOR):
            return False
        return self.exit_due_ns is None or not (wire.zone.entry_route or arming is Arming.INTERIOR)

    def trip(self, wire: Wire, at_ns: int) -> Trip:
        """An intrusion zone went into alarm. The way in starts the entry delay; while it runs, rooms follow."""
        if not self.live(wire):
            return Trip.IGNORED
        if not wire.zone.entry_route and (self.entry_due_ns is None or wire.zone.arming is not Arming.INTERIOR):
            return Trip.INTRUSION
        if self.entry_due_ns is None:
            if self.premises.entry_ms == 0:
                return Trip.INTRUSION
            self.entry_due_ns = at_ns + self.premises.entry_ms * NS_PER_MS
        self.waiting.setdefault(wire.zone.id, at_ns)
        return Trip.ENTRY

    def hindrances(self, mode: Mode, wires: Iterable[Wire], bypassed: Iterable[str]) -> list[str]:
        """Why it cannot be armed. The way out, and the rooms on it, may be open while there is an exit delay."""
        skipped, reasons = set(bypassed), []
        for wire in wires:
            zone = wire.zone
            if zone.arming is Arming.ALWAYS or (mode is Mode.ARMED_HOME and zone.arming is Arming.INTERIOR):
                continue
            leaving = self.premises.exit_ms > 0 and (zone.entry_route or zone.arming is Arming.INTERIOR)
            passable = wire.condition is Condition.NORMAL or (leaving and wire.condition is Condition.ALARM)
            if zone.id not in skipped and not passable:
                said = "open" if wire.condition is Condition.ALARM else wire.condition.value
                reasons.append(f"zone {zone.id} is {said}")
        return reasons

    def arm(self, mode: Mode, now_ns: int) -> None:
        """Arm; the exit delay runs from now. A new armed period forgets the trips of the last."""
        assert mode is not Mode.DISARMED
        self._clear()
        self.mode = mode
        if self.premises.exit_ms:
            self.exit_due_ns = now_ns + self.premises.exit_ms * NS_PER_MS

    def disarm(self) -> None:
        """Disarm; whoever waited on an entry delay has come home."""
        self._clear()
        self.mode = Mode.DISARMED

    def expire_entry(self) -> dict[str, int]:
        """The entry delay is over and nobody disarmed: the zones that tripped, with when."""
        waiting, self.waiting, self.entry_due_ns = self.waiting, {}, None
        return waiting

    def _clear(self) -> None:
        self.exit_due_ns = self.entry_due_ns = None
        self.waiting, self.trips, self.intruded = {}, {}, {}
