"""What /metrics has, as points: names without their prefix, labels after them, areas summed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from hub.measures.point import NS_PER_MS, Point, Value, tags_of

PREFIX = "lianfang_"
NAME_MAX = 63
QUANTILE = 0.99
_STRANGE = re.compile(r"[^A-Za-z0-9_]+")


class Counters:
    """The hub's registry, looked at again and again: of durations the last time is remembered."""

    def __init__(self, registry: CollectorRegistry, hub: str) -> None:
        self._registry, self._hub = registry, hub
        self._before: dict[str, dict[float, float]] = {}

    def points(self, now_ms: int, **more: Value | None) -> Iterator[Point]:
        """Measurement `hub` with `more` fields, and one `channel` of each channel."""
        found: dict[str | None, dict[str, Value]] = {None: {}}
        for family in self._registry.collect():
            self._family(family, found)
        at_ns = now_ms * NS_PER_MS
        given = {name: value for name, value in more.items() if value is not None}
        yield Point("hub", tags_of(hub=self._hub), found.pop(None) | given, at_ns)
        for channel, fields in found.items():
            if fields:
                yield Point("channel", tags_of(hub=self._hub, channel=channel or "nobody"), fields, at_ns)

    def _family(self, family: Metric, found: dict[str | None, dict[str, Value]]) -> None:
        buckets: dict[tuple[str | None, str], dict[float, float]] = {}
        for sample in family.samples:
            if sample.name.endswith("_created") or not math.isfinite(sample.value):
                continue
            labels = dict(sample.labels)
            channel = labels.pop("channel", None)
            limit = labels.pop("le", None)
            labels.pop("area", None)
            name = _named(sample.name.removesuffix("_total"), labels.values())
            if limit is not None:
                series = buckets.setdefault((channel, name.removesuffix("_bucket")), {})
                series[float(limit)] = series.get(float(limit), 0.0) + sample.value
                continue
            fields = found.setdefault(channel, {})
            fields[name] = float(fields.get(name, 0.0)) + sample.value
        for (channel, name), series in buckets.items():
            if (worst_s := self._quantile(f"{channel}/{name}", series)) is not None:
                found.setdefault(channel, {})[f"{name.removesuffix('_seconds')}_p99_ms"] = worst_s * 1000

    def _quantile(self, key: str, series: dict[float, float]) -> float | None:
        """The limit below which 99 of 100 of those since the last look were; None where there were none."""
        before, self._before[key] = self._before.get(key, {}), series
        new = {limit: count - before.get(limit, 0.0) for limit, count in sorted(series.items())}
        total = max(new.values(), default=0.0)
        if total <= 0:
            return None
        finite = [limit for limit in new if math.isfinite(limit)]
        return next((limit for limit in finite if new[limit] >= QUANTILE * total), finite[-1])


def _named(name: str, labels: Iterable[str]) -> str:
    return _STRANGE.sub("_", "_".join([name.removeprefix(PREFIX), *labels])).strip("_")[:NAME_MAX]
