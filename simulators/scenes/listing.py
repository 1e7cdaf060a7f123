"""The lists of alarm management at the end of a scenario, each as the places in it."""

from __future__ import annotations

from hub.core.alarm_views import AlarmViews
from hub.core.hold import Sort

LOAD_MS = 7 * 24 * 3_600_000


def listed(alarms: AlarmViews, area: str, now_ms: int) -> dict[str, list[str]]:
    """By the name of the list; what is suppressed by the name of what suppresses it."""
    chattering = alarms.figures(area, now_ms - LOAD_MS, now_ms, now_ms, top=100).chattering
    found = {
        "stale": [one.place for one in alarms.stale(area, now_ms)],
        "shelved": [hold.place for hold in alarms.holds(area, Sort.SHELVED)],
        "out_of_service": [hold.place for hold in alarms.holds(area, Sort.OUT_OF_SERVICE)],
        "chattering": [one.place.partition(":")[2] for one in chattering],
    }
    for one in alarms.suppressed(area):
        found.setdefault(f"suppressed.{one.by}", []).extend(one.zones or one.gateways)
    return found
