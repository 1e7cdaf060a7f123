"""What people turn and press to arm and disarm: a keyswitch, an arm button, a key position for duress.

Times are monotonic ns.
"""

from __future__ import annotations

from edge.core.arming import Keypad
from edge.core.bounds import NS_PER_MS
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe
from edge.core.io import Memory
from edge.core.premises import Partition
from edge.core.schedules import Schedules
from edge.core.silence import SETTLE_MS
from edge.core.site import Mode, Zone, ZoneKind
from edge.core.zone import Change, Wire
from edge.core.zones import Zones
from protocol.records import Condition

HELD, SETTLED = "held", "settled"
"""The deadlines of a button, and of a premises whose keyswitch nobody has seen yet."""


class Switches:
    """`stood` is where each keyswitch was seen last, also by the process before: it acts when it is turned, and where
    it stands is no order. A button acts by each press."""

    def __init__(
        self,
        partitions: dict[str, Partition],
        memory: Memory,
        scribe: Scribe,
        deadlines: Deadlines,
        zones: Zones,
        keypad: Keypad,
        schedules: Schedules,
    ) -> None:
        self._partitions, self._scribe, self._deadlines = partitions, scribe, deadlines
        self._zones, self._keypad, self._schedules = zones, keypad, schedules
        self.stood = {zone: Condition(at) for zone, at in memory.stood.items() if zone in zones.wires}
        self._pressed: set[str] = set()

    def resume(self) -> None:
        """At start: a key may have been turned meanwhile, so an armed premises is judged once it was seen."""
        for zone in self.stood:
            premises = self._zones.wires[zone].zone.premises
            if self._partitions[premises].mode is not Mode.DISARMED:
                self._keypad.wait_for_key(premises)
                due_ns = self._scribe.now.mono_ns + SETTLE_MS * NS_PER_MS
                self._deadlines.set(Timer(SETTLED, premises), due_ns)

    def settled(self, premises: str, now_ns: int) -> None:
        """The keyswitch cannot be seen: it is not waited for any longer."""
        self._keypad.key_seen(premises)

    def moved(self, wire: Wire, change: Change) -> None:
        """A zone's condition settled."""
        match wire.zone.kind:
            case ZoneKind.KEYSWITCH:
                self._turned(wire, change)
            case ZoneKind.ARM_BUTTON:
                self._button(wire, change)
            case ZoneKind.DURESS if wire.zone.disarms:
                self._turned(wire, change)

    def held(self, zone: str, now_ns: int) -> None:
        """A button has been held for its time: it disarms, unless nobody can see it now."""
        wire = self._zones.wires[zone]
        if zone in self._pressed and wire.condition is Condition.ALARM:
            self._keypad.disarm(wire.zone.premises, "button")
        self._pressed.discard(zone)

    def _turned(self, wire: Wire, change: Change) -> None:
        if change.now not in (Condition.NORMAL, Condition.ALARM):
            return
        zone, premises = wire.zone, wire.zone.premises
        was = self.stood.get(zone.id)
        self.stood[zone.id] = change.now
        self._scribe.changed |= was is not change.now
        if was is not None and was is not change.now:
            if zone.disarms and change.now is Condition.ALARM:
                self._keypad.disarm(premises, "keyswitch", forced=True)
            elif not zone.disarms and change.now is Condition.NORMAL:
                if not self._schedules.postpone(premises):
                    self._keypad.disarm(premises, "keyswitch")
            elif not zone.disarms:
                self._keypad.arm_heard(premises, zone.hand.mode, "keyswitch", zone.hand.force)
        keys = [other for other in self._zones.of(premises) if other.zone.id in self.stood]
        if all(key.condition is not Condition.UNKNOWN for key in keys):
            self._deadlines.clear(Timer(SETTLED, premises))
            self._keypad.key_seen(premises)

    def _button(self, wire: Wire, change: Change) -> None:
        """Pressed and let go it arms, held it disarms. Where nobody saw it for a while, or at start, the press is none:
        how long it lasted is not known."""
        zone, timer = wire.zone, Timer(HELD, wire.zone.id)
        pressed = change.now is Condition.ALARM and change.was is not None and change.shown is Condition.NORMAL
        if pressed and not zone.hand.hold_ms:
            self._press(zone)
        elif pressed:
            self._pressed.add(zone.id)
            self._deadlines.set(timer, self._scribe.now.mono_ns + zone.hand.hold_ms * NS_PER_MS)
        else:
            self._deadlines.clear(timer)
            let_go = change.now is Condition.NORMAL and change.shown is Condition.ALARM
            if zone.id in self._pressed and let_go:
                self._press(zone)
            self._pressed.discard(zone.id)

    def _press(self, zone: Zone) -> None:
        """A press answers a schedule's warning, where there is one; otherwise it arms."""
        if not self._schedules.postpone(zone.premises):
            self._keypad.arm_heard(zone.premises, zone.hand.mode, "button", zone.hand.force)
