"""What a siren says: steady is this house itself; pulses count which neighbour of the group called.

A long pulse is five and a short one is one, so the seventh of the group sounds one long and two short, a pause, and
again. Somebody of no shared group is three seconds on, one off. Several callers are heard in turn.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.bounds import NS_PER_MS
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe
from edge.core.site import Output, Site

PULSE = "pulse"
FIVE = 5
LONG_MS, SHORT_MS, GAP_MS, PAUSE_MS = 1_500, 400, 400, 2_000
STRANGER = (3_000, 1_000)

Pattern = tuple[int, ...]
"""ms on, off, on ...; none is steady."""


def pattern(place: int) -> Pattern:
    """The pulses of the member at a place of the group, counted from 1; 0 is somebody of another group."""
    if place == 0:
        return STRANGER
    longs, shorts = divmod(place, FIVE)
    beats = [beat for length in (LONG_MS,) * longs + (SHORT_MS,) * shorts for beat in (length, GAP_MS)]
    return (*beats[:-1], PAUSE_MS)


def place(site: Site, caller: str, premises: str) -> int:
    """The caller's place in the first group that it shares with a premises, counted from 1; 0 where there is none."""
    for members in site.groups.values():
        if caller in members and premises in members:
            return members.index(caller) + 1
    return 0


class Pulses:
    """Which pattern each siren plays just now."""

    def __init__(self, site: Site, scribe: Scribe, deadlines: Deadlines) -> None:
        self._site, self._scribe, self._deadlines = site, scribe, deadlines
        self._playing: dict[str, tuple[Output, Pattern, int]] = {}

    def play(self, output: Output, callers: Iterable[str], again: bool = False) -> None:
        """Sound for these callers; "" is this house, and then it is steady. What plays already goes on."""
        wanted = self._pattern(output, callers)
        playing = self._playing.get(output.id)
        if not wanted:
            self._end(output)
            self._scribe.drive(output, True, again)
        elif playing is None or playing[1] != wanted:
            self._phase(output, wanted, 0, again)
        elif again:
            self._scribe.drive(output, self._scribe.outputs.get(output.id, False), again=True)

    def silent(self, output: Output, again: bool = False) -> None:
        """Sound no more."""
        self._end(output)
        self._scribe.drive(output, False, again)

    def step(self, output: str) -> None:
        """The next beat of a siren's pattern came."""
        playing = self._playing.get(output)
        if playing is not None:
            siren, beats, phase = playing
            self._phase(siren, beats, (phase + 1) % len(beats))

    def _pattern(self, output: Output, callers: Iterable[str]) -> Pattern:
        called = list(dict.fromkeys(callers))
        if not output.pulses or "" in called:
            return ()
        return sum((pattern(place(self._site, caller, output.premises)) for caller in called), ())

    def _phase(self, output: Output, beats: Pattern, phase: int, again: bool = False) -> None:
        self._playing[output.id] = (output, beats, phase)
        self._scribe.drive(output, phase % 2 == 0, again)
        due_ns = self._scribe.now.mono_ns + beats[phase] * NS_PER_MS
        self._deadlines.set(Timer(PULSE, output.id), due_ns)

    def _end(self, output: Output) -> None:
        self._playing.pop(output.id, None)
        self._deadlines.clear(Timer(PULSE, output.id))
