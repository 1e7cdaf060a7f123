"""Deliberate breaks of what stands over incidents: which parents there are, whose children, and who speaks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from hub.core import escalation, grouping
from hub.core.rules import group_intrusion, sabotage, silence
from hub.core.rules.base import Mark
from protocol.kinds import Priority

Patches: TypeAlias = list[tuple[Any, str, Any]]
LATE_MS = 20_000


def _sabotage_window_ignored() -> Patches:
    real = sabotage.ties_of
    return [(sabotage, "ties_of", lambda marks, window_ms: real(marks, 100 * window_ms))]


def _parent_forgotten_late() -> Patches:
    real = grouping.regroup

    def regroup(ctx: Any, rule: str, mark: Mark, drill: bool) -> list[str]:
        late = mark.late_ms is None or mark.late_ms > LATE_MS
        return [] if late else real(ctx, rule, mark, drill)

    return [(grouping, "regroup", regroup)]


def _outage_lowers_child() -> Patches:
    real = grouping.claim

    def claim(ctx: Any, rule: Any, child: str, parent: str) -> None:
        real(ctx, rule, child, parent)
        if rule.name == "area_outage":
            ctx.alter(child, priority=Priority.P4)

    return [(grouping, "claim", claim)]


def _outage_beats_sabotage() -> Patches:
    real = grouping.may_take

    def may_take(ctx: Any, rule: Any, child: str, by: str) -> bool:
        """What is part of a cut or an outage stays there."""
        above = ctx.incident(child).parent
        kept = above is not None and ctx.incident(above).rule in ("silence", "area_outage")
        return not (rule.name == "sabotage" and kept) and real(ctx, rule, child, by)

    return [(grouping, "may_take", may_take)]


def _outage_forgotten() -> Patches:
    return [(grouping, "outages", lambda ctx, rule, mark, drill: [])]


def _two_ways_are_a_cut() -> Patches:
    return [(silence, "ENOUGH", 2)]


def _one_household_is_a_group() -> Patches:
    def windows(trips: Sequence[Mark], window_ms: int) -> list[Sequence[Mark]]:
        """Any two trips will do."""
        return [trips] if len(trips) > 1 and trips[-1].event_ms - trips[0].event_ms <= window_ms else []

    return [(group_intrusion, "windows_of", windows)]


def _group_window_short() -> Patches:
    real = group_intrusion.windows_of
    return [(group_intrusion, "windows_of", lambda trips, window_ms: real(trips, window_ms // 10))]


def _children_escalate() -> Patches:
    return [(escalation, "covered", lambda ctx, incident: False)]


OF_PARENTS: dict[str, tuple[str, Callable[[], Patches]]] = {
    "sabotage-window-ignored": ("a loss hours from an intrusion makes it a sabotage", _sabotage_window_ignored),
    "parent-forgotten-late": ("a record that comes late finds no parent", _parent_forgotten_late),
    "outage-lowers-child": ("what is part of an area outage is maintenance", _outage_lowers_child),
    "outage-beats-sabotage": ("a loss in an outage is no sabotage any more", _outage_beats_sabotage),
    "outage-forgotten": ("neighbouring groups that are gone are cuts of their own", _outage_forgotten),
    "two-ways-are-a-cut": ("two ways lost are enough for a possible cut", _two_ways_are_a_cut),
    "one-household-is-a-group": ("two trips of one household are a group's intrusion", _one_household_is_a_group),
    "group-window-short": ("two households must trip within one minute", _group_window_short),
    "children-escalate": ("whoever has a parent is told to the next rung by itself as well", _children_escalate),
}
