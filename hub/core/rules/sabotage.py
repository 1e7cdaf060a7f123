"""P1: link, mains or video lost within 5 min before or after an intrusion there. It beats an area outage: what was
lost belongs to the intrusion, however many others are lost at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import LINK_DOWN, Decision, Grade, Joins, Mark, ParentRule, Reach, Scope, Standing
from hub.core.rules.losses import apart_ms
from hub.core.rules.windows import matched, several, span, thinned
from protocol.kinds import Kind, Priority

LOST = {
    LINK_DOWN: "the link of {}",
    Kind.MAINS_LOST: "the mains of {}",
    Kind.NVR_OFFLINE: "the recorder of {}",
    Kind.VIDEO_LOSS: "the video of {}",
}
TRIPS = frozenset({Kind.INTRUSION, Kind.ENTRY_EXIT})


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
    for parent in pinned:
        joining, loose = _grown(list(parent.marks), loose, window_ms)
        if joining:
            now = thinned(sorted((*parent.marks, *joining)), parent.opened_by)
            decisions.append(Joins(parent.id, now, _grade(now, window_ms)))
    windows: list[Sequence[Mark]] = []
    while loose:
        first, *rest = loose
        joining, loose = _grown([first], rest, window_ms)
        if joining:
            windows.append(sorted((first, *joining)))
    return decisions + matched(windows, free, lambda found: _grade(found, window_ms))


def _grown(core: list[Mark], loose: list[Mark], window_ms: int) -> tuple[list[Mark], list[Mark]]:
    """What hangs together with `core`, and what does not."""
    joined: list[Mark] = []
    while core:
        mark = core.pop()
        near = [other for other in loose if _belong(mark, other, window_ms)]
        if near:
            loose = [other for other in loose if other not in near]
            joined += near
            core += near
    return joined, loose


def _belong(one: Mark, other: Mark, window_ms: int) -> bool:
    """Whether one is a trip and the other a loss that also struck there, near in time."""
    trip, loss = (one, other) if one.what in TRIPS else (other, one)
    if trip.what not in TRIPS or loss.what not in LOST or trip.gateway != loss.gateway:
        return False
    return loss.premises in (None, trip.premises) and apart_ms(trip, loss) <= window_ms


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
