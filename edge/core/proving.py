"""The nightly proof: once a day a test record, marked as a drill, goes the way an alarm would go.

It comes at the gateway's own moment of the night, and never later than 24 h after the one before, by the monotonic
clock: without a wall clock that alone counts. After a start nothing is proved at once, so that a village whose mains
come back has other things to say first. Monotonic ns, wall ms.
"""

from __future__ import annotations

from hashlib import sha256

from edge.core.bounds import NS_PER_MS
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.io import Memory
from edge.core.site import Site
from protocol.kinds import Kind, Qualifier
from protocol.records import ClockQuality, Stamp

PROOF = "proof"
DAY_MS = 24 * 3_600_000
APART_MS = 30 * 60_000
"""A moment this near to the proof before it is that proof's own."""
START_MS = 60_000
SPREAD_MS = 30 * 60_000
"""What is overdue at a start waits so long, and its share of so much."""
STEP_MS = 60_000


class Proofs:
    """`last` is when this gateway last proved itself, and in which kernel boot."""

    def __init__(self, site: Site, memory: Memory, kboot: str, scribe: Scribe, deadlines: Deadlines) -> None:
        self.last = memory.proved
        self._nightly, self._calendar = site.proof, site.calendar
        self._share = share_of(site.area, site.gateway)
        self._kboot, self._scribe, self._deadlines = kboot, scribe, deadlines
        self._earliest_ns = 0
        self._ahead_ms: int | None = None

    def resume(self) -> None:
        """At start: what is overdue comes soon, everything else in its time."""
        start_ms = START_MS + int(self._share * SPREAD_MS)
        self._earliest_ns = self._scribe.now.mono_ns + start_ms * NS_PER_MS
        self._ahead_ms = _ahead_ms(self._scribe.now)
        self._plan()

    def clock(self) -> None:
        """The time may have been set, lost or moved since the last step: then the next is reckoned anew."""
        now_ms, before_ms = _ahead_ms(self._scribe.now), self._ahead_ms
        known = now_ms is not None and before_ms is not None and abs(now_ms - before_ms) <= STEP_MS
        if not known and now_ms != before_ms:
            self._ahead_ms = now_ms
            self._plan()

    def due(self, _: str, due_ns: int) -> None:
        """It is time: a record, and nothing at the premises."""
        now = self._scribe.now
        where = Where(detail={"proof": "nightly"})
        self._scribe.emit(Kind.TEST, Qualifier.NEW, self._scribe.new_key(), now.mono_ns, where, drill=True)
        self.last = (now, self._kboot)
        self._scribe.changed = True
        self._plan()

    def _plan(self) -> None:
        if self._nightly is None:
            return
        now, last_ns, due_ns = self._scribe.now, self._last_ns(), 0
        if last_ns is not None:
            due_ns = last_ns + DAY_MS * NS_PER_MS
            if now.quality is not ClockQuality.UNSET:
                after_ms = now.wall_ms - (now.mono_ns - last_ns) // NS_PER_MS + APART_MS
                next_ms = self._nightly.following(self._calendar, self._share, after_ms)
                due_ns = min(due_ns, now.mono_ns + (next_ms - now.wall_ms) * NS_PER_MS)
        self._deadlines.set(Timer(PROOF, ""), max(due_ns, self._earliest_ns))

    def _last_ns(self) -> int | None:
        """When it last proved itself, on this kernel boot's axis; None where it never did, or nobody can tell."""
        if self.last is None:
            return None
        (at, kboot), now = self.last, self._scribe.now
        if kboot == self._kboot:
            return at.mono_ns
        if ClockQuality.UNSET in (at.quality, now.quality) or at.wall_ms > now.wall_ms:
            return None
        return now.mono_ns - (now.wall_ms - at.wall_ms) * NS_PER_MS


def share_of(area: str, gateway: str) -> float:
    """Where in the window a gateway stands, in [0, 1): always the same, and spread evenly over many."""
    return int.from_bytes(sha256(f"{area}/{gateway}".encode()).digest()[:6], "big") / 2**48


def _ahead_ms(now: Stamp) -> int | None:
    """The wall clock less the monotonic one; None while it is not set."""
    return None if now.quality is ClockQuality.UNSET else now.wall_ms - now.mono_ns // NS_PER_MS
