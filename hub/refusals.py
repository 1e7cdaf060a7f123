"""Refused messages: every one counted by reason, and logged at most once per gateway, reason and minute."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import structlog

from hub.metrics import Metrics
from protocol.codec import Reason
from protocol.faults import Fault

REMEMBERED_MAX = 1_000
"""Pairs of gateway and reason logged this minute; beyond them refusals are only counted until the minute is over."""

FAULTS_MAX = 10
FAULT_MAX = 400
"""Faults of a refused configuration that are logged, and characters of each."""


class HubReason(StrEnum):
    """Why the hub refused what the codec could read."""

    PRIVATE_POINT = "private_point"
    OLDER_SESSION = "older_session"
    SECOND_GATEWAY = "second_gateway"
    FOR_ANOTHER = "for_another"


class Refusals:
    """What the hub would not take."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._minute = 0
        self._logged: set[tuple[str, str]] = set()
        self._log = structlog.get_logger("hub.ingest")
        for reason in (*Reason, *HubReason):
            metrics.refused.labels(reason.value)

    def __len__(self) -> int:
        """How many are remembered as logged in this minute."""
        return len(self._logged)

    def count(self, gateway: str, reason: Reason | HubReason, text: str, mono_ms: int) -> None:
        """Count one refusal, and say it unless the same was said this minute."""
        self._metrics.refused.labels(reason.value).inc()
        if self._first(gateway, reason.value, mono_ms):
            self._log.warning("refused", gateway=gateway, reason=reason.value, why=text)

    def note(self, gateway: str, faults: Sequence[Fault], mono_ms: int) -> None:
        """Say what a gateway would not take from us: the first faults of it, once a minute."""
        if self._first(gateway, "their refusal", mono_ms):
            said = [str(fault)[:FAULT_MAX] for fault in faults[:FAULTS_MAX]]
            self._log.warning("gateway refused", gateway=gateway, faults=len(faults), first=said)

    def _first(self, gateway: str, reason: str, mono_ms: int) -> bool:
        """Whether this is the first of its kind this minute."""
        if mono_ms // 60_000 != self._minute:
            self._minute = mono_ms // 60_000
            self._logged.clear()
        if (gateway, reason) in self._logged or len(self._logged) >= REMEMBERED_MAX:
            return False
        self._logged.add((gateway, reason))
        return True
