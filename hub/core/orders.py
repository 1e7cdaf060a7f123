"""Orders to gateways: one id, sent again under the same id until answered or expired, and withdrawn at stand-down."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hub.core import abroad
from hub.core.context import Context
from hub.core.effects import Milestone, Reached, Send
from hub.core.heard import Linked, Replied
from hub.core.incident import Incident
from hub.core.registry import Key
from hub.core.rules.base import Ignored, Took, Verdict
from hub.core.state import Dossier, Pending, Tables
from protocol.kinds import Kind
from protocol.messages import Action, Outcome, Result

RETRY = "retry:"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
NO_ANSWER = "no answer before the order expired"


def send(
    ctx: Context,
    incident: str,
    action: Action,
    premises: Iterable[str],
    expires_in_ms: int,
    duration_ms: int = 0,
) -> list[Send]:
    """Order something of premises, one order to each of their gateways.

    Ids count up within the incident and say when: after a restore the count runs over numbers that were given before,
    and a gateway acts on no id twice.
    """
    shown, dossier = ctx.incident(incident), ctx.dossier(incident)
    by_gateway: dict[Key, list[str]] = {}
    for member in premises:
        area, one = abroad.key_of(ctx.area, member)
        gateway = None if action is Action.SIREN else _rang_at(shown, dossier, member)
        gateway = gateway or ctx.registry.gateway_of(area, one)
        if gateway is not None:
            by_gateway.setdefault((area, gateway), []).append(one)
    sent: list[Send] = []
    for number, ((area, gateway), members) in enumerate(by_gateway.items(), len(dossier.orders) + 1):
        home = area == ctx.area  # elsewhere its keys and its premises may be the names of others
        order = Send(
            area=area,
            gateway=gateway,
            order=f"{incident}-{number}-{_when(ctx.at_ms)}",
            action=action,
            issued_ms=ctx.at_ms,
            expires_ms=ctx.at_ms + expires_in_ms,
            premises=tuple(members),
            incident=incident,
            keys=tuple(shown.keys) if home else (incident,),
            pressed=shown.premises[0] if shown.premises and home else None,
            kind=Kind(dossier.marks[0].what) if dossier.marks[0].what in Kind._value2member_map_ else None,
            duration_ms=duration_ms,
            drill=shown.drill,
        )
        sent.append(order)
        wait(ctx, Pending(order, order.premises))
    ctx.file(incident, orders=(*dossier.orders, *(order.order for order in sent)))
    ctx.effects += sent
    return sent


def _rang_at(shown: Incident, dossier: Dossier, member: str) -> str | None:
    """The gateway a member was called at, or called from; he may be wired to another since, or gone."""
    call = shown.calls.get(member)
    if call is not None:
        return call.gateway
    return next((mark.gateway for mark in dossier.marks if mark.premises == member), None)


def _when(at_ms: int) -> str:
    """Six digits to the base of 36, which repeat after 25 days; an order lives 24 h at most."""
    text = ""
    for _ in range(6):
        at_ms, digit = divmod(at_ms, 36)
        text = DIGITS[digit] + text
    return text


def answered(ctx: Context, item: Replied) -> Verdict:
    """A gateway answered: calls get their outcome; partly answered orders go on being sent."""
    pending = ctx.tables.orders.get((ctx.area, item.order))
    if pending is None or abroad.place_of(ctx, pending.send) != item.gateway:
        return Ignored(f"no order {item.order} was sent to {item.gateway}", effective=False)
    order = pending.send
    incident = order.incident
    assert incident is not None
    shown = ctx.incident(incident)
    calls, told = dict(shown.calls), []
    results = [r for result in item.results for r in _spread(result, order)]
    for result in results:
        premises = result.premises
        assert premises is not None
        if order.action is not Action.SIREN:
            if premises in pending.waiting and result.outcome in (Outcome.REFUSED, Outcome.FAILED):
                told.append(f"{order.action} at {premises}: {result.outcome}: {result.reason}")
            continue
        member = abroad.name_in(ctx.area, order.area, premises)
        call = calls.get(member)
        if call is None or call.order != order.order:
            continue
        if (call.outcome, call.reason) != (result.outcome, result.reason):
            calls[member] = replace(call, outcome=result.outcome, reason=result.reason, replied_ms=ctx.at_ms)
            told.append(f"call of {member}: {result.outcome}" + (f": {result.reason}" if result.reason else ""))
    waiting = tuple(p for p in pending.waiting if p not in {result.premises for result in results})
    if waiting == pending.waiting and not told:
        return Ignored(f"order {item.order} was answered already", effective=False)
    ctx.alter(incident, calls=calls)
    if order.action is Action.SIREN:
        _rings(ctx, incident, order, results)
    settle(ctx, pending, waiting)
    for line in told:
        ctx.note(incident, line)
    return Took((incident,), f"{item.gateway} answered {order.action}")


def retried(ctx: Context, order: str) -> Verdict:
    """Not answered in time: the same order again, or, expired, the failure is told."""
    pending = ctx.tables.orders.get((ctx.area, order))
    assert pending is not None and pending.waiting, order
    incident = pending.send.incident
    assert incident is not None
    if ctx.at_ms < pending.send.expires_ms:
        again(ctx, pending)
        return Took((incident,), f"{pending.send.gateway} did not answer: sent again")
    if pending.send.action is Action.SIREN:
        calls = dict(ctx.incident(incident).calls)
        for premises in pending.waiting:
            member = abroad.name_in(ctx.area, pending.send.area, premises)
            call = calls.get(member)
            if call is not None and call.order == order:
                calls[member] = replace(call, outcome=Outcome.FAILED, reason=NO_ANSWER)
        ctx.alter(incident, calls=calls)
    who = ", ".join(abroad.name_in(ctx.area, pending.send.area, one) for one in pending.waiting)
    settle(ctx, pending, ())
    ctx.page(incident, f"{abroad.place_of(ctx, pending.send)} did not answer {pending.send.action} for {who}")
    return Took((incident,), NO_ANSWER)


def again(ctx: Context, pending: Pending) -> None:
    """Send an order once more, under its own id."""
    ctx.effects.append(pending.send)
    wait(ctx, replace(pending, tries=pending.tries + 1))


def _rings(ctx: Context, incident: str, order: Send, results: list[Result]) -> None:
    """The first siren that is confirmed to ring at another member than those who called."""
    shown = ctx.incident(incident)
    own = shown.premises if order.area == ctx.area else ()
    rings = [r for r in results if r.outcome in (Outcome.DONE, Outcome.JOINED) and r.premises not in own]
    if rings and shown.rang_ms is None:
        ctx.alter(incident, rang_ms=ctx.at_ms)
        after_ms = max(0, ctx.at_ms - shown.event_ms)
        ctx.effects.append(Reached(ctx.area, incident, Milestone.RINGING, after_ms, shown.drill))


def link_up(ctx: Context, item: Linked) -> None:
    """The gateway is heard again: what it has not answered goes out at once."""
    for order in ctx.tables.waiting.get((ctx.area, item.gateway)) or ():
        pending = ctx.tables.orders.get((ctx.area, order))
        if pending is not None and ctx.at_ms < pending.send.expires_ms:
            ctx.effects.append(pending.send)


def withdraw(ctx: Context, incident: str) -> None:
    """Siren orders of the incident that nobody answered are not sent again."""
    for order in ctx.dossier(incident).orders:
        pending = ctx.tables.orders.get((ctx.area, order))
        if pending is not None and pending.send.action is Action.SIREN and pending.waiting:
            settle(ctx, pending, ())


def outstanding(tables: Tables, areas: Iterable[str], at_ms: int, of: Key | None = None) -> list[Send]:
    """Committed orders still waited for, in order of issue; those to one gateway where `of` names it, for incidents of
    whichever of these areas."""
    pending = [p for _, p in tables.orders.items()] if of is None else _pending(tables, areas, of)
    found = [p.send for p in pending if p.waiting and at_ms < p.send.expires_ms]
    return sorted(found, key=lambda order: (order.issued_ms, order.area, order.order))


def _pending(tables: Tables, areas: Iterable[str], of: Key) -> list[Pending]:
    places = ((area, abroad.name_in(area, *of)) for area in {of[0], *areas})
    found = (tables.orders.committed((at[0], one)) for at in places for one in tables.waiting.committed(at) or ())
    return [pending for pending in found if pending is not None]


def settle(ctx: Context, pending: Pending, waiting: tuple[str, ...]) -> None:
    """Only `waiting` have not answered now; when nobody is left, no timer runs."""
    order = pending.send
    ctx.tables.orders.put((ctx.area, order.order), replace(pending, waiting=waiting))
    if not waiting:
        ctx.tables.timers.put((ctx.area, RETRY + order.order), None)
        place = (ctx.area, abroad.place_of(ctx, order))
        others = tuple(o for o in ctx.tables.waiting.get(place) or () if o != order.order)
        ctx.tables.waiting.put(place, others or None)


def wait(ctx: Context, pending: Pending) -> None:
    """Keep an order until it is answered, and send it again after a while."""
    order = pending.send
    ctx.tables.orders.put((ctx.area, order.order), pending)
    place = (ctx.area, abroad.place_of(ctx, order))
    known = ctx.tables.waiting.get(place) or ()
    if order.order not in known:
        ctx.tables.waiting.put(place, (*known, order.order))
    pause_ms = ctx.defaults.calls.retry_ms * 2 ** min(pending.tries - 1, 16)
    ctx.tables.timers.put((ctx.area, RETRY + order.order), min(ctx.at_ms + pause_ms, order.expires_ms))


def _spread(result: Result, order: Send) -> list[Result]:
    if result.premises is None:
        return [replace(result, premises=premises) for premises in order.premises]
    return [result] if result.premises in order.premises else []
