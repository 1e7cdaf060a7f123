"""What /metrics and the hub's own points have of what is counted only when somebody looks."""

from __future__ import annotations

from hub.core.desk import Desk
from hub.core.ledger import Tally
from hub.metrics import Metrics
from protocol.records import Lane


def look(metrics: Metrics, desk: Desk, readings: Tally, now_ms: int) -> None:
    """Missing records of both lanes (`readings` as the store has them), what is withheld, and the age of proofs."""
    areas = desk.registry.areas
    metrics.tell_missing(Lane.ALARM, desk.tally(areas))
    metrics.tell_missing(Lane.TELEMETRY, readings)
    metrics.alarms.tell(desk.alarms.standings(areas, now_ms))
    for area in areas:
        metrics.tell_proofs(area, desk.proofs(area, now_ms))
