"""P3: three or more ways of transmission of a group lost within 60 s of one another. Alone that is a possible cut or
jam; when neighbouring groups are gone too it is part of an area outage."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Joins, Mark, ParentRule, Reach, Scope, Standing
from hub.core.rules.losses import ENOUGH, PATHS, apart_ms, paths
from hub.core.rules.windows import matched, span, thinned
from protocol.kinds import Priority


def judge(marks: Sequence[Mark], parents: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """`marks`: what is lost of one group. In event order: a loss that enough others overlap takes them all; an accepted
    incident takes what overlaps its first."""
    window_ms = defaults.windows.path_loss_ms

    def grade(lost: Sequence[Mark]) -> Grade:
        gone = paths(lost)
        why = f"{len(gone)} ways out lost within {span(window_ms)}: possible cut or jam ({', '.join(gone)})"
        return Grade(Priority.P3, Reach.NOBODY, why)

    decisions: list[Decision] = []
    pinned = sorted((p for p in parents if p.pinned), key=lambda p: p.marks[0])
    free = [parent for parent in parents if not parent.pinned]
    taken = {mark.ident for parent in pinned for mark in parent.marks}
    held = (mark for parent in free for mark in parent.marks)
    loose = [mark for mark in sorted({*marks, *held}) if mark.what in PATHS and mark.ident not in taken]
    for parent in pinned:
        joining = [mark for mark in loose if apart_ms(parent.marks[0], mark) <= window_ms]
        if joining:
            loose = [mark for mark in loose if mark not in joining]
            now = thinned(sorted((*parent.marks, *joining)), parent.opened_by)
            decisions.append(Joins(parent.id, now, grade(now)))
    return decisions + matched(_windows(loose, window_ms), free, grade)


def _windows(losses: list[Mark], window_ms: int) -> list[Sequence[Mark]]:
    windows: list[Sequence[Mark]] = []
    while losses:
        near = [mark for mark in losses if apart_ms(losses[0], mark) <= window_ms]
        enough = len(paths(near)) >= ENOUGH
        if enough:
            windows.append(near)
        losses = [mark for mark in losses[1:] if not enough or mark not in near]
    return windows


RULE = ParentRule(
    "silence",
    55,
    frozenset({"gateway_lost", "fault"}),
    judge,
    scope=Scope.WIRED,
    takes_from=frozenset({"area_outage"}),
    hushes=True,
    reads=PATHS,
)
