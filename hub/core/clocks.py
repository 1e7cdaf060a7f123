"""What is known of a gateway's kernel boots: where their monotonic time stands on the hub's axis, and their order.

Two sides are proved without trusting any clock: a record that came with its age cannot have happened later than its
arrival less its age, and hub time that a gateway heard cannot have been later than when it heard it. A time service
at the gateway gives both sides with the error the kernel states. Which kernel boot came before which the gateway says
from its card; boot numbers would lie where a card was put back while no clock was set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from protocol.kinds import Kind
from protocol.records import Event, Stamp

KBOOTS_MAX = 64
"""Kernel boots remembered per gateway; the one with the lowest boot number goes first."""
UNPLACED_MAX = 32
"""Records of a kernel boot that wait for a clock record; the oldest gets no note."""
DRIFT_PPM = 500
"""How fast two monotonic clocks may part; the kernel slews by no more."""
TRANSIT_MS = 45_000
"""How long a message can be under way: beyond it both ends have given up its connection, and it is sent anew."""
GAIN_MS = 20
"""By how much a bound must be better to take the place of one that is known: not with every record."""
KNOWN_STEP_MS = 1_000
"""How far the latest time known of a kernel boot moves at once: not with every record."""
NS_PER_MS = 1_000_000
MS_MAX = 2**53


def drifted_ms(passed_ms: int) -> int:
    """How far two clocks may have parted after so long."""
    return -(-passed_ms * DRIFT_PPM // 1_000_000)


class Anchor(msgspec.Struct, frozen=True, array_like=True):
    """Where monotonic zero stands in hub wall ms, by what was seen at monotonic `at_ms`, to within `error_ms`."""

    zero_ms: int
    at_ms: int
    error_ms: int = 0

    def off_ms(self, mono_ms: int) -> int:
        """How far it may be off at another time of the same kernel boot."""
        return self.error_ms + drifted_ms(abs(mono_ms - self.at_ms)) + 1


class Unplaced(msgspec.Struct, frozen=True, array_like=True):
    """A record in an incident, still without a sure time, and between which times it is said to lie."""

    incident: str
    what: str
    zone: str | None
    premises: str | None
    at: Stamp
    arrived_ms: int
    not_before_ms: int | None
    not_after_ms: int


class KernelBoot(msgspec.Struct, frozen=True):
    """`least` and `most`: between which monotonic zero stands; `exact`: where a time service put it. `boot` is the
    lowest number of its processes, `before` the kernel boot that ended before it began, `known_ms` the latest hub time
    that surely lies in it."""

    boot: int
    before: str = ""
    least: Anchor | None = None
    most: Anchor | None = None
    exact: Anchor | None = None
    known_ms: int | None = None
    unplaced: tuple[Unplaced, ...] = ()

    def least_at(self, mono_ms: int) -> int | None:
        """Not before this was that monotonic time, hub wall ms."""
        return None if self.least is None else self.least.zero_ms + mono_ms - self.least.off_ms(mono_ms)

    def most_at(self, mono_ms: int) -> int | None:
        """Not after this was that monotonic time, hub wall ms."""
        return None if self.most is None else self.most.zero_ms + mono_ms + self.most.off_ms(mono_ms)


class Evidence(NamedTuple):
    """What bears on one record: its kernel boot, and hub times that lie before and after the whole of that."""

    own: KernelBoot | None = None
    before_ms: int | None = None
    after_ms: int | None = None


NOTHING = Evidence()
Line: TypeAlias = Sequence[tuple[int, str]]
"""A gateway's kernel boots as (boot number, kernel boot), in that order."""


def evidence(line: Line, of: Callable[[str], KernelBoot | None], kboot: str) -> Evidence:
    """What a gateway's kernel boots say of one of them, near or far in the order the gateway told."""
    own = of(kboot)
    if own is None:
        return NOTHING
    after: dict[str, list[str]] = {}
    for _, name in line:
        if (found := of(name)) is not None and found.before:
            after.setdefault(found.before, []).append(name)
    return Evidence(own, _ended_ms(of, own.before, len(line)), _begun_ms(of, after, kboot, len(line)))


def _ended_ms(of: Callable[[str], KernelBoot | None], kboot: str, steps: int) -> int | None:
    """The latest time known of the nearest kernel boot before."""
    for _ in range(steps):
        found = of(kboot)
        if found is None:
            return None
        if found.known_ms is not None:
            return found.known_ms
        kboot = found.before
    return None


def _begun_ms(
    of: Callable[[str], KernelBoot | None], after: dict[str, list[str]], kboot: str, steps: int
) -> int | None:
    """Not after this began the nearest kernel boot after; where a card was copied there may be several."""
    names = after.get(kboot, [])
    for _ in range(steps):
        begun = [ms for name in names if (found := of(name)) is not None and (ms := found.most_at(0)) is not None]
        if begun or not names:
            return min(begun, default=None)
        names = [later for name in names for later in after.get(name, [])]
    return None


def learned(was: KernelBoot | None, boot: int, event: Event, age_ms: int | None, at_ms: int) -> KernelBoot:
    """What a record adds: by its age, and by what it says if it is a clock record."""
    mono_ms = event.at.mono_ns // NS_PER_MS
    now = KernelBoot(boot) if was is None else was
    least, most, exact, known_ms, before = now.least, now.most, now.exact, now.known_ms, now.before
    if event.kind is Kind.CLOCK:
        least, exact = _told(event, mono_ms, least, exact)
        before = str(event.detail.get("before", before))
    if age_ms is not None:
        seen = Anchor(at_ms - age_ms - mono_ms, mono_ms + age_ms)  # as it was when it was sent
        if most is None or seen.zero_ms + GAIN_MS < most.zero_ms + most.off_ms(seen.at_ms):
            most = seen
        floor_ms = at_ms - age_ms - TRANSIT_MS - drifted_ms(age_ms)
        if known_ms is None or floor_ms - known_ms >= KNOWN_STEP_MS:
            known_ms = floor_ms
    if least is not None and most is not None and least.zero_ms - least.off_ms(most.at_ms) > most.zero_ms:
        most = None  # the hub's own clock was set forward meanwhile
    same = least is now.least and most is now.most and exact is now.exact and known_ms == now.known_ms
    if was is not None and same and before == now.before and now.boot <= boot:
        return now
    return KernelBoot(min(now.boot, boot), before, least, most, exact, known_ms, now.unplaced)


def _told(
    event: Event, mono_ms: int, least: Anchor | None, exact: Anchor | None
) -> tuple[Anchor | None, Anchor | None]:
    """What a clock record says: hub time that was heard, or a time service's with the error the kernel states."""
    offset_ms, error_ms = _ms(event, "offset_ms"), _ms(event, "error_ms")
    if offset_ms is None:
        return least, exact
    if event.detail.get("source") == "hub":
        heard_ms = _ms(event, "heard_ms")
        heard = Anchor(offset_ms, mono_ms if heard_ms is None else heard_ms)
        if least is None or heard.zero_ms > least.zero_ms - least.off_ms(heard.at_ms):
            least = heard
    elif event.detail.get("quality") == "synced" and error_ms is not None and error_ms >= 0:
        exact = Anchor(offset_ms, mono_ms, error_ms)
    return least, exact


def _ms(event: Event, name: str) -> int | None:
    """A number of ms that a clock can be off by; anything else a gateway says of its clock is not taken."""
    value = event.detail.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MS_MAX else None
