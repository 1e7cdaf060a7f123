"""What an incident says of its records: its fields, how late it is, its lines of history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub.core.context import Context
from hub.core.rules.base import Mark
from hub.core.rules.windows import several
from hub.core.timing import PlacedBy, When, error_ms, late_words, placed_words

PLACE = ("event_ms", "error_ms", "not_before_ms", "not_after_ms", "placed")
"""Fields of an incident that say when its first record happened; an accepted incident keeps them."""


def derived(ctx: Context, marks: Sequence[Mark]) -> dict[str, Any]:
    """The fields of an incident that its records say."""
    premises = several(mark.premises for mark in marks)
    groups = several(ctx.registry.home(ctx.area, p) for p in premises)
    known = [mark.late_ms for mark in marks if mark.late_ms is not None]
    return {
        "group": groups[0] if groups else None,
        "premises": premises,
        "zones": several(mark.zone for mark in marks),
        "gateways": several(mark.gateway for mark in marks),
        "keys": several(mark.key for mark in marks),
        **_place(marks[0]),
        "late_ms": min(known) if known else None,
        "presses": presses(marks),
    }


def _place(first: Mark) -> dict[str, Any]:
    """When the first record happened, and how sure that is; a mark of the hub's own making says no more than when."""
    if first.not_after_ms is None:
        return dict.fromkeys(PLACE) | {"event_ms": first.event_ms, "placed": ""}
    how = PlacedBy(first.how)
    when = When(first.event_ms, first.late_ms, first.not_before_ms, first.not_after_ms, how)
    off_ms = None if how in (PlacedBy.ORDER, PlacedBy.HEARD) else error_ms(when)
    values = (first.event_ms, off_ms, first.not_before_ms, first.not_after_ms, placed_words(when))
    return dict(zip(PLACE, values, strict=True))


def presses(marks: Iterable[Mark]) -> int:
    """PlacedBy often something happened, by its records; "still present" is no new time."""
    return sum(mark.count for mark in marks if not mark.still)


def lateness(ctx: Context, fields: dict[str, Any]) -> str:
    """What is said of its lateness. What comes late because its gateway was cut off is no must-look as long as nobody
    has found out why that was."""
    words = late_words(fields["late_ms"], ctx.defaults.lateness)
    lost = [name for name in fields["gateways"] if ctx.tables.open.get((ctx.area, f"gateway_lost|gateway:{name}"))]
    if words.startswith("must look") and lost:
        return f"{words.removeprefix('must look: ')}: {' and '.join(lost)} was not heard, and nobody has said why"
    return words


def line(ctx: Context, incident: str, mark: Mark) -> None:
    """A record, as a line of the incident's history."""
    late = late_words(mark.late_ms, ctx.defaults.lateness)
    times = f"{mark.count} times" if mark.count > 1 else ""
    detail = "; ".join(word for word in (mark.detail, times, late, _place(mark)["placed"]) if word)
    what = f"still {mark.what}" if mark.still else mark.what
    ctx.note(
        incident, what, event_ms=mark.event_ms, zone=mark.zone, premises=mark.premises, why=detail, record=mark.ident
    )
