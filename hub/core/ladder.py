"""The neighbours' ladder beside the operators': nobody of the group says "going" in time, so the head household is
called again, by siren and by name; and still nobody: the adjacent groups are called. When all who were called have
said that they cannot come, the head among them, the adjacent groups are called at once.

It starts with the first call and ends with the first who comes or is sent, with silence, or with the end. An operator's
accept alone does not end it: what is missing is somebody at the door.
"""

from __future__ import annotations

from hub.core import calls, escalation
from hub.core.context import Context
from hub.core.effects import Rung
from hub.core.incident import NOBODY_CAN, UNRESOLVED
from hub.core.plan import divisor, level_of
from hub.core.rules.base import Ignored, Took, Verdict
from hub.core.rules.windows import several, span

TIMER = "going:"
HEAD, ADJACENT, DONE = 1, 2, 3
"""What the timer that runs will call, and that there is nobody left to call."""


def start(ctx: Context, incident: str) -> None:
    """The group is called: it has its limit to answer."""
    dossier = ctx.dossier(incident)
    if dossier.called and not dossier.ladder:
        _next(ctx, incident, HEAD)


def stop(ctx: Context, incident: str) -> None:
    """Nobody else needs to be called."""
    ctx.tables.timers.put((ctx.area, TIMER + incident), None)


def hurry(ctx: Context, incident: str) -> None:
    """All who were called have said that they cannot come, the head household among them: nothing is worth waiting for.
    Where nobody is left to call, it is the operators' next rung that must know."""
    timer = (ctx.area, TIMER + incident)
    if ctx.tables.timers.get(timer) is not None:
        ctx.tables.timers.put(timer, ctx.at_ms)
    elif ctx.dossier(incident).ladder == DONE:
        escalation.hurry(ctx, incident, _nobody(ctx, incident))


def come(ctx: Context, incident: str) -> Verdict:
    """Nobody has said "going" in time: the next are called."""
    stop(ctx, incident)
    shown, dossier = ctx.incident(incident), ctx.dossier(incident)
    if shown.state not in UNRESOLVED or not dossier.called:
        return Ignored("nobody needs to come any more")
    if shown.going_ms is not None or shown.responders or shown.assigned_to is not None:
        return Ignored("somebody comes, or was sent")
    why = _nobody(ctx, incident)
    if dossier.ladder == HEAD and NOBODY_CAN not in shown.conditions:
        _call_head(ctx, incident)
        _next(ctx, incident, ADJACENT)
    else:
        ctx.file(incident, ladder=DONE)
        calls.widen(ctx, incident, f"{why}: the adjacent groups are called")
        if NOBODY_CAN in ctx.incident(incident).conditions:  # there was nobody else to call
            escalation.hurry(ctx, incident, why)
    return Took((incident,), why)


def _next(ctx: Context, incident: str, step: int) -> None:
    limits = ctx.defaults.calls.going_ms
    if step <= len(limits):
        limit_ms = limits[step - 1] // divisor(ctx.defaults.levels, level_of(ctx.tables.levels.get((ctx.area,))))
        ctx.tables.timers.put((ctx.area, TIMER + incident), ctx.at_ms + limit_ms)
    ctx.file(incident, ladder=step if step <= len(limits) else DONE)


def _call_head(ctx: Context, incident: str) -> None:
    shown = ctx.incident(incident)
    groups = several(group for premises in shown.premises for group in ctx.registry.groups_of(ctx.area, premises))
    known = [found for name in groups if (found := ctx.registry.groups.get((ctx.area, name))) is not None]
    heads = [head for head in several(group.head for group in known) if head not in shown.premises]
    why = _nobody(ctx, incident)
    if not heads:
        ctx.note(incident, "no head household to call", why=why)
        return
    calls.ring(ctx, incident, heads, f"{why}: the head household is called again")
    ctx.page(incident, f"{why}: {' and '.join(heads)}, see to it that somebody goes", Rung.GROUP, premises=tuple(heads))


def _nobody(ctx: Context, incident: str) -> str:
    shown = ctx.incident(incident)
    if NOBODY_CAN in shown.conditions:
        return "none of the neighbours called can come"
    first_ms = min((call.at_ms for call in shown.calls.values()), default=ctx.at_ms)
    return f"nobody has said that they are going in {span(ctx.at_ms - first_ms)}"
