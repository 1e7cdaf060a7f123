"""P4 (P3 where evidence is lost): maintenance. One incident per zone, premises or gateway and cause."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import (
    CONFLICT,
    GAP,
    REVIEW,
    TWINS,
    UNPROVED,
    Decision,
    Grade,
    Mark,
    Reach,
    Rule,
    Scope,
    Standing,
)
from hub.core.rules.windows import always, settle
from protocol.kinds import Kind, Priority

READS = frozenset(
    {
        Kind.ZONE_FAULT,
        Kind.DEVICE_LOST,
        Kind.MAINS_LOST,
        Kind.BATTERY_LOW,
        Kind.BATTERY_MISSING,
        Kind.GATEWAY_FAULT,
        Kind.RECORDS_LOST,
        Kind.SWINGER_BYPASS,
        CONFLICT,
        GAP,
        TWINS,
        REVIEW,
        UNPROVED,
    }
)
EVIDENCE = frozenset({Kind.RECORDS_LOST, CONFLICT, GAP, TWINS})
WORDS = {
    Kind.DEVICE_LOST: "no answer",
    CONFLICT: "two different records under one identity (a cloned card?)",
    GAP: "the gateway gave up records",
    TWINS: "two gateways under one id: look for a machine that runs on a copy of this one's card",
    REVIEW: "out of service, and its review is due",
    UNPROVED: "no proof that its alarms arrive",
    Kind.RECORDS_LOST: "the gateway lost records",
    Kind.SWINGER_BYPASS: "tripped too often and was bypassed",
}


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """One incident per cause until it is resolved; repeats are counted in it."""

    def grade(marks: Sequence[Mark]) -> Grade:
        first = marks[0]
        where = first.zone or first.premises or first.gateway
        if first.what == Kind.DEVICE_LOST and first.device:
            where = f"device {first.device} of {first.gateway}"
        priority = Priority.P3 if first.what in EVIDENCE else Priority.P4
        words = WORDS.get(first.what, first.what.replace("_", " "))
        return Grade(priority, Reach.NOBODY, f"{where}: {words}" + (f" ({first.detail})" if first.detail else ""))

    return settle(mark, standings, always, grade)


RULE = Rule("fault", 90, READS, Scope.CAUSE, judge)
