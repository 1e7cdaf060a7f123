"""Arming and disarming by schedule, with a warning that can be answered.

A moment acts once. One that was missed (the gateway was off, its clock not set) is made up for while it is the latest
of its premises and less than twelve hours old, unless somebody has armed or disarmed by hand since. Nothing acts while
the clock is unset. An armed period in which something tripped is not disarmed by a schedule, and one armed away is not
changed to home. Monotonic ns, wall ms.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.arming import SCHEDULE, Keypad
from edge.core.bounds import NS_PER_MS, listed
from edge.core.calendar import Moment, Schedule, between, following
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.io import Memory
from edge.core.premises import Partition
from edge.core.site import Mode, Site
from protocol.kinds import Kind
from protocol.records import ClockQuality

DUE, WARN, UNSET = "schedule", "schedule_warn", "schedule_unset"
"""The deadlines of a premises' next moment, of a warning under way, and of telling that no clock is set."""
MAKE_UP_MS = 12 * 3_600_000
BACK_MS = 3_600_000
"""A clock that was wrong by more than this was not the time at all: what it called past may come again."""
STEP_MS = 1_000
TELL_MS = 60_000
FACET = "fault/schedule_clock_unset"


@dataclass(slots=True)
class Pending:
    """An arming that was announced: it arms at `arm_ns`."""

    moment: Moment
    arm_ns: int
    warned: bool = False
    postponed: int = 0


class Schedules:
    """`judged` maps a premises to the wall ms up to which its moments have been dealt with."""

    def __init__(
        self,
        site: Site,
        memory: Memory,
        partitions: dict[str, Partition],
        scribe: Scribe,
        deadlines: Deadlines,
        keypad: Keypad,
    ) -> None:
        self._calendar = site.calendar
        self._of: dict[str, list[Schedule]] = {}
        for schedule in site.schedules:
            for premises in schedule.premises:
                self._of.setdefault(premises, []).append(schedule)
        self.judged = {premises: at_ms for premises, at_ms in memory.scheduled.items() if premises in self._of}
        self._partitions, self._scribe, self._deadlines, self._keypad = partitions, scribe, deadlines, keypad
        self._pending: dict[str, Pending] = {}
        self._offset_ms: int | None = None

    def resume(self) -> None:
        """At start: what was missed comes at once, everything else in its time."""
        self._offset_ms = None
        self.clock()
        if self._of and self._offset_ms is None:
            self._deadlines.set(Timer(UNSET, ""), self._scribe.now.mono_ns + TELL_MS * NS_PER_MS)

    def clock(self) -> None:
        """The time may have been set, lost or moved since the last step: then all is reckoned anew."""
        if not self._of:
            return
        now = self._scribe.now
        if now.quality is ClockQuality.UNSET:
            if self._offset_ms is not None:
                self._offset_ms = None
                self._deadlines.set(Timer(UNSET, ""), now.mono_ns + TELL_MS * NS_PER_MS)
                for premises in self._of:
                    self._drop(premises)
                    self._deadlines.clear(Timer(DUE, premises))
            return
        offset_ms = now.wall_ms - now.mono_ns // NS_PER_MS
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > STEP_MS:
            self._offset_ms = offset_ms
            self._deadlines.clear(Timer(UNSET, ""))
            self._scribe.end(FACET, Kind.GATEWAY_FAULT, now.mono_ns, Where(detail={"fault": "schedule_clock_unset"}))
            for premises in self._of:
                self._plan(premises)

    def unset(self, _: str, due_ns: int) -> None:
        """No clock for a while: nobody arms, and that is told."""
        ids = listed(sorted({schedule.id for schedules in self._of.values() for schedule in schedules}))
        detail = {"fault": "schedule_clock_unset", "schedules": ids}
        self._scribe.begin(FACET, Kind.GATEWAY_FAULT, due_ns, Where(detail=detail))

    def due(self, premises: str, due_ns: int) -> None:
        """A moment has come, or was missed; of several the latest counts."""
        now = self._scribe.now
        moments = between(self._of[premises], self._calendar, self.judged[premises], now.wall_ms)
        if moments:
            self._drop(premises)
            moment = moments[-1]
            came_ns = now.mono_ns - (now.wall_ms - moment.at_ms) * NS_PER_MS
            by_hand = self._keypad.by_hand.get(premises, came_ns - 1) >= came_ns
            if by_hand or now.wall_ms - moment.at_ms > MAKE_UP_MS:
                self._judge(premises, moment.at_ms)
            else:
                self._act(premises, moment)
        self._plan(premises)

    def warn(self, premises: str, due_ns: int) -> None:
        """A warning is to begin, or is over and nobody postponed."""
        pending = self._pending.get(premises)
        if pending is None:
            return
        if self._partitions[premises].mode in (pending.moment.mode, Mode.ARMED_AWAY):
            self._drop(premises)
            self._judge(premises, pending.moment.at_ms)
        elif not pending.warned and pending.arm_ns > due_ns:
            pending.warned = True
            self._keypad.chirp(premises)
            self._deadlines.set(Timer(WARN, premises), pending.arm_ns)
        else:
            self._drop(premises)
            self._arm(premises, pending.moment)

    def postpone(self, premises: str) -> bool:
        """Somebody at the premises answers a warning under way: says whether there was one. A chirp says yes."""
        pending = self._pending.get(premises)
        if pending is None or not pending.warned:
            return False
        schedule = pending.moment.schedule
        if pending.postponed < schedule.postpone_max:
            pending.postponed += 1
            pending.warned = False
            pending.arm_ns = self._scribe.now.mono_ns + schedule.postpone_ms * NS_PER_MS
            self._deadlines.set(Timer(WARN, premises), pending.arm_ns - schedule.warn_ms * NS_PER_MS)
            self._keypad.chirp(premises)
        return True

    def _act(self, premises: str, moment: Moment) -> None:
        partition = self._partitions[premises]
        if moment.mode is Mode.DISARMED:
            if not partition.intruded and not partition.waiting:
                self._keypad.disarm(premises, SCHEDULE)
            self._judge(premises, moment.at_ms)
        elif partition.mode in (moment.mode, Mode.ARMED_AWAY):
            self._judge(premises, moment.at_ms)
        elif moment.schedule.warn_ms:
            arm_ns = self._scribe.now.mono_ns + moment.schedule.warn_ms * NS_PER_MS
            self._pending[premises] = Pending(moment, arm_ns)
            self.warn(premises, self._scribe.now.mono_ns)
        else:
            self._arm(premises, moment)

    def _arm(self, premises: str, moment: Moment) -> None:
        """It may be refused, where it is not to force; then that is heard, and told where arming is."""
        schedule = moment.schedule
        armed = self._keypad.arm_heard(premises, moment.mode, SCHEDULE, schedule.force)
        self._judge(premises, moment.at_ms)
        if armed.refused and self._partitions[premises].premises.report_arming:
            detail = {"fault": "schedule_refused", "schedule": schedule.id, "reason": listed(list(armed.refused))}
            where = Where(premises, detail=detail)
            self._scribe.begin(f"{premises}/schedule", Kind.GATEWAY_FAULT, self._scribe.now.mono_ns, where)

    def _judge(self, premises: str, at_ms: int) -> None:
        self.judged[premises] = at_ms
        self._scribe.changed = True

    def _drop(self, premises: str) -> None:
        self._pending.pop(premises, None)
        self._deadlines.clear(Timer(WARN, premises))

    def _plan(self, premises: str) -> None:
        """Wait for what comes next. A premises seen for the first time has missed nothing."""
        now = self._scribe.now
        judged_ms = self.judged.get(premises)
        if judged_ms is None or judged_ms > now.wall_ms + BACK_MS:
            self._judge(premises, now.wall_ms)
        pending = self._pending.get(premises)
        after_ms = self.judged[premises] if pending is None else max(self.judged[premises], pending.moment.at_ms)
        next_ms = following(self._of[premises], self._calendar, after_ms)
        self._deadlines.set(Timer(DUE, premises), now.mono_ns + max(1, next_ms - now.wall_ms) * NS_PER_MS)
