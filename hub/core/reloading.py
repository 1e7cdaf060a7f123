"""The registry changes while incidents are open. They keep their calls and their people; who moves in, moves or goes
counts for what comes from now on."""

from __future__ import annotations

from hub.core.context import Context
from hub.core.reloaded import InForce, Reloaded
from hub.core.rules.base import Ignored, Took, Verdict


def reloaded(ctx: Context, item: Reloaded) -> Verdict:
    """Take over what the area is judged by; the context has that registry already."""
    if not ctx.replayed and item.after != ctx.registry.digest:
        return Ignored(f"registry {item.after[:16]} is not the one in force", effective=False)
    now = InForce(item.after, ctx.at_ms, item.cause, item.by, item.why, item.changes, item.state)
    ctx.tables.registries.put((ctx.area,), now)
    for gateway in item.gone:
        ctx.tables.links.put((ctx.area, gateway), None)
        ctx.tables.twins.put((ctx.area, gateway), None)
    return Took((), f"registry {item.after[:16]} in place of {item.before[:16]}")
