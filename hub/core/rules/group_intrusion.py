"""Two different households of a group within 10 min: one P1 parent naming both; children keep their ids and stop
escalating alone. Judged by trips: the parent is anchored at its first trip and takes those of its window."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Joins, Mark, ParentRule, Reach, Standing
from hub.core.rules.windows import matched, several, span, thinned, within
from protocol.kinds import Priority


def judge(marks: Sequence[Mark], parents: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """`marks`: every trip of the group's open intrusions. A trip that belongs to an accepted parent stays there."""
    window_ms = defaults.windows.group_intrusion_ms
    fits = within(window_ms)

    def grade(trips: Sequence[Mark]) -> Grade:
        homes = several(trip.premises for trip in trips)
        return Grade(Priority.P1, Reach.GROUP, f"intrusions at {' and '.join(homes)} within {span(window_ms)}")

    decisions: list[Decision] = []
    pinned = sorted((p for p in parents if p.pinned), key=lambda p: p.marks[0])
    free = [parent for parent in parents if not parent.pinned]
    taken = {mark.ident for parent in pinned for mark in parent.marks}
    loose = sorted({*marks, *(m for parent in free for m in parent.marks)})
    loose = [mark for mark in loose if mark.ident not in taken]
    for parent in pinned:
        joining = [mark for mark in loose if fits(parent.marks[0], mark)]
        if joining:
            loose = [mark for mark in loose if mark not in joining]
            all_now = thinned((*parent.marks, *joining), parent.opened_by)
            decisions.append(Joins(parent.id, all_now, grade(all_now)))
    return decisions + matched(windows_of(loose, window_ms), free, grade)


def windows_of(trips: Sequence[Mark], window_ms: int) -> list[Sequence[Mark]]:
    """In event order: each trip that has another household's within its window takes all trips of the window."""
    windows: list[Sequence[Mark]] = []
    at = 0
    while at < len(trips):
        end = at
        while end < len(trips) and trips[end].event_ms - trips[at].event_ms <= window_ms:
            end += 1
        if len({trip.premises for trip in trips[at:end]}) > 1:
            windows.append(trips[at:end])
            at = end
        else:
            at += 1
    return windows


RULE = ParentRule("group_intrusion", 41, frozenset({"intrusion"}), judge, takes_from=frozenset({"sabotage"}))
