"""P3 per recorder: offline, disk failed, channels lost, or the newest recording older than its limit."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import settle, several
from protocol.kinds import Kind, Priority

WORDS = {
    Kind.NVR_OFFLINE: "offline",
    Kind.NVR_DISK: "disk failed",
    Kind.VIDEO_LOSS: "channels lost",
    Kind.RECORDING_STALE: "newest recording is too old",
}


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per recorder until it is resolved; recorders of one premises are told apart by their device."""

    def fits(anchor: Mark, now: Mark) -> bool:
        return now.device == anchor.device

    def grade(marks: Sequence[Mark]) -> Grade:
        what = ", ".join(WORDS[Kind(word)] for word in several(m.what for m in marks))
        recorder = f"recorder {marks[0].device}" if marks[0].device else "the recorder"
        where = marks[0].premises or marks[0].gateway
        return Grade(Priority.P3, Reach.NOBODY, f"{recorder} at {where} is blind: {what}")

    return settle(mark, standings, fits, grade)


RULE = Rule("nvr_blind", 51, frozenset(WORDS), Scope.PREMISES, judge)
