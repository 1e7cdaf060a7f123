"""What is true at the end of the week, counted from the desk's incidents, not from what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hub.core.acts import Disposition
from hub.core.incident import UNRESOLVED, Incident, State
from simulators.week.story import DAY_MS

FLOOD_MS = 600_000


def truths(incidents: Iterable[Incident], lost: int, now_ms: int) -> dict[str, float]:
    """By "board/panel"; without drills and proofs."""
    found = list(incidents)
    here = [one for one in found if one.state in UNRESOLVED]
    day = [one for one in found if now_ms - one.raised_ms <= DAY_MS]
    new = [one for one in here if one.state is State.REPORTED and one.parent is None]
    said = {f"wall/open-p{level}": sum(one.priority == level for one in here) for level in (1, 2, 3, 4)}
    said |= {f"alarms/day-p{level}": sum(one.priority == level for one in day) for level in (1, 2, 3, 4)}
    rules = Counter(one.rule for one in found)
    return {key: float(value) for key, value in said.items()} | {
        "wall/unaccepted": float(len(new)),
        "wall/oldest-p1": float(max((now_ms - one.raised_ms for one in new if one.priority == 1), default=0)),
        "wall/calls": float(sum(len(one.calls) for one in here)),
        "wall/presses": float(sum(one.presses for one in day if one.rule == "panic")),
        "wall/gateways-lost": float(lost),
        "alarms/stale": float(sum(now_ms - one.raised_ms > DAY_MS for one in here)),
        "video/blind": float(rules["nvr_blind"]),
        "wiring/chatter": float(rules["chatter"]),
    }


def endings(incidents: Iterable[Incident]) -> dict[str, dict[str, float]]:
    """How incidents ended, and of which rules they were: by "board/panel", then by what a bar stands for."""
    found = list(incidents)
    ended = [one for one in found if one.disposition is not None]
    false = [one for one in ended if one.disposition is Disposition.FALSE_ALARM]
    return {
        "alarms/rules": _counts(one.rule for one in found),
        "alarms/dispositions": _counts(one.disposition.value for one in ended if one.disposition is not None),
        "alarms/false-causes": _counts(one.false_cause for one in false if one.false_cause is not None),
    }


def _counts(names: Iterable[str]) -> dict[str, float]:
    return {name: float(count) for name, count in Counter(names).items()}
