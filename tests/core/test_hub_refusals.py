"""Refusals: counted always, said once per gateway, reason and minute."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from hub.metrics import Metrics
from hub.refusals import FAULTS_MAX, REMEMBERED_MAX, HubReason, Refusals
from protocol.codec import Reason
from protocol.faults import Fault

MINUTE_MS = 60_000


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def counted(metrics: Metrics, reason: Reason | HubReason) -> float | None:
    return metrics.registry.get_sample_value("lianfang_refused_total", {"reason": reason.value})


def test_every_reason_is_there_from_the_start(metrics: Metrics) -> None:
    """A reason that never came reads 0, not nothing."""
    Refusals(metrics)
    assert {0.0} == {counted(metrics, reason) for reason in (*Reason, *HubReason)}


def test_a_flood_is_counted_and_said_once_a_minute(metrics: Metrics) -> None:
    """A thousand of one kind in a minute are one line; the next minute has one more."""
    refusals = Refusals(metrics)
    with capture_logs() as lines:
        for at in range(1_000):
            refusals.count("town/gw-1", Reason.UNPARSABLE, f"text {at}", at)
        refusals.count("town/gw-1", Reason.UNPARSABLE, "later", MINUTE_MS)
    assert 1_001.0 == counted(metrics, Reason.UNPARSABLE)
    assert ["text 0", "later"] == [line["why"] for line in lines]


def test_another_gateway_or_reason_is_said_at_once(metrics: Metrics) -> None:
    """One noisy gateway hides neither another gateway nor another reason of its own."""
    refusals = Refusals(metrics)
    said: Sequence[tuple[str, Reason]] = [
        ("town/gw-1", Reason.UNPARSABLE),
        ("town/gw-2", Reason.UNPARSABLE),
        ("town/gw-1", Reason.OVERSIZED),
    ]
    with capture_logs() as lines:
        for gateway, reason in [*said, *said]:
            refusals.count(gateway, reason, "", 1)
    assert [(gateway, reason.value) for gateway, reason in said] == [
        (line["gateway"], line["reason"]) for line in lines
    ]


def test_made_up_gateways_fill_neither_log_nor_memory(metrics: Metrics) -> None:
    """Of endless names a bounded number is said, and all are counted."""
    refusals = Refusals(metrics)
    with capture_logs() as lines:
        for at in range(3 * REMEMBERED_MAX):
            refusals.count(f"town/gw-{at}", Reason.UNKNOWN_GATEWAY, "", 1)
    assert REMEMBERED_MAX == len(lines)
    assert 3.0 * REMEMBERED_MAX == counted(metrics, Reason.UNKNOWN_GATEWAY)


def test_a_gateway_that_refuses_its_configuration_is_quoted_in_bounds(metrics: Metrics) -> None:
    """Its first faults are said with their number, once a minute, however many it sends."""
    refusals = Refusals(metrics)
    faults = [Fault("site.toml", f"zone[{at}].kind", "'x'", "y" * 5_000) for at in range(500)]
    with capture_logs() as lines:
        for _ in range(5):
            refusals.note("town/gw-1", faults, 1)
    ((count, first),) = [(line["faults"], line["first"]) for line in lines]
    assert (500, FAULTS_MAX) == (count, len(first))
    assert first[0].startswith("site.toml: zone[0].kind: found 'x'")
    assert max(map(len, first)) < 500
