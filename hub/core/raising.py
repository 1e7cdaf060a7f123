"""A mark handed to the rule that reads it, and what the rule decided carried out."""

from __future__ import annotations

from hub.core import grouping, opening, withdrawing
from hub.core.context import Context
from hub.core.rules import reader
from hub.core.rules.base import Ignored, Mark, Rule, Scope, Took, Verdict, WithdrawRule
from protocol.kinds import Kind


def raised(ctx: Context, mark: Mark, drill: bool) -> Verdict:
    """Hand a mark to the rule that reads it."""
    rule = reader(mark.what)
    if rule is None:
        return Ignored(f"{mark.what} raises nothing")
    if isinstance(rule, WithdrawRule):
        return withdrawing.cancelling(ctx, rule, mark, drill)
    scope = scope_of(ctx, rule, mark, drill)
    if not (drill or mark.still):
        ctx.happened.append((rule.name, mark))
    decisions = rule.judge(mark, opening.standings(ctx, scope), ctx.defaults)
    again = mark if rule.pages_again and not mark.still else None
    touched = opening.carry_out(ctx, rule.name, scope, decisions, drill, again)
    touched += grouping.regroup(ctx, rule.name, mark, drill)
    for incident in touched:
        if ctx.incident(incident).rule == rule.name:
            withdrawing.withdrawn_before(ctx, incident, mark)
    mine = [i for i in touched if any(m.ident == mark.ident for m in ctx.dossier(i).marks)]
    rest = [i for i in touched if i not in mine]
    told = tuple(dict.fromkeys([*mine, *rest]))
    return Took(told, ctx.incident(told[0]).why) if told else Ignored("thinned out among many of its kind")


def scope_of(ctx: Context, rule: Rule, mark: Mark, drill: bool) -> str:
    """The open incidents this rule looks at for this mark. A drill never meets the real."""
    place = f"premises:{mark.premises}" if mark.premises is not None else f"gateway:{mark.gateway}"
    if rule.scope is Scope.GATEWAY:
        place = f"gateway:{mark.gateway}"
    elif rule.scope is Scope.GROUP:
        home = ctx.registry.home(ctx.area, mark.premises)
        place = f"group:{home}" if home is not None else place
    elif rule.scope is not Scope.PREMISES and mark.zone is not None:
        place = f"zone:{mark.zone}"
    if rule.scope is Scope.CAUSE:
        place = f"{_cause(mark)}|{place}"
    return f"{'drill|' if drill else ''}{rule.name}|{place}"


def _cause(mark: Mark) -> str:
    """What tells causes of one kind at one place apart: the fault's name, or the device that is gone."""
    if mark.what == Kind.GATEWAY_FAULT:
        return f"{mark.what}:{mark.detail}"
    return f"{mark.what}:{mark.device}" if mark.what == Kind.DEVICE_LOST else mark.what
