"""Zones left out for a while: by order, because they swing (CP-01), or because they chatter.

Times are monotonic ns.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from edge.core.bounds import NS_PER_MS, Detail
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.io import Memory
from edge.core.premises import Partition
from edge.core.site import NATURES, Limits, Zone, ZoneKind
from protocol.kinds import Kind

QUIET = "quiet"
NEVER = frozenset({ZoneKind.PANIC, ZoneKind.DURESS, ZoneKind.SILENT_HOLDUP, ZoneKind.SMOKE, ZoneKind.GAS})
"""Kinds that nothing leaves out: a life may hang on them."""


class Why(StrEnum):
    """Why a zone is left out."""

    ORDERED = "ordered"
    SWINGER = "swinger"
    CHATTER = "chatter"
    FORCED = "forced"


STAYS = frozenset({Why.ORDERED, Why.CHATTER})
"""Left out across the beginning of an armed period; what an earlier period left out is judged anew."""
KINDS = {Why.ORDERED: Kind.BYPASS, Why.FORCED: Kind.BYPASS, Why.SWINGER: Kind.SWINGER_BYPASS, Why.CHATTER: Kind.CHATTER}


class Bypasses:
    """Which zones are left out. Their conditions are followed all the same."""

    def __init__(
        self, limits: Limits, zones: dict[str, Zone], memory: Memory, scribe: Scribe, deadlines: Deadlines
    ) -> None:
        self.why = {zone: Why(why) for zone, why in memory.bypassed.items() if zone in zones}
        self._limits, self._zones, self._scribe, self._deadlines = limits, zones, scribe, deadlines
        self._moves: dict[str, deque[int]] = {}

    def resume(self) -> None:
        """At start: what is left out for a time gets its whole time again."""
        for zone in self._zones:
            if zone in self.why:
                self._wait(zone)
            elif any(f"{zone}/{why}" in self._scribe.open for why in Why):
                self._tell_later(zone)

    def __contains__(self, zone: str) -> bool:
        return zone in self.why

    def moved(self, zone: Zone, at_ns: int) -> None:
        """A live zone changed its condition: too often in the window is chatter; any change breaks the quiet."""
        if zone.report == "every" or zone.kind in NEVER or NATURES[zone.kind].raises is None:
            return
        if zone.id in self.why:
            self._wait(zone.id)
            return
        moves = self._moves.setdefault(zone.id, deque(maxlen=self._limits.chatter_transitions + 1))
        moves.append(at_ns)
        full = len(moves) == moves.maxlen
        if full and moves[-1] - moves[0] <= self._limits.chatter_window_ms * NS_PER_MS:
            moves.clear()
            self.add(zone, Why.CHATTER, at_ns)

    def tripped(self, zone: Zone, partition: Partition, at_ns: int) -> None:
        """An intrusion was recorded; a zone that trips again and again in one armed period swings."""
        if zone.report == "every" or zone.kind in NEVER:
            return
        trips = partition.trips[zone.id] = partition.trips.get(zone.id, 0) + 1
        if trips >= zone.swinger_trips and zone.id not in self.why:
            self.add(zone, Why.SWINGER, at_ns)

    def add(self, zone: Zone, why: Why, at_ns: int, told: bool = True) -> None:
        """Leave a zone out, and say so where that gives away no household's comings and goings."""
        self.why[zone.id] = why
        self._scribe.changed = True
        details: dict[Why, Detail] = {
            Why.CHATTER: {"transitions": self._limits.chatter_transitions},
            Why.FORCED: {"why": "forced arming"},
        }
        if told:
            where = Where(zone.premises, zone.id, details.get(why, {}))
            self._scribe.begin(f"{zone.id}/{why}", KINDS[why], at_ns, where)
        self._wait(zone.id)

    def remove(self, zone: str, told: bool = True) -> None:
        """Take a zone in again. Untold where the moment would give away when a household came or went: then it is
        said a quiet time later."""
        why = self.why.pop(zone, None)
        if why is not None:
            self._scribe.changed = True
        if told:
            self._deadlines.clear(Timer(QUIET, zone))
            where = Where(self._zones[zone].premises, zone)
            for ended, kind in KINDS.items():
                self._scribe.end(f"{zone}/{ended}", kind, self._scribe.now.mono_ns, where)
        elif why is not None:
            self._tell_later(zone)

    def _tell_later(self, zone: str) -> None:
        due_ns = self._scribe.now.mono_ns + self._limits.swinger_quiet_ms * NS_PER_MS
        self._deadlines.set(Timer(QUIET, zone), due_ns)

    def _wait(self, zone: str) -> None:
        why = self.why[zone]
        quiet_ms = {Why.SWINGER: self._limits.swinger_quiet_ms, Why.CHATTER: self._limits.chatter_window_ms}.get(why)
        if quiet_ms is not None:
            self._deadlines.set(Timer(QUIET, zone), self._scribe.now.mono_ns + quiet_ms * NS_PER_MS)
