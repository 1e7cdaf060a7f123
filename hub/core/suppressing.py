"""Suppressed by design: what follows from a cause that is told already is not told for itself while that is open.

Each has a name, which kinds it is about stands in the defaults, and only what is P3 or P4 is ever suppressed.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.core.context import Context
from hub.core.rules.base import Mark
from protocol.kinds import Kind


def cause(ctx: Context, mark: Mark) -> tuple[str, str] | None:
    """By what name, and for which incident, a record is suppressed; None when it is not."""
    kinds = ctx.defaults.suppression.by_name()
    for name, find in BY_DESIGN.items():
        if mark.what in kinds[name] and (incident := find(ctx, mark)) is not None:
            return name, incident
    return None


def _gateway_lost(ctx: Context, mark: Mark) -> str | None:
    """The loss of its gateway, of which nobody has said why it was, if it happened within that."""
    link = ctx.tables.links.get((ctx.area, mark.gateway))
    for incident in ctx.tables.open.get((ctx.area, f"gateway_lost|gateway:{mark.gateway}")) or ():
        over = link is not None and link.up and link.since_ms < mark.event_ms
        if ctx.incident(incident).event_ms <= mark.event_ms and not over:
            return incident
    return None


def _device_lost(ctx: Context, mark: Mark) -> str | None:
    """The board it is wired to, which does not answer."""
    scope = f"fault|{Kind.DEVICE_LOST}:{mark.device}|gateway:{mark.gateway}"
    known = ctx.tables.open.get((ctx.area, scope)) or () if mark.device else ()
    return next((one for one in known if "restored" not in ctx.incident(one).conditions), None)


BY_DESIGN: dict[str, Callable[[Context, Mark], str | None]] = {
    "gateway_lost": _gateway_lost,
    "device_lost": _device_lost,
}
"""Finds the cause of a record, by the name it is suppressed by."""
