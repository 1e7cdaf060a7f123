"""Where an unresolved incident is found: by its scopes, and by the causes that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hub.core import withholding
from hub.core.context import Context
from hub.core.rules import named, parents_of
from hub.core.rules.base import Mark, ParentRule, Rule, Scope
from hub.core.rules.windows import several


def scopes(ctx: Context, incident: str) -> list[str]:
    """Where an unresolved incident is found: its rule's scope, its groups, and where its parents look for it."""
    shown = ctx.incident(incident)
    groups = several([shown.group, *(ctx.registry.home(ctx.area, p) for p in shown.premises)])
    return [ctx.dossier(incident).scope, *listings(ctx, shown.rule, groups, shown.gateways)]


def listings(ctx: Context, rule: str, groups: Iterable[str], gateways: Sequence[str]) -> list[str]:
    """Where those that may be its parents look for an unresolved incident of a rule."""
    looks = {one.scope for one in parents_of(rule) if isinstance(one, ParentRule)}
    found = [f"at gateway:{name}" for name in gateways] if Scope.GATEWAY in looks else []
    if Scope.WIRED in looks:
        found += [f"via {group}" for name in gateways for group in ctx.wiring.groups_at(ctx.area, name)]
    return [*(f"in {group}" for group in groups), *found]


def index(ctx: Context, incident: str) -> None:
    """List it among the open ones of its scopes."""
    listed = several([*ctx.dossier(incident).listed, *scopes(ctx, incident)])
    for scope in listed:
        known = ctx.tables.open.get((ctx.area, scope)) or ()
        if incident not in known:
            ctx.tables.open.put((ctx.area, scope), tuple(sorted((*known, incident))))
    ctx.file(incident, listed=tuple(listed))
    remember_causes(ctx, incident)


def unlist(ctx: Context, incident: str) -> None:
    """Take it off the open ones: it is resolved, and takes no more joins."""
    for scope in ctx.dossier(incident).listed or scopes(ctx, incident):
        others = tuple(o for o in ctx.tables.open.get((ctx.area, scope)) or () if o != incident)
        ctx.tables.open.put((ctx.area, scope), others or None)
    withholding.cause_over(ctx, incident)


def forget_causes(ctx: Context, incident: str, marks: Iterable[Mark]) -> None:
    """Its marks' causes lead to it no more (those that lead to another incident stay)."""
    for mark in marks:
        if mark.key is not None and ctx.tables.causes.get((ctx.area, mark.gateway, mark.key)) == incident:
            ctx.tables.causes.put((ctx.area, mark.gateway, mark.key), None)


def remember_causes(ctx: Context, incident: str) -> None:
    """Its marks' causes lead to it: what comes of one of them again is this incident's matter."""
    if not isinstance(named(ctx.incident(incident).rule), Rule):
        return
    for mark in ctx.dossier(incident).marks:
        if mark.key is not None and ctx.tables.causes.get((ctx.area, mark.gateway, mark.key)) != incident:
            ctx.tables.causes.put((ctx.area, mark.gateway, mark.key), incident)
