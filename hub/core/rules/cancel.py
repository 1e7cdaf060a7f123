"""A cancel or disarm inside the abort window withdraws an intrusion: sirens off, marked cancelled, and a person
still looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.defaults import Defaults
from hub.core.rules.base import Mark, WithdrawRule
from hub.core.rules.windows import span
from protocol.kinds import Kind


def judge(mark: Mark, event_ms: int, keys: Sequence[str], defaults: Defaults) -> str | None:
    """Why the incident is withdrawn; None where the cancel came too late, or before the intrusion began."""
    after_ms = mark.event_ms - event_ms
    if 0 <= after_ms <= defaults.windows.abort_ms:
        return f"cancelled {span(after_ms)} after the first trip, inside the abort window; still wants a look"
    if mark.what == Kind.CANCEL and mark.key is not None and mark.key in keys:
        return "cancelled by the gateway for this very cause; still wants a look"
    return None


RULE = WithdrawRule("cancel", 42, frozenset({Kind.CANCEL, Kind.DISARMED}), "intrusion", judge)
