"""What the hub counts of telling people: by channel, never by person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 7_200)


class NoticeMetrics:
    """Counters beside the hub's others; an empty channel: nobody was there to be told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notices = Counter(
            "lianfang_notices", "Notices by what came of them.", ["channel", "outcome"], registry=registry
        )
        self.tries = Counter(
            "lianfang_notice_tries", "Tries to hand a notice over.", ["channel", "outcome"], registry=registry
        )
        self.waiting = Gauge("lianfang_notices_waiting", "Notices that wait to leave.", ["channel"], registry=registry)
        self.seconds = Histogram(
            "lianfang_notice_seconds",
            "From a page to the far end's word that it has it.",
            ["channel"],
            registry=registry,
            buckets=SECONDS,
        )
