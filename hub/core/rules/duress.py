"""Silent P1 to station and above: no siren, no lamp, no neighbours, nothing at the premises."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import settle, several, within
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """Codes of one premises within 5 min are one incident."""

    def grade(marks: Sequence[Mark]) -> Grade:
        where = ", ".join(several(m.premises for m in marks)) or marks[0].gateway
        return Grade(Priority.P1, Reach.NOBODY, f"duress code at {where}")

    return settle(mark, standings, within(defaults.windows.silent_join_ms), grade)


RULE = Rule("duress", 20, frozenset({Kind.DURESS}), Scope.PREMISES, judge, silent=True, pages_again=True)
