"""What operators order of a premises, apart from any incident: on its way, sent again, answered, and remembered."""

from __future__ import annotations

from hub.core import orders
from hub.core.context import Context
from hub.core.effects import Send
from hub.core.heard import Replied
from hub.core.instruction import ALLOWED, INSTRUCTIONS_MAX, Instructed, Instruction
from hub.core.io import NotAllowed
from hub.core.rules.base import Ignored, Took, Verdict
from hub.core.state import Pending
from protocol.messages import Action, Outcome

LET_GO = "order:"


def instructed(ctx: Context, item: Instructed) -> Verdict:
    """Send the order. Raises NotAllowed; then nothing was changed."""
    gateway = ctx.registry.gateway_of(ctx.area, item.premises)
    if gateway is None and ctx.replayed:
        return Ignored(f"{item.premises} left the registry")
    if (reason := refusal(ctx, item)) is not None:
        raise NotAllowed(f"{item.action} at {item.premises}: {reason}")
    assert gateway is not None, "a premises of the registry has a gateway"
    order = Send(
        area=ctx.area,
        gateway=gateway,
        order=item.order,
        action=item.action,
        issued_ms=ctx.at_ms,
        expires_ms=ctx.at_ms + ctx.defaults.calls.expires_ms,
        premises=(item.premises,),
        duration_ms=item.duration_ms,
        mode=item.mode,
        zone=item.zone,
        force=item.force,
        drill=item.action is Action.TEST and not item.duration_ms,
    )
    made = Instruction(
        id=item.order,
        area=ctx.area,
        premises=item.premises,
        gateway=gateway,
        action=item.action,
        by=item.by,
        why=item.why,
        at_ms=ctx.at_ms,
        expires_ms=order.expires_ms,
        mode=item.mode,
        zone=item.zone,
        duration_ms=item.duration_ms,
        force=item.force,
    )
    ctx.tables.instructions.put((ctx.area, item.order), made)
    ctx.tables.timers.put((ctx.area, LET_GO + item.order), ctx.at_ms + ctx.defaults.keeping.forget_ms)
    known = ctx.tables.instructed.get((ctx.area, item.premises)) or ()
    ctx.tables.instructed.put((ctx.area, item.premises), (*known, item.order))
    for oldest in known[: max(0, len(known) + 1 - INSTRUCTIONS_MAX)]:
        _let_go(ctx, oldest)
    orders.wait(ctx, Pending(order, order.premises))
    ctx.effects.append(order)
    return Took((), f"{item.action} at {item.premises} by {item.by}")


def refusal(ctx: Context, item: Instructed) -> str | None:
    """Why it may not be ordered; None when it may."""
    if (ctx.area, item.premises) not in ctx.registry.premises:
        return f"no premises {item.premises} in {ctx.area}"
    if item.action not in ALLOWED:
        return f"not an operator's order; allowed: {', '.join(ALLOWED)}"
    if not item.by or not item.why:
        return "needs `by` and `why`: who orders it, and for what reason"
    if item.action is Action.ARM and item.mode is None:
        return "needs `mode`; allowed: armed_home, armed_away"
    if item.action is Action.BYPASS and item.zone is None:
        return "needs `zone`: which one is left out"
    if item.force and item.action is not Action.ARM:
        return "`force` is for arm"
    if item.zone is not None:
        zone = ctx.registry.zones.get((ctx.area, item.zone))
        if not ctx.replayed and (zone is None or zone.premises != item.premises):
            return f"zone {item.zone} is not one of {item.premises}"
    if ctx.tables.instructions.get((ctx.area, item.order)) or ctx.tables.orders.get((ctx.area, item.order)):
        return f"order {item.order} was given before"
    return None


def answered(ctx: Context, item: Replied) -> Verdict:
    """A gateway answered: what an operator ordered gets its outcome; the rest is the incidents' matter."""
    pending = ctx.tables.orders.get((ctx.area, item.order))
    if pending is None or pending.send.incident is not None:
        return orders.answered(ctx, item)
    of = (ctx.area, item.order)
    made, mine = ctx.tables.instructions.get(of), (None, *pending.send.premises)
    result = next((one for one in item.results if one.premises in mine), None)
    if made is None or pending.send.gateway != item.gateway or result is None:
        return Ignored(f"no order {item.order} was sent to {item.gateway}", effective=False)
    if (made.outcome, made.reason) == (result.outcome, result.reason):
        return Ignored(f"order {item.order} was answered already", effective=False)
    ctx.tables.instructions.put(of, made.told(result.outcome, result.reason, ctx.at_ms))
    orders.settle(ctx, pending, ())
    return Took((), f"{made.action} at {made.premises}: {result.outcome}")


def retried(ctx: Context, order: str) -> Verdict:
    """Not answered in time: the same order again, or, expired, it failed."""
    pending = ctx.tables.orders.get((ctx.area, order))
    if pending is None or pending.send.incident is not None:
        return orders.retried(ctx, order)
    made = ctx.tables.instructions.get((ctx.area, order))
    assert made is not None, order
    if ctx.at_ms < pending.send.expires_ms:
        orders.again(ctx, pending)
        return Took((), f"{pending.send.gateway} did not answer: sent again")
    ctx.tables.instructions.put((ctx.area, order), made.told(Outcome.FAILED, orders.NO_ANSWER, None))
    orders.settle(ctx, pending, ())
    return Took((), orders.NO_ANSWER)


def let_go(ctx: Context, order: str) -> Verdict:
    """Long ago: the desk forgets it, the journal keeps it."""
    _let_go(ctx, order)
    return Took((), f"order {order} was long ago")


def _let_go(ctx: Context, order: str) -> None:
    made = ctx.tables.instructions.get((ctx.area, order))
    assert made is not None, order
    pending = ctx.tables.orders.get((ctx.area, order))
    if pending is not None:
        orders.settle(ctx, pending, ())
    of = (ctx.area, made.premises)
    others = tuple(one for one in ctx.tables.instructed.get(of) or () if one != order)
    ctx.tables.instructed.put(of, others or None)
    ctx.tables.orders.put((ctx.area, order), None)
    ctx.tables.instructions.put((ctx.area, order), None)
    ctx.tables.timers.put((ctx.area, LET_GO + order), None)
