"""One household or site: armed or not, and what an opening means just now. Times are monotonic ns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from edge.core.bounds import NS_PER_MS
from edge.core.io import Period
from edge.core.site import Arming, Mode, Premises
from edge.core.zone import Wire
from protocol.records import ClockQuality, Condition, Stamp

ENTRY, EXIT = "entry", "exit"
"""The deadlines of a partition."""


class Trip(StrEnum):
    """What an alarm condition of an intrusion zone means: nothing, wait for the code, or an intrusion now."""

    IGNORED = "ignored"
    ENTRY = "entry"
    INTRUSION = "intrusion"


@dataclass(slots=True)
class Partition:
    """Arming state with its entry and exit delay. `waiting` maps zones tripped on entry to when they tripped.

    `left_open` are zones on the way out that nobody had closed when the exit delay ended (exit error).
    `passed` are rooms that still saw those who left: until they are well they say nothing.
    `at` is when the period last changed, by both clocks; None before anything of it need be remembered.
    """

    premises: Premises
    mode: Mode
    exit_due_ns: int | None = None
    entry_due_ns: int | None = None
    waiting: dict[str, int] = field(default_factory=dict)
    trips: dict[str, int] = field(default_factory=dict)
    intruded: dict[str, int] = field(default_factory=dict)
    left_open: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    at: Stamp | None = None

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

    def hindrances(self, mode: Mode, wires: Iterable[Wire], bypassed: Iterable[str]) -> dict[str, str]:
        """Which zones keep it from being armed, and why. The way out, and the rooms on it, may be open while there is
        an exit delay."""
        skipped, reasons = set(bypassed), {}
        for wire in wires:
            zone = wire.zone
            if zone.arming is Arming.ALWAYS or (mode is Mode.ARMED_HOME and zone.arming is Arming.INTERIOR):
                continue
            leaving = self.premises.exit_ms > 0 and (zone.entry_route or zone.arming is Arming.INTERIOR)
            passable = wire.condition is Condition.NORMAL or (leaving and wire.condition is Condition.ALARM)
            if zone.id not in skipped and not passable:
                said = "open" if wire.condition is Condition.ALARM else wire.condition.value
                reasons[zone.id] = f"zone {zone.id} is {said}"
        return reasons

    def arm(self, mode: Mode, now: Stamp) -> None:
        """Arm; the exit delay runs from now. A new armed period forgets the trips of the last."""
        assert mode is not Mode.DISARMED
        self._clear()
        self.mode, self.at = mode, now
        if self.premises.exit_ms:
            self.exit_due_ns = now.mono_ns + self.premises.exit_ms * NS_PER_MS

    def disarm(self) -> None:
        """Disarm; whoever waited on an entry delay has come home."""
        self._clear()
        self.mode = Mode.DISARMED

    def expire_entry(self) -> dict[str, int]:
        """The entry delay is over and nobody disarmed: the zones that tripped, with when."""
        waiting, self.waiting, self.entry_due_ns = self.waiting, {}, None
        return waiting

    def remembered(self, kboot: str) -> Period | None:
        """What must survive a restart of an armed period."""
        if self.mode is Mode.DISARMED or self.at is None:
            return None
        waiting, trips, intruded = dict(self.waiting), dict(self.trips), dict(self.intruded)
        seen = (sorted(self.left_open), sorted(self.passed))
        return Period(self.at, kboot, self.exit_due_ns, self.entry_due_ns, waiting, trips, intruded, *seen)

    def recall(self, period: Period, kboot: str, now: Stamp) -> None:
        """Go on with an armed period of the process before. Where no clock tells how long nobody watched, its delays
        go on from where it last changed."""
        if period.kboot == kboot:
            passed_ns = now.mono_ns - period.at.mono_ns
        elif ClockQuality.UNSET in (period.at.quality, now.quality):
            passed_ns = 0
        else:
            passed_ns = max(0, now.wall_ms - period.at.wall_ms) * NS_PER_MS
        shift_ns = now.mono_ns - passed_ns - period.at.mono_ns
        self.at = now
        self.exit_due_ns = None if period.exit_due_ns is None else period.exit_due_ns + shift_ns
        self.entry_due_ns = None if period.entry_due_ns is None else period.entry_due_ns + shift_ns
        self.waiting = {zone: at_ns + shift_ns for zone, at_ns in period.waiting.items()}
        self.intruded = {key: at_ns + shift_ns for key, at_ns in period.intruded.items()}
        self.trips, self.left_open = dict(period.trips), set(period.left_open)
        self.passed = set(period.passed)

    def _clear(self) -> None:
        self.exit_due_ns = self.entry_due_ns = self.at = None
        self.waiting, self.trips, self.intruded = {}, {}, {}
        self.left_open, self.passed = set(), set()
