"""P3: neighbouring groups are gone at the same time. One parent for all of it, which never lowers a child: what is
more urgent (a loss with an armed partition) goes on by itself, and a sabotage keeps what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Absorbed, Blind, Decision, Grade, Joins, Mark, Opens, OutageRule, Reach, Standing
from hub.core.rules.losses import ENOUGH, PATHS, apart_ms, paths
from hub.core.rules.windows import span
from protocol.kinds import Priority


def judge(groups: Sequence[Blind], parents: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """What is lost around a group at a time is one outage with every other that holds one of its gateways: a gateway
    has one open loss, and that one parent. An accepted outage takes more as history."""
    window_ms = defaults.windows.path_loss_ms
    decisions: list[Decision] = []
    for lost in _merged(_outages(groups, window_ms)):
        gateways = {mark.gateway for mark in lost}
        holders = [parent for parent in parents if any(mark.gateway in gateways for mark in parent.marks)]
        if not holders:
            marks = _one_a_gateway(lost)
            decisions.append(Opens(marks, _grade(marks, window_ms)))
            continue
        first, *others = sorted(holders, key=lambda p: (not p.pinned, p.raised_ms, p.id))
        merged = [other for other in others if not other.pinned]
        marks = _one_a_gateway([*first.marks, *(mark for other in merged for mark in other.marks), *lost])
        if marks != first.marks:
            decisions.append(Joins(first.id, marks, _grade(marks, window_ms)))
        decisions += [Absorbed(other.id, first.id) for other in merged]
    return decisions


def _outages(groups: Sequence[Blind], window_ms: int) -> Iterator[list[Mark]]:
    """Around each group and each of its losses: what is lost then of it and its neighbours, if that is an outage."""
    named = {blind.group: blind for blind in groups}
    for centre in groups:
        around = [centre, *(named[name] for name in centre.adjacent if name in named)]
        for anchor in centre.marks:
            then = [_then(blind, anchor, window_ms) for blind in around]
            lost = list({mark: None for marks in then for mark in marks})
            if then[0] and sum(bool(marks) for marks in then) > 1 and len(paths(lost)) >= ENOUGH:
                yield lost


def _then(blind: Blind, anchor: Mark, window_ms: int) -> list[Mark]:
    """What of a group is lost together with `anchor`, if the group is gone: three of its ways, or all it has."""
    near = [mark for mark in blind.marks if mark.what in PATHS and apart_ms(anchor, mark) <= window_ms]
    return near if len(paths(near)) >= min(ENOUGH, max(1, blind.paths)) else []


def _merged(outages: Iterable[list[Mark]]) -> list[list[Mark]]:
    found: list[list[Mark]] = []
    for lost in outages:
        gateways = {mark.gateway for mark in lost}
        same = [other for other in found if any(mark.gateway in gateways for mark in other)]
        found = [other for other in found if other not in same]
        found.append(list({mark: None for marks in (*same, lost) for mark in marks}))
    return sorted(found, key=min)


def _one_a_gateway(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """The first loss of each: no more than the area has gateways."""
    firsts: dict[str, Mark] = {}
    for mark in sorted(marks):
        firsts.setdefault(mark.gateway, mark)
    return tuple(firsts.values())


def _grade(marks: Sequence[Mark], window_ms: int) -> Grade:
    gone = f"{len(marks)} gateways" if len(marks) > 1 else "three ways or more"
    why = f"{gone} of neighbouring groups lost within {span(window_ms)} of one another: an area outage"
    return Grade(Priority.P3, Reach.NOBODY, why)


RULE = OutageRule(
    "area_outage",
    56,
    frozenset({"gateway_lost", "fault", "silence"}),
    judge,
    over=frozenset({"silence"}),
    hushes=True,
    reads=PATHS,
)
