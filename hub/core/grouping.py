"""Incidents of a group under one parent: which there are, whose children, and who escalates alone again."""

from __future__ import annotations

from hub.core import escalation, opening
from hub.core.context import Context
from hub.core.incident import UNRESOLVED
from hub.core.rules import parents_of
from hub.core.rules.base import Mark, ParentRule


def regroup(ctx: Context, rule: str, group: str, drill: bool) -> list[str]:
    """After incidents of `rule` in the group changed: its parents as they are to be. The incidents touched."""
    touched: list[str] = []
    for parent_rule in parents_of(rule):
        scope = f"{'drill|' if drill else ''}{parent_rule.name}|group:{group}"
        owners = _owners(ctx, rule, group, drill)
        standing = opening.standings(ctx, scope)
        decisions = parent_rule.judge(sorted(owners), standing, ctx.defaults)
        touched += opening.carry_out(ctx, parent_rule.name, scope, decisions, drill)
        if touched or standing:
            _link(ctx, parent_rule, scope, owners)
    return touched


def _owners(ctx: Context, rule: str, group: str, drill: bool) -> dict[Mark, str]:
    owners: dict[Mark, str] = {}
    for incident in ctx.tables.open.get((ctx.area, f"in {group}")) or ():
        shown = ctx.incident(incident)
        if shown.rule == rule and shown.drill == drill and not opening.absorbed(ctx, shown):
            owners |= dict.fromkeys(ctx.dossier(incident).marks, incident)
    return owners


def _link(ctx: Context, rule: ParentRule, scope: str, owners: dict[Mark, str]) -> None:
    """Each child has one parent, the earliest that holds one of its marks; left alone it escalates again."""
    claimed: dict[str, str] = {}
    left: list[str] = []
    for parent in sorted(opening.standings(ctx, scope), key=lambda s: s.marks[0]):
        shown = ctx.incident(parent.id)
        mine = list(dict.fromkeys(owners[mark] for mark in parent.marks if mark in owners))
        kept = [child for child in shown.children if child in mine or not _free(ctx, child, rule.follows)]
        left += [child for child in shown.children if child not in kept]
        children = list(dict.fromkeys([*kept, *mine]))
        if children != shown.children:
            ctx.alter(parent.id, children=children)
        for child in mine:
            claimed.setdefault(child, parent.id)
    for child in left:
        if child not in claimed:
            ctx.alter(child, parent=None)
            ctx.note(child, "alone again", why="a record that happened earlier arrived late")
            escalation.start(ctx, child)
    for child, parent_id in claimed.items():
        if ctx.incident(child).parent != parent_id:
            ctx.alter(child, parent=parent_id)
            escalation.stop(ctx, child)
            ctx.note(child, f"part of {parent_id}", why=rule.name)


def _free(ctx: Context, child: str, rule: str) -> bool:
    shown = ctx.tables.incidents.get((ctx.area, child))
    return shown is not None and shown.rule == rule and shown.state in UNRESOLVED
