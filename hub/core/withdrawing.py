"""Cancels: what they withdraw, whichever of the two arrives first."""

from __future__ import annotations

from hub.core import calls
from hub.core.context import Context
from hub.core.incident import UNRESOLVED
from hub.core.rules import withdrawers_of
from hub.core.rules.base import Ignored, Mark, Took, Verdict, WithdrawRule

CANCELS_MAX = 8
"""Cancels remembered per premises; the oldest goes first."""


def cancelling(ctx: Context, rule: WithdrawRule, mark: Mark, drill: bool) -> Verdict:
    """Remember the cancel and withdraw what it may; a drill withdraws drills alone."""
    if mark.premises is None:
        return Ignored(f"{mark.what} of no premises withdraws nothing")
    key = (ctx.area, _drilled(mark.premises, drill))
    ctx.tables.cancels.put(key, tuple(sorted((*(ctx.tables.cancels.get(key) or ()), mark))[-CANCELS_MAX:]))
    scope = _drilled(f"{rule.withdraws}|premises:{mark.premises}", drill)
    taken = [i for i in ctx.tables.open.get((ctx.area, scope)) or () if _withdraw(ctx, rule, i, mark)]
    return Took(tuple(taken), f"{mark.what} withdraws it") if taken else Ignored(f"{mark.what}: nothing to withdraw")


def withdrawn_before(ctx: Context, incident: str, mark: Mark) -> None:
    """A cancel may arrive before what it cancels."""
    shown = ctx.incident(incident)
    if mark.premises is None:
        return
    for rule in withdrawers_of(shown.rule):
        for cancel in ctx.tables.cancels.get((ctx.area, _drilled(mark.premises, shown.drill))) or ():
            _withdraw(ctx, rule, incident, cancel)


def _drilled(name: str, drill: bool) -> str:
    return f"drill|{name}" if drill else name


def _withdraw(ctx: Context, rule: WithdrawRule, incident: str, cancel: Mark) -> bool:
    shown = ctx.incident(incident)
    why = rule.judge(cancel, shown.event_ms, shown.keys, ctx.defaults)
    if why is None or "cancelled" in shown.conditions or shown.state not in UNRESOLVED:
        return False
    ctx.flag(incident, "cancelled")
    ctx.note(incident, cancel.what, event_ms=cancel.event_ms, premises=cancel.premises, why=why)
    calls.stand_down(ctx, incident)
    ctx.page(incident, why)
    return True
