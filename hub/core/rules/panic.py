"""P1 at once. Presses of one household within 5 min join; another household of the group within 10 min joins too
and calls the adjacent groups; a press after resolve is a new incident. Every press pages again."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import settle, several, span
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """Which incident of the group this press belongs to. Both windows count from the incident's first press."""
    own_ms, group_ms = defaults.windows.press_join_ms, defaults.windows.group_press_ms

    def fits(anchor: Mark, press: Mark) -> bool:
        same = press.premises == anchor.premises
        return abs(press.event_ms - anchor.event_ms) <= (own_ms if same else group_ms)

    def grade(presses: Sequence[Mark]) -> Grade:
        homes = several(press.premises or press.gateway for press in presses)
        if len(homes) == 1:
            return Grade(Priority.P1, Reach.GROUP, f"{homes[0]} pressed the panic button")
        why = f"{' and '.join(homes)} pressed within {span(group_ms)}: adjacent groups are called too"
        return Grade(Priority.P1, Reach.ADJACENT, why)

    return settle(mark, standings, fits, grade)


RULE = Rule("panic", 10, frozenset({Kind.PANIC}), Scope.GROUP, judge, pages_again=True)
