"""Recorders of one premises are blind apart."""

from __future__ import annotations

from hub.core.rules.base import Grade, Joins, Mark, Opens, Standing
from hub.core.rules.nvr_blind import RULE
from hub.defaults import load_defaults
from protocol.kinds import Kind, Priority


def mark(ident: str, device: str, what: Kind = Kind.NVR_OFFLINE) -> Mark:
    """A recorder's record."""
    return Mark(int(ident), ident, what, "gw-works", "works", device=device)


STANDING = Standing("i-1", False, 0, "1", (mark("1", "nvr-a"),), Priority.P3)


def test_another_recorder_of_the_premises_is_another_incident() -> None:
    """Two recorders at one site fail for two reasons."""
    found = RULE.judge(mark("2", "nvr-b"), [STANDING], load_defaults())
    grade = Grade(Priority.P3, found[0].grade.reach, "recorder nvr-b at works is blind: offline")  # type: ignore[union-attr]
    assert [Opens((mark("2", "nvr-b"),), grade)] == found


def test_the_same_recorder_joins_whatever_fails() -> None:
    """A recorder that is offline and stale is one blind recorder."""
    stale = mark("2", "nvr-a", Kind.RECORDING_STALE)
    (joins,) = RULE.judge(stale, [STANDING], load_defaults())
    assert isinstance(joins, Joins)
    assert ("i-1", (*STANDING.marks, stale)) == (joins.incident, joins.marks)
