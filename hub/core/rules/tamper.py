"""P3 as long as it is unresolved: somebody opened or cut what should stay closed."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle, several
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per zone until it is resolved."""

    def grade(marks: Sequence[Mark]) -> Grade:
        where = ", ".join(several(m.zone for m in marks)) or marks[0].gateway
        return Grade(Priority.P3, Reach.NOBODY, f"{where} was tampered with")

    return settle(mark, standings, always, grade)


RULE = Rule("tamper", 50, frozenset({Kind.TAMPER}), Scope.ZONE, judge)
