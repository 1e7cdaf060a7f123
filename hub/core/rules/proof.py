"""P4, a drill: a gateway proves that what it says becomes an incident and a notice. It ends by itself."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle
from protocol.kinds import Kind, Priority

NAME = "proof"


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per gateway while its notice is under way."""
    return settle(mark, standings, always, grade)


def grade(marks: Sequence[Mark]) -> Grade:
    """It calls nobody."""
    return Grade(Priority.P4, Reach.NOBODY, f"{marks[0].gateway} proves itself")


RULE = Rule(NAME, 95, frozenset({Kind.TEST}), Scope.GATEWAY, judge)
