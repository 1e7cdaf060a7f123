"""P3 per recorder (the premises it stands in): offline, disk failed, channels lost, or recording stale."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import always, settle, several
from protocol.kinds import Kind, Priority

WORDS = {
    Kind.NVR_OFFLINE: "offline",
    Kind.NVR_DISK: "disk failed",
    Kind.VIDEO_LOSS: "channels lost",
    Kind.RECORDING_STALE: "newest recording is too old",
}


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per premises with recorders until it is resolved."""

    def grade(marks: Sequence[Mark]) -> Grade:
        what = ", ".join(WORDS[Kind(word)] for word in several(m.what for m in marks))
        return Grade(
            Priority.P3, Reach.NOBODY, f"the recorder at {marks[0].premises or marks[0].gateway} is blind: {what}"
        )

    return settle(mark, standings, always, grade)


RULE = Rule("nvr_blind", 51, frozenset(WORDS), Scope.PREMISES, judge)
