"""P3: water where none should be."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle, several
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per premises until it is resolved."""

    def grade(marks: Sequence[Mark]) -> Grade:
        where = ", ".join(several(m.zone for m in marks)) or marks[0].gateway
        return Grade(Priority.P3, Reach.NOBODY, f"water detected by {where}")

    return settle(mark, standings, always, grade)


RULE = Rule("water", 53, frozenset({Kind.WATER}), Scope.PREMISES, judge)
