"""P2; a second, different zone of the same premises within 30 min confirms it (BS 8243 sequential): P1, and the
group is called. The siren at the house itself is the gateway's."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Decision, Grade, Mark, Reach, Rule, Scope, Standing
from hub.core.rules.windows import settle, several, span, within
from protocol.kinds import Kind, Priority


def judge(mark: Mark, standings: Sequence[Standing], defaults: Defaults) -> list[Decision]:
    """Which intrusion of the premises this trip belongs to, and whether that is confirmed now."""

    def grade(trips: Sequence[Mark]) -> Grade:
        zones = several(trip.zone for trip in trips)
        if len(zones) < 2:
            return Grade(Priority.P2, Reach.NOBODY, f"{(zones or [trips[0].gateway])[0]} tripped, not confirmed")
        second = next(trip for trip in trips if trip.zone == zones[1])
        after = span(abs(second.event_ms - trips[0].event_ms))
        return Grade(Priority.P1, Reach.GROUP, f"{zones[0]} tripped, confirmed by {zones[1]} {after} later")

    return settle(mark, standings, within(defaults.windows.confirm_ms), grade)


RULE = Rule("intrusion", 40, frozenset({Kind.INTRUSION, Kind.ENTRY_EXIT}), Scope.PREMISES, judge)
