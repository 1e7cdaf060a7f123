"""P3 when a gateway was not heard for its reporting time; what it watches is unknown until it is heard again."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import LINK_DOWN, Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle
from protocol.kinds import Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per gateway until it is resolved; being heard again resolves nothing by itself."""

    def grade(marks: Sequence[Mark]) -> Grade:
        return Grade(Priority.P3, Reach.NOBODY, f"{marks[0].gateway} is not heard: what it watches is unknown")

    return settle(mark, standings, always, grade)


RULE = Rule("gateway_lost", 52, frozenset({LINK_DOWN}), Scope.GATEWAY, judge)
