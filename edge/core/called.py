"""Which call a premises heard last: what a button that answers can speak of. Times are monotonic ns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge.core.bounds import NS_PER_MS
from protocol.records import ClockQuality, Stamp

ANSWER_MS = 30 * 60_000
"""How long after it was heard last a call can be answered, unless it was stood down before."""


@dataclass(frozen=True, slots=True)
class Call:
    """The cause of a call, when it was heard last (`at_ns` None: by the process before), and whether it is a drill."""

    key: str
    wall_ms: int
    at_ns: int | None
    drill: bool


class Called:
    """The newest call of each premises; as many as there are premises."""

    def __init__(self, remembered: dict[str, tuple[str, int, bool]], premises: Collection[str]) -> None:
        self._calls = {
            name: Call(key, wall_ms, None, drill)
            for name, (key, wall_ms, drill) in remembered.items()
            if name in premises
        }

    def heard(self, premises: str, keys: Sequence[str], now: Stamp, drill: bool) -> None:
        """A premises is called for these causes, which are one call."""
        known = self._calls.get(premises)
        key = known.key if known is not None and known.key in keys else keys[0]
        self._calls[premises] = Call(key, now.wall_ms, now.mono_ns, drill)

    def over(self, premises: str, keys: Collection[str]) -> None:
        """These causes were stood down."""
        known = self._calls.get(premises)
        if known is not None and known.key in keys:
            del self._calls[premises]

    def of(self, premises: str, now: Stamp) -> Call | None:
        """The call that can be answered now. Where no clock tells how old one of the process before is, none."""
        call = self._calls.get(premises)
        if call is None:
            return None
        if call.at_ns is not None:
            age_ms = (now.mono_ns - call.at_ns) // NS_PER_MS
        elif now.quality is ClockQuality.UNSET:
            return None
        else:
            age_ms = abs(now.wall_ms - call.wall_ms)
        return call if age_ms <= ANSWER_MS else None

    def remembered(self) -> dict[str, tuple[str, int, bool]]:
        """What must survive a restart."""
        return {premises: (call.key, call.wall_ms, call.drill) for premises, call in self._calls.items()}
