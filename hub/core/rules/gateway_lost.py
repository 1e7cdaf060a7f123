"""P3 when a gateway was not heard for its reporting time: what it watches is unknown until it is heard again. P2 when
a partition there was armed, as far as the hub is told of that."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import LINK_DOWN, Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle
from protocol.kinds import Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per gateway until it is resolved; being heard again resolves nothing by itself."""
    return settle(mark, standings, always, grade)


def grade(marks: Sequence[Mark]) -> Grade:
    """A loss that says "armed" in its priority makes it a P2; its detail names who is."""
    armed = next((mark for mark in marks if mark.priority is Priority.P2), None)
    why = f"{marks[0].gateway} is not heard: what it watches is unknown"
    if armed is None:
        return Grade(Priority.P3, Reach.NOBODY, why)
    return Grade(Priority.P2, Reach.NOBODY, f"{why}, and {armed.detail}")


RULE = Rule("gateway_lost", 52, frozenset({LINK_DOWN}), Scope.GATEWAY, judge)
