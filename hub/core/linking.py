"""Whether a gateway is heard, and whether two speak under its name; folded into incidents."""

from __future__ import annotations

from hub.core import arming, grouping, orders, proving
from hub.core.context import Context
from hub.core.heard import Linked, Twinned
from hub.core.raising import raised, scope_of
from hub.core.rules import reader
from hub.core.rules.base import (
    LINK_DOWN,
    TWINS,
    Ignored,
    Mark,
    Rule,
    Took,
    Verdict,
)
from hub.core.rules.windows import several
from hub.core.state import Link, Twins
from hub.core.timing import PlacedBy


def linked(ctx: Context, item: Linked) -> Verdict:
    """A gateway is heard, or not heard for its reporting time. Being heard again resolves nothing by itself."""
    reason = ctx.stranger(item.gateway)
    if reason is not None:
        return Ignored(reason, effective=False)
    key = (ctx.area, item.gateway)
    before = ctx.tables.links.get(key)
    if before is not None and before.up == item.up:
        return Ignored("the link was so before", effective=False)
    ctx.tables.links.put(key, Link(item.up, ctx.at_ms, item.heard_ms))
    proving.know(ctx, item.gateway)
    mark = Mark(
        item.heard_ms,
        f"{item.gateway}/link/{item.heard_ms}",
        LINK_DOWN,
        item.gateway,
        late_ms=0,
        not_before_ms=item.heard_ms,
        not_after_ms=ctx.at_ms,
        how=PlacedBy.HEARD,
    )
    if not item.up:
        verdict = raised(ctx, arming.weighed(ctx, mark), drill=False)
        for incident in verdict.incidents if isinstance(verdict, Took) else ():
            ctx.flag(incident, "link_restored", False)
        return verdict
    orders.link_up(ctx, item)
    rule = reader(LINK_DOWN)
    assert isinstance(rule, Rule)
    back = ctx.tables.open.get((ctx.area, scope_of(ctx, rule, mark, drill=False))) or ()
    for incident in back:
        ctx.flag(incident, "link_restored")
        ctx.note(incident, "heard again")
    for parent in several(ctx.incident(incident).parent for incident in back):
        grouping.heard_again(ctx, parent)
    return Took(back, "heard again") if back else Ignored("the gateway is heard")


def twinned(ctx: Context, item: Twinned) -> Verdict:
    """Two gateways speak under one name, or others than before, or no more: somebody must look."""
    reason = ctx.stranger(item.gateway)
    if reason is not None:
        return Ignored(reason, effective=False)
    key, now = (ctx.area, item.gateway), Twins(item.rightful, tuple(item.seconds))
    before = ctx.tables.twins.get(key)
    if now == before or not (before or now.seconds):
        return Ignored("that was known", effective=False)
    ctx.tables.twins.put(key, now if now.seconds else None)
    names = ", ".join(one[:8] for one in now.seconds)
    detail = f"process {now.rightful[:8]} is obeyed, {names} not"
    mark = Mark(ctx.at_ms, f"{item.gateway}/twins/{ctx.at_ms}", TWINS, item.gateway, late_ms=0, detail=detail)
    if set(now.seconds) - set(before.seconds if before is not None else ()):
        return raised(ctx, mark, drill=False)
    rule = reader(TWINS)
    assert isinstance(rule, Rule)
    still = ctx.tables.open.get((ctx.area, scope_of(ctx, rule, mark, drill=False))) or ()
    for incident in still:
        ctx.flag(incident, "restored", not now.seconds)
        ctx.note(incident, detail if now.seconds else f"only process {now.rightful[:8]} is heard now")
    return Took(still, "who speaks under this name changed") if still else Ignored("who speaks changed")
