"""Incidents under one parent: of a group, of a gateway, of neighbouring groups. Which parents there are, whose
children, and who escalates alone again."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TypeAlias

from hub.core import escalation, opening
from hub.core.context import Context
from hub.core.incident import UNRESOLVED
from hub.core.rules import named, parents_of
from hub.core.rules.base import Blind, Decision, Mark, Opens, OutageRule, ParentRule, Rule, Scope, Standing
from hub.core.rules.losses import apart_ms, hull
from hub.core.rules.windows import several

LINKS = frozenset({"gateway_lost", "silence"})
"""Rules whose incidents are losses of link, as children of a parent."""
Parent: TypeAlias = ParentRule | OutageRule


def regroup(ctx: Context, rule: str, mark: Mark, drill: bool) -> list[str]:
    """After incidents of `rule` changed by `mark`: their parents as they are to be. The incidents touched."""
    touched: list[str] = []
    for parent_rule in parents_of(rule):
        if parent_rule.reads and mark.what not in parent_rule.reads:
            continue
        if isinstance(parent_rule, OutageRule):
            touched += outages(ctx, parent_rule, mark, drill)
            continue
        for place in _places(ctx, parent_rule, mark, touched):
            scope = f"{_drilled(drill)}{parent_rule.name}|{place}"
            owners = _owners(ctx, parent_rule, place, drill)
            standing = opening.standings(ctx, scope)
            decisions = parent_rule.judge(sorted(owners), standing, ctx.defaults)
            decisions = [one for one in decisions if _is_news(one, mark, standing)]
            moved = opening.carry_out(ctx, parent_rule.name, scope, decisions, drill)
            touched += moved
            if moved or standing:
                _link(ctx, parent_rule, scope, owners)
    return touched


def _is_news(decision: Decision, mark: Mark, standing: Sequence[Standing]) -> bool:
    """A parent is opened by what happened now, or out of others; not of what was told and resolved before."""
    if not isinstance(decision, Opens):
        return True
    news = {mark.ident, *(one.ident for parent in standing for one in parent.marks)}
    return any(one.ident in news for one in decision.marks)


def _places(ctx: Context, rule: ParentRule, mark: Mark, touched: list[str]) -> list[str]:
    if rule.scope is Scope.GATEWAY:
        others = (name for incident in touched for name in ctx.incident(incident).gateways)
        return [f"gateway:{name}" for name in several([mark.gateway, *others])]
    if rule.scope is Scope.WIRED:
        return [f"group:{group}" for group in ctx.wiring.groups_at(ctx.area, mark.gateway)]
    home = ctx.registry.home(ctx.area, mark.premises)
    return [f"group:{home}"] if home is not None else []


def _owners(ctx: Context, rule: Parent, place: str, drill: bool) -> dict[Mark, str]:
    """Every mark of the open incidents at a place that the rule follows, with its incident."""
    listing = f"at {place}"
    if not isinstance(rule, ParentRule) or rule.scope is not Scope.GATEWAY:
        word = "in" if isinstance(rule, ParentRule) and rule.scope is Scope.GROUP else "via"
        listing = f"{word} {place.removeprefix('group:')}"
    owners: dict[Mark, str] = {}
    for incident in ctx.tables.open.get((ctx.area, listing)) or ():
        shown = ctx.incident(incident)
        followed = shown.rule in rule.follows and isinstance(named(shown.rule), Rule)
        if followed and shown.drill == drill and not opening.absorbed(ctx, shown):
            read = (m for m in ctx.dossier(incident).marks if not rule.reads or m.what in rule.reads)
            owners |= dict.fromkeys(read, incident)
    return owners


def _link(ctx: Context, rule: ParentRule, scope: str, owners: dict[Mark, str]) -> None:
    """Each child has one parent, the earliest that holds one of its marks; left alone it escalates again."""
    claimed: dict[str, str] = {}
    left: list[str] = []
    for parent in sorted(opening.standings(ctx, scope), key=lambda s: s.marks[0]):
        shown = ctx.incident(parent.id)
        mine = several(_top(ctx, rule, owners[mark]) for mark in parent.marks if mark in owners)
        mine = [child for child in mine if child not in claimed and may_take(ctx, rule, child, parent.id)]
        kept = [child for child in shown.children if child in mine or _stays(ctx, rule, child, parent, claimed)]
        left += [child for child in shown.children if child not in kept]
        children = several([*kept, *mine])
        if children != shown.children:
            ctx.alter(parent.id, children=children)
        claimed |= dict.fromkeys(mine, parent.id)
    for child in left:
        parent_id = ctx.incident(child).parent
        if child not in claimed and parent_id is not None and ctx.incident(parent_id).rule == rule.name:
            alone(ctx, child, "a record that happened earlier arrived late")
    for child, parent_id in claimed.items():
        claim(ctx, rule, child, parent_id)


def outages(ctx: Context, rule: OutageRule, mark: Mark, drill: bool) -> list[str]:
    """The outage around the groups that a loss touches, their neighbours, and the neighbours of these."""
    touching = ctx.wiring.groups_at(ctx.area, mark.gateway)
    names = list(touching)
    for _ in range(2):
        names = several([*names, *(near for name in names for near in _adjacent(ctx, name))])
    owners = {name: _owners(ctx, rule, f"group:{name}", drill) for name in names}
    window_ms = ctx.defaults.windows.path_loss_ms
    lost = [m for marks in owners.values() for m in marks if apart_ms(m, mark) <= window_ms]
    if not lost:  # the gateway serves no group
        return []
    about = hull(lost)
    near = {name: tuple(sorted(m for m in owners[name] if apart_ms(m, about) <= window_ms)) for name in names}
    if sum(bool(marks) for marks in near.values()) < 2:
        return []
    groups = [
        Blind(name, _adjacent(ctx, name), len(ctx.wiring.gateways_of(ctx.area, name)), near[name]) for name in names
    ]
    scope = f"{_drilled(drill)}{rule.name}|area"
    decisions = rule.judge(groups, opening.standings(ctx, scope), ctx.defaults)
    touched = opening.carry_out(ctx, rule.name, scope, decisions, drill)
    holders = {m.gateway: s for s in reversed(opening.standings(ctx, scope)) for m in s.marks}
    for name in names if holders else ():
        near_by = [(_top(ctx, rule, owners[name][loss]), loss) for loss in near[name]]
        near_by += [(cut, loss) for cut, loss in _cuts(ctx, rule, name, drill) if apart_ms(loss, about) <= window_ms]
        for child, loss in near_by:
            parent = holders.get(loss.gateway)
            if parent is not None and may_take(ctx, rule, child, parent.id):
                children = ctx.incident(parent.id).children
                if child not in children:
                    ctx.alter(parent.id, children=[*children, child])
                claim(ctx, rule, child, parent.id)
    return touched


def _cuts(ctx: Context, rule: OutageRule, group: str, drill: bool) -> list[tuple[str, Mark]]:
    """What a group has of what this rule takes as a whole, with its losses: a loss that several groups share is a
    child of one of theirs, and the others must not be left to stand alone."""
    scopes = (f"{_drilled(drill)}{over}|group:{group}" for over in sorted(rule.over))
    return [(one.id, loss) for scope in scopes for one in opening.standings(ctx, scope) for loss in one.marks]


def _adjacent(ctx: Context, group: str) -> tuple[str, ...]:
    known = ctx.registry.groups.get((ctx.area, group))
    return known.adjacent if known is not None else ()


def heard_again(ctx: Context, parent: str) -> None:
    """A child's gateway is heard again; when all of them are, so is said of the parent, and of its own."""
    shown = ctx.tables.incidents.get((ctx.area, parent))
    if shown is None or shown.state not in UNRESOLVED:
        return
    children = [one for name in shown.children if (one := ctx.tables.incidents.get((ctx.area, name))) is not None]
    links = [one for one in children if one.rule in LINKS and one.state in UNRESOLVED]
    if all("link_restored" in one.conditions for one in links):
        ctx.flag(parent, "link_restored")
        ctx.note(parent, "all that was lost is heard again")
        if shown.parent is not None:
            heard_again(ctx, shown.parent)


def alone(ctx: Context, child: str, why: str) -> None:
    """It has no parent any more, and escalates by itself."""
    ctx.alter(child, parent=None)
    ctx.note(child, "alone again", why=why)
    escalation.start(ctx, child)


def _top(ctx: Context, rule: Parent, child: str) -> str:
    """The child itself, or the one it is part of where the rule takes that in its place."""
    parent = _open_parent(ctx, child)
    return parent if parent is not None and ctx.incident(parent).rule in rule.over else child


def may_take(ctx: Context, rule: Parent, child: str, by: str) -> bool:
    """A parent of the same rule at another place keeps what it has: gateways have houses of several groups."""
    parent = _open_parent(ctx, child)
    if parent is None or parent == by:
        return True
    if ctx.incident(parent).rule == rule.name:
        return ctx.dossier(parent).scope == ctx.dossier(by).scope
    return ctx.incident(parent).rule in rule.takes_from


def _open_parent(ctx: Context, child: str) -> str | None:
    name = ctx.incident(child).parent
    parent = ctx.tables.incidents.get((ctx.area, name)) if name is not None else None
    return parent.id if parent is not None and parent.state in UNRESOLVED else None


def claim(ctx: Context, rule: Parent, child: str, parent_id: str) -> None:
    before = ctx.incident(child).parent
    if before == parent_id:
        return
    old = ctx.tables.incidents.get((ctx.area, before)) if before is not None else None
    if old is not None and child in old.children:
        ctx.alter(old.id, children=[other for other in old.children if other != child])
    ctx.alter(child, parent=parent_id)
    ctx.note(child, f"part of {parent_id}", why=rule.name)
    if escalation.covered(ctx, ctx.incident(child)):
        escalation.stop(ctx, child)
        if rule.hushes:
            ctx.hush(child, f"not told alone: {parent_id} is")


def _stays(ctx: Context, rule: ParentRule, child: str, parent: Standing, claimed: Container[str]) -> bool:
    """Whether a child that no open record leads to stays one: it is over, or it shares a record with its parent still
    (of a pair of intrusions the one that was found here may be over by itself)."""
    shown = ctx.tables.incidents.get((ctx.area, child))
    if shown is None or shown.state not in UNRESOLVED or shown.rule not in {*rule.follows, *rule.over}:
        return True
    held = {mark.ident for mark in parent.marks}
    return child not in claimed and any(mark.ident in held for mark in ctx.dossier(child).marks)


def _drilled(drill: bool) -> str:
    return "drill|" if drill else ""
