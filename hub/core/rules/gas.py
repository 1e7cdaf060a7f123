"""P1 at once; detectors of one premises within 30 min are one leak."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import settle, several, within
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """Which leak of the premises this detector belongs to."""

    def grade(marks: Sequence[Mark]) -> Grade:
        where = ", ".join(several(m.zone for m in marks)) or marks[0].gateway
        return Grade(Priority.P1, Reach.GROUP, f"gas detected by {where}")

    return settle(mark, standings, within(defaults.windows.fire_join_ms), grade)


RULE = Rule("gas", 31, frozenset({Kind.GAS}), Scope.PREMISES, judge)
