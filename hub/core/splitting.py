"""Split: an operator takes a record out of an incident into one of its own, for it is another matter."""

from __future__ import annotations

from hub.core import deriving, grouping, opening
from hub.core.acts import Move, Moved
from hub.core.context import Context
from hub.core.incident import Incident, State
from hub.core.rules import named
from hub.core.rules.base import Joins, Mark, Opens, Raises, Rule, Standing

SHOWN = 8
"""Records named in a refusal."""


def refusal(ctx: Context, incident: Incident, item: Moved) -> str | None:
    """Why a split may not be; None when it may, or when it is another move."""
    if item.move is not Move.SPLIT:
        return None
    if not isinstance(named(incident.rule), Rule):
        children = ", ".join(incident.children[:SHOWN]) or "none"
        return f"its records are those of its children; split one of them: {children}"
    marks = ctx.dossier(incident.id).marks
    if all(mark.ident != item.record for mark in marks):
        records = ", ".join(mark.ident for mark in marks[-SHOWN:])
        return f"split needs `record`: found {item.record!r}; allowed: one of {records}"
    if len(marks) < 2:
        return "split would leave nothing: it is its only record"
    return None


def split(ctx: Context, incident: Incident, item: Moved) -> None:
    """The record becomes an incident of its own, accepted by who split it; nobody is called or paged anew for it."""
    dossier, rule = ctx.dossier(incident.id), named(incident.rule)
    assert isinstance(rule, Rule)
    mark = next(mark for mark in dossier.marks if mark.ident == item.record)
    rest = tuple(other for other in dossier.marks if other != mark)
    _keep(ctx, rule, incident, rest)
    (opens,) = (d for d in rule.judge(mark, [], ctx.defaults) if isinstance(d, Opens))
    made = opening.opened(ctx, rule.name, dossier.scope, opens, dossier.drill)
    ctx.hush(made, f"split off {incident.id}, which is in hand")
    calling = f"nobody called for it alone: it was split off {incident.id}"
    ctx.alter(made, state=State.ACCEPTED, accepted_by=item.by, accepted_ms=ctx.at_ms, calling=calling)
    ctx.note(made, f"split off {incident.id}", by=item.by)
    ctx.note(incident.id, f"{made} is split off", by=item.by, record=mark.ident)
    grouping.regroup(ctx, rule.name, mark, dossier.drill)


def _keep(ctx: Context, rule: Rule, incident: Incident, rest: tuple[Mark, ...]) -> None:
    """The incident without the record. It stays as urgent as it was; why it stands is told by what is left."""
    *others, last = rest
    opened_by = ctx.dossier(incident.id).opened_by
    before = Standing(incident.id, True, incident.raised_ms, opened_by, tuple(others), incident.priority)
    first, *_ = rule.judge(last, [before] if others else [], ctx.defaults)
    why = first.grade.why if isinstance(first, Joins | Raises | Opens) else incident.why
    ctx.alter(incident.id, why=why, **deriving.derived(ctx, rest))
    ctx.file(incident.id, marks=rest)
