"""What lives in a zone until it ends. Late data never clears a live condition: event times decide, and within a
process the order in which it made its records; never arrival."""

from __future__ import annotations

from msgspec.structs import replace

from hub.core.context import Context
from hub.core.lives import Live, Told, after
from hub.core.rules.base import Mark
from hub.core.timing import PlacedBy


def concerns(ctx: Context, incident: str, end: Mark) -> bool:
    """Whether this end is the end of something the incident holds."""
    return any((m.what, m.zone, m.premises) == (end.what, end.zone, end.premises) for m in ctx.dossier(incident).marks)


def where(mark: Mark) -> str:
    """The place a mark speaks of: its zone, or of what has none the premises at its gateway."""
    return mark.zone or f"{mark.premises or ''}@{mark.gateway}"


def is_live(ctx: Context, mark: Mark) -> bool:
    """Whether what the mark began has not ended."""
    lives = ctx.tables.zones.get((ctx.area, where(mark))) or {}
    return mark.what in lives and lives[mark.what].live


def remember(ctx: Context, mark: Mark, began: bool) -> bool:
    """Keep the newest beginning and end of this kind; says whether it is over now."""
    key = (ctx.area, where(mark))
    lives = ctx.tables.zones.get(key) or {}
    limits = (mark.not_before_ms, mark.not_after_ms) if mark.how == PlacedBy.ORDER else (None, None)
    was, told = lives.get(mark.what, Live()), Told(mark.event_ms, mark.ident, mark.boot, *limits)
    if began:
        now = replace(was, began=told) if was.began is None or after(told, was.began) else was
    else:
        now = replace(was, ended=told) if was.ended is None or after(told, was.ended) else was
    ctx.tables.zones.put(key, {**lives, mark.what: now})
    return not now.live
