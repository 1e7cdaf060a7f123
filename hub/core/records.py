"""What gateways report, as marks handed to the rule that reads them; and what lives in a zone until it ends."""

from __future__ import annotations

from hub.core import answers, arming, conditions, dedup, placing, proving
from hub.core.context import Context
from hub.core.heard import Conflicted, Gapped, Recorded
from hub.core.incident import UNRESOLVED
from hub.core.ledger import RUNS_MAX
from hub.core.raising import raised, scope_of
from hub.core.rules import reader
from hub.core.rules.base import (
    CONFLICT,
    GAP,
    Duplicate,
    Ignored,
    Mark,
    Rule,
    Took,
    Verdict,
)
from hub.core.timing import When
from protocol.kinds import Kind, Qualifier
from protocol.records import Event


def recorded(ctx: Context, item: Recorded) -> Verdict:
    """A record, if it is new and its origin is known."""
    reason = ctx.stranger(item.gateway, item.event.zone, item.event.premises)
    if reason is not None:
        return Ignored(reason, effective=False)
    if dedup.crowded(ctx, item):
        return Ignored(f"more than {RUNS_MAX} holes in what came of this process: it waits", effective=False)
    if not dedup.take(ctx, item):
        return Duplicate()
    return _happened(ctx, item, f"{item.gateway}/{item.instance}/{item.event.seq}")


def conflicted(ctx: Context, item: Conflicted) -> Verdict:
    """Other bytes under a known identity: somebody must look, and what they say is judged all the same."""
    reason = ctx.stranger(item.gateway, item.event.zone, item.event.premises)
    if reason is not None:
        return Ignored(reason, effective=False)
    digest = dedup.take_conflict(ctx, item)
    if digest is None:
        return Duplicate()
    ident = f"{item.gateway}/{item.instance}/{digest}"
    mark = Mark(ctx.at_ms, ident, CONFLICT, item.gateway, late_ms=0, detail=f"sequence {item.event.seq}")
    looked = raised(ctx, mark, drill=False)
    verdict = _happened(ctx, item, ident)
    return _both(verdict, looked)


def gapped(ctx: Context, item: Gapped) -> Verdict:
    """Records given up by the gateway, which are receipted as such, or closed by the hub: somebody must look."""
    reason = ctx.stranger(item.gateway)
    if reason is not None:
        return Ignored(reason, effective=False)
    if not 1 <= item.first <= item.last:
        return Ignored(f"a gap from {item.first} to {item.last} is none", effective=False)
    if dedup.crowded_gap(ctx, item):
        return Ignored(f"more than {RUNS_MAX} ranges given up by this process: it waits", effective=False)
    count = dedup.take_gap(ctx, item)
    if count is None:
        return Duplicate()
    ident = f"{item.gateway}/{item.instance}/{'hole' if item.by_hub else 'gap'}-{item.first}-{item.last}"
    detail = f"{count} records, {item.first} to {item.last}: {item.reason}"
    return raised(ctx, Mark(ctx.at_ms, ident, GAP, item.gateway, late_ms=0, detail=detail), drill=False)


def _happened(ctx: Context, item: Recorded | Conflicted, ident: str) -> Verdict:
    when = placing.place(ctx, item)
    verdict = _judged(ctx, item, _mark(ctx, item, ident, when))
    placing.await_clock(ctx, item, when, verdict)
    told = placing.tell_better(ctx, item)
    return Took(tuple(told), "a clock record places records of before") if told else verdict


def _judged(ctx: Context, item: Recorded | Conflicted, mark: Mark) -> Verdict:
    event = item.event
    if event.qualifier is Qualifier.RESTORE:
        return _ended(ctx, mark, event)
    if event.kind is Kind.TEST:
        return proving.came(ctx, mark, event.drill)
    if event.kind is Kind.ANSWER:
        return answers.pressed(ctx, mark, str(event.detail.get("answer", "")))
    conditions.remember(ctx, mark, began=True)
    if event.kind in arming.KINDS and not event.drill:
        arming.told(ctx, mark)
    known = ctx.tables.causes.get((ctx.area, item.gateway, event.key))
    if mark.still and known is not None:
        ctx.note(known, f"still {mark.what}", event_ms=mark.event_ms, zone=mark.zone, premises=mark.premises)
        return Took((known,), "still present")
    if known is not None and ctx.incident(known).state not in UNRESOLVED and _told_before(ctx, known, mark):
        ctx.note(known, f"{mark.what}, told before", event_ms=mark.event_ms, zone=mark.zone, premises=mark.premises)
        ctx.alter(known, presses=ctx.incident(known).presses + mark.count)
        return Took((known,), "a later process of the gateway told of it as still present")
    return raised(ctx, mark, event.drill)


def _told_before(ctx: Context, incident: str, mark: Mark) -> bool:
    """Whether the incident has a "still present" of the mark's own cause from a later process of the gateway."""
    boots = {instance: boot for boot, instance in ctx.tables.instances.get((ctx.area, mark.gateway)) or ()}
    boot = boots.get(_instance(mark), 0)
    stills = [m for m in ctx.dossier(incident).marks if m.still and (m.zone, m.key) == (mark.zone, mark.key)]
    return any(boots.get(_instance(still), 0) > boot for still in stills)


def _instance(mark: Mark) -> str:
    return mark.ident.split("/")[1]


def _mark(ctx: Context, item: Recorded | Conflicted, ident: str, when: When) -> Mark:
    event = item.event
    zone = ctx.registry.zones.get((ctx.area, event.zone)) if event.zone is not None else None
    return Mark(
        event_ms=when.event_ms,
        ident=ident,
        what=event.kind,
        gateway=item.gateway,
        premises=zone.premises if zone is not None else event.premises,
        zone=event.zone,
        key=event.key,
        late_ms=when.late_ms,
        count=event.count,
        still=event.qualifier is Qualifier.PRESENT,
        detail=str(event.detail.get("fault", event.detail.get("transitions", ""))),
        priority=event.priority,
        device=str(event.detail.get("device", "")),
        not_before_ms=when.not_before_ms,
        not_after_ms=when.not_after_ms,
        how=when.how,
        boot=item.boot,
    )


def _ended(ctx: Context, mark: Mark, event: Event) -> Verdict:
    """Something is over. An end older than the newest beginning is history and clears nothing."""
    cleared = conditions.remember(ctx, mark, began=False)
    rule = reader(mark.what)
    if not isinstance(rule, Rule):
        return Ignored(f"the end of {mark.what} raises nothing")
    listed = ctx.tables.open.get((ctx.area, scope_of(ctx, rule, mark, event.drill))) or ()
    concerned = [i for i in listed if conditions.concerns(ctx, i, mark)]
    if not concerned:
        return Ignored(f"the end of {mark.what}: no open incident of it")
    incident = max(concerned, key=lambda i: (ctx.incident(i).event_ms <= mark.event_ms, ctx.incident(i).event_ms, i))
    why = "" if cleared else "older than the newest beginning: history only"
    ctx.note(incident, f"end of {mark.what}", event_ms=mark.event_ms, zone=mark.zone, premises=mark.premises, why=why)
    marks = ctx.dossier(incident).marks
    if not any(conditions.is_live(ctx, m) for m in marks):
        ctx.flag(incident, "restored")
    return Took((incident,), why or f"the end of {mark.what}")


def _both(first: Verdict, second: Verdict) -> Verdict:
    if isinstance(first, Took) and isinstance(second, Took):
        return Took((*first.incidents, *second.incidents), first.reason)
    return first if isinstance(first, Took) else second
