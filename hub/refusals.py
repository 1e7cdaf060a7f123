"""Refused messages: every one counted by reason, and logged at most once per gateway, reason and minute."""

from __future__ import annotations

from enum import StrEnum

import structlog

from hub.metrics import Metrics
from protocol.codec import Reason

REMEMBERED_MAX = 1_000
"""Pairs of gateway and reason logged this minute; beyond them refusals are only counted until the minute is over."""


class HubReason(StrEnum):
    """Why the hub refused what the codec could read."""

    PRIVATE_POINT = "private_point"
    OLDER_SESSION = "older_session"


class Refusals:
    """What the hub would not take."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._minute = 0
        self._logged: set[tuple[str, str]] = set()
        self._log = structlog.get_logger("hub.ingest")
        for reason in (*Reason, *HubReason):
            metrics.refused.labels(reason.value)

    def count(self, gateway: str, reason: Reason | HubReason, text: str, mono_ms: int) -> None:
        """Count one refusal, and say it unless the same was said this minute."""
        self._metrics.refused.labels(reason.value).inc()
        if mono_ms // 60_000 != self._minute:
            self._minute = mono_ms // 60_000
            self._logged.clear()
        if (gateway, reason) in self._logged or len(self._logged) >= REMEMBERED_MAX:
            return
        self._logged.add((gateway, reason))
        self._log.warning("refused", gateway=gateway, reason=reason.value, why=text)

    def note(self, gateway: str, text: str) -> None:
        """Say what a gateway would not take from us."""
        self._log.warning("gateway refused", gateway=gateway, why=text)
