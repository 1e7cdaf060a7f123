"""Alarms shelved by operators and places taken out of service by supervisors: set, ended by people, ended by time.

Both keep records from being told, never from being stored, raised and counted; what a hold may not touch it refuses at
once and not when it is too late: nobody shelves a panic, and an operator no intrusion.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from hub.core import withholding
from hub.core.context import Context
from hub.core.hold import At, Hold, PutBack, Shelved, Sort, TakenOut
from hub.core.io import NotAllowed
from hub.core.raising import raised
from hub.core.rules import rules
from hub.core.rules.base import REVIEW, Mark, Rule, Took, Verdict, WithdrawRule
from hub.core.rules.windows import span
from hub.core.withholding import key
from protocol.kinds import Priority

UNSHELVE = "unshelve:"
REVIEWS = "review:"
HOLDS_MAX = 500
"""Holds of one area; one more is refused."""
SYSTEM = "system"
NEVER = frozenset({"panic", "duress", "silent_holdup", "fire", "gas", "sabotage", "group_intrusion"})
"""Rules of P1 alone: life, duress, and what somebody has confirmed."""
URGENT = frozenset({"intrusion"})
"""Rules of a P2: a supervisor's matter."""
LIFE = {"panic": "panic", "duress": "duress", "silent_holdup": "silent_holdup", "smoke": "fire", "gas": "gas"}
"""Kinds of zones, and the rule of what they say when somebody needs help."""


def shelved(ctx: Context, item: Shelved) -> Verdict:
    """Withhold alarms until a time. Raises NotAllowed with every fault; then nothing was changed."""
    before = _found(ctx, Sort.SHELVED, item.at, item.place, item.rule)
    _refuse(ctx, f"shelve {item.at} {item.place}", [*_placed(ctx, item), *_shelvable(ctx, item, before)])
    hold = Hold(
        sort=Sort.SHELVED,
        at=item.at,
        place=item.place,
        by=item.by,
        reason=item.reason,
        why=item.why,
        set_ms=ctx.at_ms,
        most=Priority.P2 if item.supervisor else Priority.P3,
        rule=item.rule,
        until_ms=item.until_ms,
    )
    ctx.tables.timers.put((ctx.area, UNSHELVE + _name(hold)), item.until_ms)
    return _set(ctx, hold, before)


def taken_out(ctx: Context, item: TakenOut) -> Verdict:
    """Withhold what a place says until it is put back. Raises NotAllowed with every fault; then nothing was changed."""
    before = _found(ctx, Sort.OUT_OF_SERVICE, item.at, item.place, None)
    _refuse(ctx, f"take {item.at} {item.place} out of service", [*_placed(ctx, item), *_reviewable(ctx, item)])
    hold = Hold(
        sort=Sort.OUT_OF_SERVICE,
        at=item.at,
        place=item.place,
        by=item.by,
        reason=item.reason,
        why=item.why,
        set_ms=ctx.at_ms,
        most=Priority.P2,
        review_ms=item.review_ms,
    )
    ctx.tables.timers.put((ctx.area, REVIEWS + _name(hold)), item.review_ms)
    return _set(ctx, hold, before)


def put_back(ctx: Context, item: PutBack) -> Verdict:
    """End a hold: what it withheld and is still open is told now. Raises NotAllowed; then nothing was changed."""
    hold = _found(ctx, item.sort, item.at, item.place, item.rule)
    words = f"{item.at} {item.place}" + (f", {item.rule}" if item.rule else "")
    _refuse(ctx, f"put back {words}", [] if hold is not None else [f"it is not {item.sort.replace('_', ' ')}"])
    return _ended(ctx, hold, item.by) if hold is not None else Took((), "it left the desk before")


def expired(ctx: Context, name: str) -> Verdict:
    """A shelf's time is over."""
    hold = _named(ctx, name)
    assert hold is not None, name
    return _ended(ctx, hold, None)


def unshelved(timer: str) -> tuple[str, str, str | None]:
    """What a shelf's timer speaks of: sort of place, place, and rule."""
    where, _, slot = timer.removeprefix(UNSHELVE).partition("|")
    at, _, place = where.partition(":")
    return at, place, slot.partition("|")[2] or None


def review_due(ctx: Context, name: str) -> Verdict:
    """What is out of service is to be looked at again: a P4 says so, every day until somebody does."""
    hold = _named(ctx, name)
    assert hold is not None, name
    ctx.tables.timers.put((ctx.area, REVIEWS + name), ctx.at_ms + ctx.defaults.alarms.review_again_ms)
    zone = ctx.registry.zones.get((ctx.area, hold.place)) if hold.at is At.ZONE else None
    premises = zone.premises if zone is not None else hold.place if hold.at is At.PREMISES else None
    gateway = hold.place if hold.at is At.GATEWAY else ctx.registry.gateway_of(ctx.area, premises) if premises else None
    if gateway is None:
        return Took((), f"{hold.place} left the registry while it was out of service")
    ident = f"{gateway}/review/{name}/{ctx.at_ms}"
    place = hold.place if hold.at is At.ZONE else None
    detail = f"{hold.reason}, for {span(ctx.at_ms - hold.set_ms)}"
    return raised(ctx, Mark(ctx.at_ms, ident, REVIEW, gateway, premises, place, late_ms=0, detail=detail), drill=False)


def _set(ctx: Context, hold: Hold, before: Hold | None) -> Verdict:
    if before is not None:
        hold = replace(hold, held=before.held, count=before.count, renewed=before.renewed + 1)
    _put(ctx, before, hold)
    open_ones = withholding.keep_back_open(ctx, hold.at, hold.place)
    return Took(tuple(open_ones), f"{hold.sort}: {hold.at} {hold.place} by {hold.by}")


def _ended(ctx: Context, hold: Hold, by: str | None) -> Verdict:
    _put(ctx, hold, None)
    timer = UNSHELVE if hold.sort is Sort.SHELVED else REVIEWS
    ctx.tables.timers.put((ctx.area, timer + _name(hold)), None)
    words = "unshelved" if hold.sort is Sort.SHELVED else "back in service"
    why = f"{words} by {by}" if by is not None else f"{words}: its time is over"
    told = [incident for incident in hold.held if withholding.reconsider(ctx, incident, words if by else why, by)]
    return Took(tuple(told), why)


def _put(ctx: Context, before: Hold | None, now: Hold | None) -> None:
    """Put `now` in place of `before` among the holds of its place."""
    one = now or before
    assert one is not None, "one of the two"
    place = (ctx.area, key(one.at, one.place))
    others = tuple(hold for hold in ctx.tables.holds.get(place) or () if hold.slot != one.slot)
    ctx.tables.holds.put(place, (*others, *((now,) if now is not None else ())) or None)


def _found(ctx: Context, sort: Sort, at: At, place: str, rule: str | None) -> Hold | None:
    known = ctx.tables.holds.get((ctx.area, key(at, place))) or ()
    return next((hold for hold in known if (hold.sort, hold.rule) == (sort, rule)), None)


def _name(hold: Hold) -> str:
    """What its timer is known by."""
    return f"{key(hold.at, hold.place)}|{hold.slot}"


def _named(ctx: Context, name: str) -> Hold | None:
    place, _, slot = name.partition("|")
    return next((hold for hold in ctx.tables.holds.get((ctx.area, place)) or () if hold.slot == slot), None)


def _refuse(ctx: Context, what: str, faults: list[str]) -> None:
    if faults and not ctx.replayed:
        raise NotAllowed(f"{what}: {'; '.join(faults)}")


def _placed(ctx: Context, item: Shelved | TakenOut) -> Iterator[str]:
    zones, premises, gateways = ctx.registry.zones, ctx.registry.premises, ctx.registry.gateways
    of = (ctx.area, item.place)
    if not {At.ZONE: of in zones, At.PREMISES: of in premises, At.GATEWAY: of in gateways}[item.at]:
        yield f"no {item.at} {item.place} in {ctx.area}"
    if not item.by or not item.why:
        yield "needs `by` and `why`: who does it, and for what reason in words"
    if item.reason not in ctx.defaults.alarms.reasons:
        yield f"no reason {item.reason}; allowed: {', '.join(ctx.defaults.alarms.reasons)}"
    places = [place for place in ctx.tables.holds.entries() if place[0][0] == ctx.area]
    if sum(len(holds) for _, holds in places) >= HOLDS_MAX:
        yield f"{HOLDS_MAX} are shelved or out of service in {ctx.area} already, which is the most"


def _reviewable(ctx: Context, item: TakenOut) -> Iterator[str]:
    longest_ms = ctx.defaults.alarms.review_ms
    if not ctx.at_ms < item.review_ms <= ctx.at_ms + longest_ms:
        yield f"`review_ms` is not a time to come within {span(longest_ms)}"


def _shelvable(ctx: Context, item: Shelved, before: Hold | None) -> Iterator[str]:
    yield from _unsafe(ctx, item)
    longest_ms = ctx.defaults.alarms.shelve_ms[item.supervisor]
    if not ctx.at_ms < item.until_ms <= ctx.at_ms + longest_ms:
        who = "a supervisor" if item.supervisor else "an operator; a supervisor may shelve for longer"
        yield f"`until_ms` is not a time to come within {span(longest_ms)}, the longest of {who}"
    if before is not None and before.most < Priority.P3 and not item.supervisor:
        yield "a supervisor shelved it, up to P2; an operator may only put it back"


def _unsafe(ctx: Context, item: Shelved) -> Iterator[str]:
    known = sorted(rule.name for rule in rules() if not isinstance(rule, WithdrawRule) and rule.name not in NEVER)
    if item.rule in NEVER:
        yield f"{item.rule} is a P1: it is never shelved"
    elif item.rule is not None and item.rule not in known:
        yield f"no rule {item.rule}; allowed: {', '.join(known)}"
    elif item.rule in URGENT and not item.supervisor:
        yield f"{item.rule} is a P2: only a supervisor shelves it"
    zone = ctx.registry.zones.get((ctx.area, item.place)) if item.at is At.ZONE else None
    if zone is not None and zone.kind in LIFE and item.rule is None:
        allowed = ", ".join(name for name in known if any(r.name == name and isinstance(r, Rule) for r in rules()))
        yield (
            f"{item.place} is a {zone.kind} zone, and {LIFE[zone.kind]} is a P1: it is never shelved; "
            f"to shelve its troubles name one `rule` of {allowed}"
        )
