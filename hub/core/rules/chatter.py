"""P4: a zone changed too often, and its gateway left it out. One incident instead of many alarms, which counts."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per zone until it is resolved, however often it was left out and taken in again."""

    def grade(marks: Sequence[Mark]) -> Grade:
        first = marks[0]
        where = first.zone or first.premises or first.gateway
        times = sum(mark.count for mark in marks if not mark.still) or 1
        more = f" (over {first.detail} changes a minute)" if first.detail else ""
        often = f", {times} times so far" if times > 1 else ""
        return Grade(Priority.P4, Reach.NOBODY, f"{where} chatters{more}: its gateway left it out{often}")

    return settle(mark, standings, always, grade)


RULE = Rule("chatter", 91, frozenset({Kind.CHATTER}), Scope.ZONE, judge)
