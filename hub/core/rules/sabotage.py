"""P1: link, mains or video lost within 5 min before or after an intrusion there. It beats an area outage: what was
lost belongs to the intrusion, however many others are lost at the same time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence, Set
from typing import TypeAlias

from hub.core.defaults import Defaults
from hub.core.rules.base import LINK_DOWN, Decision, Grade, Joins, Mark, ParentRule, Reach, Scope, Standing
from hub.core.rules.losses import span_ms
from hub.core.rules.windows import matched, several, span, thinned
from protocol.kinds import Kind, Priority

LOST = {
    LINK_DOWN: "the link of {}",
    Kind.MAINS_LOST: "the mains of {}",
    Kind.NVR_OFFLINE: "the recorder of {}",
    Kind.VIDEO_LOSS: "the video of {}",
}
TRIPS = frozenset({Kind.INTRUSION, Kind.ENTRY_EXIT})
Ties: TypeAlias = dict[Mark, list[Mark]]


def judge(marks: Sequence[Mark], parents: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """`marks`: every trip and loss that is open at one gateway. What hangs together by trips and losses that are near
    one another is one sabotage; an accepted one keeps what it has and takes what is near that."""
    window_ms = defaults.windows.sabotage_ms
    decisions: list[Decision] = []
    pinned = sorted((p for p in parents if p.pinned), key=lambda p: p.marks[0])
    free = [parent for parent in parents if not parent.pinned]
    taken = {mark.ident for parent in pinned for mark in parent.marks}
    held = (mark for parent in free for mark in parent.marks)
    loose = [m for m in sorted({*marks, *held}) if m.ident not in taken and (m.what in LOST or m.what in TRIPS)]
    ties = ties_of({*loose, *(mark for parent in pinned for mark in parent.marks)}, window_ms)
    loose = [mark for mark in loose if mark in ties]
    for parent in pinned:
        joining, loose = _grown(parent.marks, loose, ties)
        if joining:
            now = thinned(sorted((*parent.marks, *joining)), parent.opened_by)
            decisions.append(Joins(parent.id, now, _grade(now, window_ms)))
    windows: list[Sequence[Mark]] = []
    while loose:
        first, *rest = loose
        joining, loose = _grown([first], rest, ties)
        if joining:
            windows.append(sorted((first, *joining)))
    return decisions + matched(windows, free, lambda found: _grade(found, window_ms))


def ties_of(marks: Set[Mark], window_ms: int) -> Ties:
    """Of each trip the losses that also struck there, near in time, and of each of these the trips."""
    trips = sorted(mark for mark in marks if mark.what in TRIPS)
    times_ms = [trip.event_ms for trip in trips]
    ties: Ties = {}
    for loss in sorted(mark for mark in marks if mark.what in LOST):
        begins_ms, ends_ms = span_ms(loss)
        near = slice(bisect_left(times_ms, begins_ms - window_ms), bisect_right(times_ms, ends_ms + window_ms))
        for trip in trips[near]:
            if trip.gateway == loss.gateway and loss.premises in (None, trip.premises):
                ties.setdefault(trip, []).append(loss)
                ties.setdefault(loss, []).append(trip)
    return ties


def _grown(core: Sequence[Mark], loose: Sequence[Mark], ties: Ties) -> tuple[list[Mark], list[Mark]]:
    """What hangs together with `core`, and what does not."""
    left = dict.fromkeys(loose)
    reached = list(core)
    for mark in reached:  # it grows meanwhile
        near = [other for other in ties.get(mark, ()) if other in left]
        reached += near
        for other in near:
            del left[other]
    return reached[len(core) :], list(left)


def _grade(marks: Sequence[Mark], window_ms: int) -> Grade:
    homes = several(mark.premises or mark.gateway for mark in marks if mark.what in TRIPS)
    lost = several(LOST[mark.what].format(mark.premises or mark.gateway) for mark in marks if mark.what in LOST)
    why = f"intrusion at {' and '.join(homes)}, and {' and '.join(lost)} lost within {span(window_ms)} of it: sabotage"
    return Grade(Priority.P1, Reach.GROUP, why)


RULE = ParentRule(
    "sabotage",
    43,
    frozenset({"intrusion", "gateway_lost", "fault", "nvr_blind"}),
    judge,
    scope=Scope.GATEWAY,
    takes_from=frozenset({"silence", "area_outage"}),
    over=frozenset({"group_intrusion"}),
    hushes=True,
)
