"""The operators' load for Prometheus, by area; no zone and no person is ever a label."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.core.alarm_views import Standing

ZERO: dict[str, float] = {}


class AlarmMetrics:
    """Told how areas stand when somebody asks; counters go on from where they were before a restart."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"lianfang_{name}", text, ("area", *labels), registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"lianfang_{name}", text, ("area", *labels), registry=registry)

        self._standing = gauge("alarms_standing", "Alarms shelved, out of service, suppressed or stale now.", "state")
        self._rate = gauge("alarms_ten_minutes", "Alarms presented in ten minutes, up to what begins a flood.")
        self._flood = gauge("alarm_flood", "Whether there is a flood of alarms.")
        self._presented = counter("alarms_presented", "Alarms operators were asked to look at.", "priority")
        self._withheld = counter("alarms_withheld", "Alarms kept from operators, by why.", "why")
        self._floods = counter("alarm_floods", "Floods of alarms begun.")
        self._flood_seconds = counter("alarm_flood_seconds", "Time in floods.")
        self._before: dict[str, dict[str, float]] = {}

    def tell(self, standings: Iterable[Standing]) -> None:
        """How areas stand."""
        for one in standings:
            for state in ("shelved", "out_of_service", "suppressed", "stale"):
                self._standing.labels(one.area, state).set(getattr(one, state))
            self._rate.labels(one.area).set(one.ten_minutes)
            self._flood.labels(one.area).set(one.flood_since_ms is not None)
            self._count(one)

    def _count(self, one: Standing) -> None:
        now: dict[str, float] = {"floods": one.floods, "flood_s": one.flood_ms / 1000}
        now |= {f"presented {name}": count for name, count in one.presented.items()}
        now |= {f"withheld {name}": count for name, count in one.withheld.items()}
        before, self._before[one.area] = self._before.get(one.area, ZERO), now
        more = {name: max(0.0, value - before.get(name, 0.0)) for name, value in now.items()}
        self._floods.labels(one.area).inc(more["floods"])
        self._flood_seconds.labels(one.area).inc(more["flood_s"])
        for name in one.presented:
            self._presented.labels(one.area, name).inc(more[f"presented {name}"])
        for name in one.withheld:
            self._withheld.labels(one.area, name).inc(more[f"withheld {name}"])
