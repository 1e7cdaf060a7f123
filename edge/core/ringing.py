"""Sirens: which sound for which causes, until when, and that no cause rings a premises twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from edge.core.bounds import NS_PER_MS
from edge.core.called import Called
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe
from edge.core.io import Memory, Ring
from edge.core.pulses import Pulses
from edge.core.site import Output, Premises, Role, Site
from protocol.records import ClockQuality, Stamp

SIREN = "siren"
HUSHED_MAX = 256
"""Silent causes that are remembered; beyond it the oldest is forgotten."""
RUNG_MAX = 2_000
"""Causes times premises that are remembered as rung; beyond it the one rung longest ago is forgotten."""


class Rang(StrEnum):
    """What ringing a premises came to."""

    STARTED = "started"
    JOINED = "joined"
    NO_SIREN = "no_siren"


class Ringing:
    """Every siren sounds while any cause holds it, each cause for its own time; persisted, so a restart goes on.

    How long a cause counts as rung is measured by the monotonic clock of this process, starting anew with it: a wall
    clock set forward must not let a cause ring again.
    """

    def __init__(self, site: Site, memory: Memory, kboot: str, scribe: Scribe, deadlines: Deadlines) -> None:
        now_ns = scribe.now.mono_ns
        self.outputs = {output.id: output for output in site.outputs if output.role is Role.SIREN}
        self.neighbours = {premises.id: _neighbours(premises, site) for premises in site.premises}
        self.rings = {(ring.output, ring.key): ring for ring in memory.rings if ring.output in self.outputs}
        self.rung = dict(memory.rung)
        self.over = self.rung.keys() & set(memory.stood_down)
        self.called = Called(memory.calls, {premises.id for premises in site.premises})
        self._rung_ns = dict.fromkeys(self.rung, now_ns)
        self._longest_ms = max(site.limits.siren_house_ms, site.limits.siren_group_ms)
        self._memory_ns = site.limits.rung_memory_ms * NS_PER_MS
        self._kboot = kboot
        self._scribe = scribe
        self._deadlines = deadlines
        self.pulses = Pulses(site, scribe, deadlines)
        self.hushed = dict.fromkeys(memory.hushed)

    def hush(self, causes: Iterable[str]) -> None:
        """Have nothing ever sound for these causes or incidents: whoever called must not be heard to have."""
        for cause in causes:
            self.hushed.pop(cause, None)
            self.hushed[cause] = None
            self._scribe.changed = True
        while len(self.hushed) > HUSHED_MAX:
            del self.hushed[next(iter(self.hushed))]

    def sirens(self, premises: str) -> list[Output]:
        """The sirens of a premises."""
        return [output for output in self.outputs.values() if output.premises == premises]

    def has_rung(self, key: str, premises: str) -> bool:
        """Whether this cause has been rung (or silenced before it could be) at this premises."""
        return f"{key}@{premises}" in self.rung

    def is_over(self, key: str, premises: str) -> bool:
        """Whether this cause was stood down at this premises."""
        return f"{key}@{premises}" in self.over

    def stand_down(self, keys: Iterable[str], premises: str) -> None:
        """Silence these causes (no causes: all that sound): they are over."""
        causes = set(keys) or {key for output, key in self.rings if self.outputs[output].premises == premises}
        self.silence(causes, premises)
        self.called.over(premises, causes)
        self.over |= {f"{key}@{premises}" for key in causes}
        self._scribe.changed = True

    def resume(self) -> None:
        """At start: causes whose time is over end, the others go on for what is left of it."""
        now = self._scribe.now
        for of, ring in list(self.rings.items()):
            left_ms = self._left_ms(ring, now)
            if left_ms > 0:
                self.rings[of] = self._ring(ring.output, ring.key, left_ms, ring.caller)
            else:
                del self.rings[of]
            self._scribe.changed = True
        for output in self.outputs.values():
            self._settle(output, again=True)

    def call(self, keys: Sequence[str], premises: str, duration_ms: int, caller: str = "", drill: bool = False) -> Rang:
        """Sound a premises because another needs help, the `caller` where it is known; its people may answer, whether
        it has a siren or not."""
        self.called.heard(premises, keys, self._scribe.now, drill)
        self._scribe.changed = True
        return self.ring(keys, premises, duration_ms, caller)

    def ring(self, keys: Sequence[str], premises: str, duration_ms: int, caller: str = "") -> Rang:
        """Sound a premises for causes, for `duration_ms` but never beyond the longest siren time.

        Nothing sounds again for a cause that has rung there.
        """
        self._forget_old()
        joined = any(self.has_rung(key, premises) for key in keys)
        sirens = self.sirens(premises)
        if sirens:
            self._remember(keys, premises)
        if joined or not sirens:
            return Rang.JOINED if joined else Rang.NO_SIREN
        for output in sirens:
            for key in keys:
                self.rings[output.id, key] = self._ring(output.id, key, min(duration_ms, self._longest_ms), caller)
            self._settle(output)
        return Rang.STARTED

    def silence(self, keys: Iterable[str], premises: str) -> bool:
        """Stop sounding for these causes (no causes: for all) and let none of them ring later; says if any rang."""
        wanted = sorted(set(keys))
        self._remember(wanted, premises)
        mine = {output.id for output in self.sirens(premises)}
        ended = [of for of in self.rings if of[0] in mine and (not wanted or of[1] in wanted)]
        self._end(ended)
        return bool(ended)

    def expire(self, output: str, now_ns: int) -> None:
        """The first deadline of a siren came at `now_ns` (monotonic): causes whose time is over let it go."""
        self._end([of for of, ring in self.rings.items() if of[0] == output and ring.until_ns <= now_ns])
        self._settle(self.outputs[output])

    def restate(self, output: Output) -> None:
        """Say again what the siren has to do: its relay board came back."""
        self._settle(output, again=True)

    def _end(self, ended: list[tuple[str, str]]) -> None:
        for of in ended:
            del self.rings[of]
        for output in dict.fromkeys(of[0] for of in ended):
            self._settle(self.outputs[output])
        self._scribe.changed |= bool(ended)

    def _settle(self, output: Output, again: bool = False) -> None:
        rings = [ring for of, ring in self.rings.items() if of[0] == output.id]
        if rings:
            self.pulses.play(output, (ring.caller for ring in rings), again)
            self._deadlines.set(Timer(SIREN, output.id), min(ring.until_ns for ring in rings))
        else:
            self.pulses.silent(output, again)
            self._deadlines.clear(Timer(SIREN, output.id))

    def _ring(self, output: str, key: str, duration_ms: int, caller: str) -> Ring:
        now = self._scribe.now
        self._scribe.changed = True
        until_ns = now.mono_ns + duration_ms * NS_PER_MS
        return Ring(output, key, until_ns, now.wall_ms + duration_ms, self._kboot, caller)

    def _left_ms(self, ring: Ring, now: Stamp) -> int:
        """Without a clock to judge by a siren goes on, but never longer than one full time."""
        if ring.kboot == self._kboot:
            left_ms = (ring.until_ns - now.mono_ns) // NS_PER_MS
        elif now.quality is ClockQuality.UNSET:
            left_ms = self._longest_ms
        else:
            left_ms = ring.until_wall_ms - now.wall_ms
        return min(left_ms, self._longest_ms)

    def _remember(self, keys: Iterable[str], premises: str) -> None:
        for key in keys:
            cause = f"{key}@{premises}"
            if cause not in self.rung:
                self.rung[cause] = self._scribe.now.wall_ms
                self._rung_ns[cause] = self._scribe.now.mono_ns
                self._scribe.changed = True
        while len(self.rung) > RUNG_MAX:
            self._drop(min(self._rung_ns, key=self._rung_ns.__getitem__))

    def _forget_old(self) -> None:
        now_ns = self._scribe.now.mono_ns
        ringing = {f"{key}@{self.outputs[output].premises}" for output, key in self.rings}
        for cause in [c for c, at in self._rung_ns.items() if now_ns - at > self._memory_ns and c not in ringing]:
            self._drop(cause)

    def _drop(self, cause: str) -> None:
        del self.rung[cause], self._rung_ns[cause]
        self.over.discard(cause)
        self._scribe.changed = True


def _neighbours(premises: Premises, site: Site) -> tuple[str, ...]:
    """The other premises of this gateway that share a group with `premises`."""
    others = [other for other in site.premises if other.id != premises.id]
    shared = set(premises.groups) | {group for group, members in site.groups.items() if premises.id in members}
    return tuple(o.id for o in others if shared & set(o.groups) or any(o.id in site.groups.get(g, ()) for g in shared))
