"""What the hub counts about itself, in a registry of its own, for Prometheus to read at /metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hub.alarm_metrics import AlarmMetrics
from hub.core.effects import Reached
from hub.core.ledger import Tally
from hub.core.proof import ProofView
from protocol.records import Lane

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

NEIGHBOUR_SECONDS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1_800)


class Metrics:
    """One hub's counters; two hubs in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        def seconds(name: str, text: str) -> Histogram:
            return Histogram(name, text, registry=self.registry, buckets=SECONDS)

        self.committed = counter("lianfang_records_committed", "Alarm records committed.", "area", "priority")
        self.duplicates = counter("lianfang_records_duplicate", "Records that were already committed.", "lane")
        self.commit_seconds = seconds("lianfang_commit_seconds", "Time one journal transaction took.")
        self.commit_failures = counter("lianfang_commit_failures", "Journal transactions that failed.")
        self.set_aside = counter("lianfang_inputs_set_aside", "Inputs the desk could not take: a bug of ours, logged.")
        self.wire_seconds = seconds(
            "lianfang_wire_to_commit_seconds", "From the event (by its stated age) to its commit."
        )
        self.inbox_depth = gauge("lianfang_inbox_depth", "What waits in a bounded inbox.", "lane")
        self.discarded = counter(
            "lianfang_discarded", "Messages set aside because an inbox was full; the gateway resends.", "lane"
        )
        self.receipts = counter("lianfang_receipts", "Receipts sent.", "lane")
        self.refused = counter("lianfang_refused", "Messages refused; they changed nothing.", "reason")
        self.orders = counter("lianfang_orders", "Orders sent.", "action")
        self.replies = counter("lianfang_order_results", "Outcomes that gateways replied.", "outcome")
        self.incidents = counter("lianfang_incidents", "Incidents raised.", "rule", "priority")
        self.pages = counter("lianfang_pages", "Calls to the operators of a rung.", "rung")
        self.first_neighbour = Histogram(
            "lianfang_first_neighbour_seconds",
            "From an event to the first siren ringing at a neighbour, and to the first who is going; no drills.",
            ["milestone"],
            registry=self.registry,
            buckets=NEIGHBOUR_SECONDS,
        )
        self.gateways_online = gauge("lianfang_gateways_online", "Gateways heard within their reporting time.")
        self.gateways_lost = gauge("lianfang_gateways_lost", "Gateways not heard within their reporting time.")
        self.site_configs = gauge(
            "lianfang_gateway_configs", "Gateways by what became of their desired configuration.", "state"
        )
        self.proof_age = gauge("lianfang_proof_age_seconds", "Age of the oldest last proof of a gateway.", "area")
        self.proofs_overdue = gauge("lianfang_proofs_overdue", "Gateways whose last proof is too long ago.", "area")
        self.alarms = AlarmMetrics(self.registry)
        self.points = counter("lianfang_telemetry_points", "Telemetry readings committed.")
        self.store_seconds = seconds("lianfang_telemetry_commit_seconds", "Time one telemetry transaction took.")
        self.store_failures = counter("lianfang_telemetry_failures", "Telemetry transactions that failed.")
        self.lines_refused = counter(
            "lianfang_telemetry_lines_refused", "Points that their store refuses for good; given up."
        )
        self.pruned = counter("lianfang_telemetry_pruned", "Readings, and windows of them, pruned by age or size.")
        self.missing = gauge("lianfang_records_missing", "Records in holes that nobody explained yet.", "lane")
        self.lost = counter("lianfang_records_lost", "Records declared lost, by gateways or by the hub.", "lane")
        self.refilled = counter("lianfang_records_refilled", "Missing records that came after all.", "lane")
        self.forgotten = counter(
            "lianfang_records_forgotten", "Records missing of processes longer ago than the hub remembers.", "lane"
        )
        self._missing: dict[Lane, Tally] = {}
        self.trouble_since = gauge("lianfang_trouble_since_seconds", "Since when a part takes nothing, or 0.", "part")
        self.disk_free_bytes = gauge("lianfang_disk_free_bytes", "Room left where the data is.")
        self.disk_reserve_bytes = gauge("lianfang_disk_reserve_bytes", "Room that telemetry leaves to the journal.")
        self.reloads = counter("lianfang_registry_reloads", "Registries read again, by what came of it.", "outcome")
        self.reload_held = gauge(
            "lianfang_registry_reload_held_seconds", "Longest time the hub was held up while it last read a registry."
        )
        self.stream_clients = gauge("lianfang_stream_clients", "Clients of the live stream.")
        self.stream_dropped = counter("lianfang_stream_dropped", "Clients of the live stream dropped as too slow.")

    def reached(self, found: Reached) -> None:
        """An incident came to a milestone; drills are measured by their own incidents."""
        if not found.drill:
            self.first_neighbour.labels(found.milestone.value).observe(found.after_ms / 1000)

    def tell_missing(self, lane: Lane, now: Tally) -> None:
        """What is missing in a lane. The counters go on from where they were before a restart."""
        before, self._missing[lane] = self._missing.get(lane, Tally()), now
        self.missing.labels(lane.value).set(now.open)
        self.lost.labels(lane.value).inc(now.lost - before.lost)
        self.refilled.labels(lane.value).inc(now.refilled - before.refilled)
        self.forgotten.labels(lane.value).inc(now.forgotten - before.forgotten)

    def tell_proofs(self, area: str, proofs: Iterable[ProofView]) -> None:
        """How old the proofs of an area's gateways are."""
        known = [one for one in proofs if one.age_ms is not None]
        self.proof_age.labels(area).set(max((one.age_ms or 0 for one in known), default=0) / 1000)
        self.proofs_overdue.labels(area).set(sum(one.overdue for one in known))

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
