"""Incidents come to be, take records, and merge: what a rule decided is carried out here."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from hub.core import calls, escalation, ladder, withholding
from hub.core.abroad import AREA_IN_ID
from hub.core.context import Context
from hub.core.effects import Rung
from hub.core.incident import Incident, State
from hub.core.rules import named, parents_of
from hub.core.rules.base import Absorbed, Decision, Grade, Joins, Mark, Opens, ParentRule, Raises, Rule, Scope, Standing
from hub.core.rules.windows import MARKS_MAX, several
from hub.core.state import Dossier
from hub.core.timing import How, When, error_ms, late_words, placed_words
from protocol.kinds import Priority

PLACE = ("event_ms", "error_ms", "not_before_ms", "not_after_ms", "placed")
"""Fields of an incident that say when its first record happened; an accepted incident keeps them."""


def incident_id(area: str, rule: str, ident: str) -> str:
    """The same for the same opening record, in a replay and at a second hub.

    It names the record that opened the incident: the first by event time, unless records arrived out of order.
    """
    digest = sha256(f"{area}\x00{rule}\x00{ident}".encode()).digest()
    return f"{area[:AREA_IN_ID]}-{rule.replace('_', '-')}-{b32encode(digest)[:10].decode().lower()}"


def standings(ctx: Context, scope: str) -> list[Standing]:
    """The unresolved incidents of a scope as a rule sees them; what was absorbed is its parent's matter."""
    found: list[Standing] = []
    for incident in ctx.tables.open.get((ctx.area, scope)) or ():
        shown, file = ctx.incident(incident), ctx.dossier(incident)
        if not absorbed(ctx, shown):
            pinned = shown.state is not State.REPORTED
            found.append(Standing(incident, pinned, shown.raised_ms, file.opened_by, file.marks, shown.priority))
    return found


def absorbed(ctx: Context, incident: Incident) -> bool:
    """Whether it turned out to be one with its parent (a parent of another rule only groups it)."""
    parent = ctx.tables.incidents.get((ctx.area, incident.parent)) if incident.parent else None
    return parent is not None and parent.rule == incident.rule


def carry_out(
    ctx: Context, rule: str, scope: str, decisions: Sequence[Decision], drill: bool, again: Mark | None = None
) -> list[str]:
    """Do what the rule decided; `again`: the record that pages even if nothing else changed. The incidents touched."""
    touched: list[str] = []
    graded: list[tuple[str, Grade]] = []
    for decision in decisions:
        if isinstance(decision, Opens):
            incident = opened(ctx, rule, scope, decision, drill)
            graded.append((incident, decision.grade))
            touched.append(incident)
        elif isinstance(decision, Joins | Raises):
            _join(ctx, decision, again)
            graded.append((decision.incident, decision.grade))
            touched.append(decision.incident)
        else:
            _absorb(ctx, decision)
            touched.append(decision.incident)
    for incident, grade in graded:
        calls.call(ctx, incident, grade)
        ladder.start(ctx, incident)
        escalation.start(ctx, incident)
    return touched


def opened(ctx: Context, rule: str, scope: str, opens: Opens, drill: bool) -> str:
    """A new incident, paged; who is called for it, and its limits, are its opener's matter. Its id."""
    first = opens.marks[0]
    incident = _free_id(ctx, rule, first)
    fields = derived(ctx, opens.marks)
    silent = calls.silent(rule)
    ctx.tables.incidents.put(
        (ctx.area, incident),
        Incident(
            id=incident,
            area=ctx.area,
            rule=rule,
            priority=opens.grade.priority,
            state=State.REPORTED,
            raised_ms=ctx.at_ms,
            why=opens.grade.why,
            drill=drill,
            silent=silent,
            registry=ctx.registry.digest,
            **fields,
        ),
    )
    ctx.tables.dossiers.put((ctx.area, incident), Dossier(scope, first.ident, opens.marks, drill))
    index(ctx, incident)
    for mark in opens.marks:
        _line(ctx, incident, mark)
    withholding.weigh(ctx, incident, first=True)
    words = "; ".join(word for word in (_late(ctx, fields), withholding.words(ctx, opens.marks)) if word)
    ctx.flag(incident, escalation.MUST_LOOK, opens.grade.priority is Priority.P1 and words.startswith("must look"))
    why = f"{opens.grade.why} ({words})" if words else opens.grade.why
    ctx.note(incident, "raised", why=why)
    if ctx.incident(incident).withheld is None:
        ctx.presented.append(incident)
    if opens.grade.priority is not Priority.P4:
        ctx.page(incident, why, Rung.STATION)
    return incident


def _free_id(ctx: Context, rule: str, first: Mark) -> str:
    """A record may open an incident a second time only when its first was resolved; that one keeps the id."""
    number, incident = 0, incident_id(ctx.area, rule, first.ident)
    while ctx.tables.incidents.get((ctx.area, incident)) is not None:
        number += 1
        incident = incident_id(ctx.area, rule, f"{first.ident}\x00{number}")
    return incident


def _join(ctx: Context, joins: Joins | Raises, again: Mark | None) -> None:
    incident, before, file = joins.incident, ctx.incident(joins.incident), ctx.dossier(joins.incident)
    had = {mark.ident for mark in file.marks}
    new = [mark for mark in joins.marks if mark.ident not in had]
    pinned = before.state is not State.REPORTED
    fields = derived(ctx, joins.marks)
    if pinned:
        fields |= {name: getattr(before, name) for name in PLACE}
    priority = min(before.priority, joins.grade.priority) if pinned else joins.grade.priority
    now = {mark.ident for mark in joins.marks}
    gone = [mark for mark in file.marks if mark.ident not in now]
    left = 0 if len(joins.marks) >= MARKS_MAX else _records(gone)
    fields["presses"] = before.presses + _records(new) - left
    if before.registry != ctx.registry.digest:
        ctx.note(incident, f"judged by registry {ctx.registry.digest[:16]}", why="the registry has changed since")
    fields["registry"] = ctx.registry.digest
    ctx.alter(incident, priority=priority, why=joins.grade.why, **fields)
    ctx.file(incident, marks=joins.marks)
    forget_causes(ctx, incident, gone)
    _remember_causes(ctx, incident)
    for mark in new:
        _line(ctx, incident, mark)
    if not new:
        ctx.note(incident, "re-read", why="a record that happened earlier arrived late")
    words = _late(ctx, fields)
    ctx.flag(incident, "restored", False)
    if escalation.MUST_LOOK in before.conditions and not words.startswith("must look"):
        ctx.flag(incident, escalation.MUST_LOOK, False)
    elif priority is Priority.P1 and before.priority is not Priority.P1 and words.startswith("must look"):
        ctx.flag(incident, escalation.MUST_LOOK)
    others = [p for p in fields["premises"] if p not in before.premises]
    told_now = withholding.weigh(ctx, incident, new)
    graver = priority < before.priority or (others and priority is Priority.P1)
    if told_now or graver or (again is not None and again in new):
        ctx.presented.append(incident)
    if graver or (told_now and priority is not Priority.P4):
        ctx.page(incident, f"{joins.grade.why} ({words})" if words else joins.grade.why)
    elif again is not None and again in new:
        late = late_words(again.late_ms, ctx.defaults.lateness)
        ctx.page(incident, f"{again.premises or again.gateway} again" + (f" ({late})" if late else ""))


def _late(ctx: Context, fields: dict[str, Any]) -> str:
    """What is said of its lateness. What comes late because its gateway was cut off is no must-look as long as nobody
    has found out why that was."""
    words = late_words(fields["late_ms"], ctx.defaults.lateness)
    lost = [name for name in fields["gateways"] if ctx.tables.open.get((ctx.area, f"gateway_lost|gateway:{name}"))]
    if words.startswith("must look") and lost:
        return f"{words.removeprefix('must look: ')}: {' and '.join(lost)} was not heard, and nobody has said why"
    return words


def _records(marks: Iterable[Mark]) -> int:
    return sum(mark.count for mark in marks if not mark.still)


def _absorb(ctx: Context, absorbs: Absorbed) -> None:
    survivor = ctx.incident(absorbs.by)
    ctx.alter(absorbs.incident, parent=absorbs.by)
    ctx.alter(absorbs.by, children=several([*survivor.children, absorbs.incident]))
    escalation.stop(ctx, absorbs.incident)
    called = ctx.dossier(absorbs.incident).called
    ctx.file(absorbs.incident, called=())
    ctx.file(absorbs.by, called=tuple(several([*ctx.dossier(absorbs.by).called, *called])))
    ctx.note(absorbs.incident, f"one with {absorbs.by}", why="a record that happened earlier arrived late")
    ctx.note(absorbs.by, f"{absorbs.incident} is one with it", why="a record that happened earlier arrived late")


def derived(ctx: Context, marks: Sequence[Mark]) -> dict[str, Any]:
    """The fields of an incident that its records say."""
    premises = several(mark.premises for mark in marks)
    groups = several(ctx.registry.home(ctx.area, p) for p in premises)
    known = [mark.late_ms for mark in marks if mark.late_ms is not None]
    return {
        "group": groups[0] if groups else None,
        "premises": premises,
        "zones": several(mark.zone for mark in marks),
        "gateways": several(mark.gateway for mark in marks),
        "keys": several(mark.key for mark in marks),
        **_place(marks[0]),
        "late_ms": min(known) if known else None,
        "presses": _records(marks),
    }


def _place(first: Mark) -> dict[str, Any]:
    """When the first record happened, and how sure that is; a mark of the hub's own making says no more than when."""
    if first.not_after_ms is None:
        return dict.fromkeys(PLACE) | {"event_ms": first.event_ms, "placed": ""}
    how = How(first.how)
    when = When(first.event_ms, first.late_ms, first.not_before_ms, first.not_after_ms, how)
    off_ms = None if how in (How.ORDER, How.HEARD) else error_ms(when)
    values = (first.event_ms, off_ms, first.not_before_ms, first.not_after_ms, placed_words(when))
    return dict(zip(PLACE, values, strict=True))


def _line(ctx: Context, incident: str, mark: Mark) -> None:
    late = late_words(mark.late_ms, ctx.defaults.lateness)
    times = f"{mark.count} times" if mark.count > 1 else ""
    detail = "; ".join(word for word in (mark.detail, times, late, _place(mark)["placed"]) if word)
    what = f"still {mark.what}" if mark.still else mark.what
    ctx.note(
        incident, what, event_ms=mark.event_ms, zone=mark.zone, premises=mark.premises, why=detail, record=mark.ident
    )


def scopes(ctx: Context, incident: str) -> list[str]:
    """Where an unresolved incident is found: its rule's scope, its groups, and where its parents look for it."""
    shown = ctx.incident(incident)
    groups = several([shown.group, *(ctx.registry.home(ctx.area, p) for p in shown.premises)])
    return [ctx.dossier(incident).scope, *listings(ctx, shown.rule, groups, shown.gateways)]


def listings(ctx: Context, rule: str, groups: Iterable[str], gateways: Sequence[str]) -> list[str]:
    """Where those that may be its parents look for an unresolved incident of a rule."""
    looks = {one.scope for one in parents_of(rule) if isinstance(one, ParentRule)}
    found = [f"at gateway:{name}" for name in gateways] if Scope.GATEWAY in looks else []
    if Scope.WIRED in looks:
        found += [f"via {group}" for name in gateways for group in ctx.wiring.groups_at(ctx.area, name)]
    return [*(f"in {group}" for group in groups), *found]


def index(ctx: Context, incident: str) -> None:
    """List it among the open ones of its scopes."""
    listed = several([*ctx.dossier(incident).listed, *scopes(ctx, incident)])
    for scope in listed:
        known = ctx.tables.open.get((ctx.area, scope)) or ()
        if incident not in known:
            ctx.tables.open.put((ctx.area, scope), tuple(sorted((*known, incident))))
    ctx.file(incident, listed=tuple(listed))
    _remember_causes(ctx, incident)


def unlist(ctx: Context, incident: str) -> None:
    """Take it off the open ones: it is resolved, and takes no more joins."""
    for scope in ctx.dossier(incident).listed or scopes(ctx, incident):
        others = tuple(o for o in ctx.tables.open.get((ctx.area, scope)) or () if o != incident)
        ctx.tables.open.put((ctx.area, scope), others or None)
    withholding.cause_over(ctx, incident)


def forget_causes(ctx: Context, incident: str, marks: Iterable[Mark]) -> None:
    """Its marks' causes lead to it no more (those that lead to another incident stay)."""
    for mark in marks:
        if mark.key is not None and ctx.tables.causes.get((ctx.area, mark.gateway, mark.key)) == incident:
            ctx.tables.causes.put((ctx.area, mark.gateway, mark.key), None)


def _remember_causes(ctx: Context, incident: str) -> None:
    if not isinstance(named(ctx.incident(incident).rule), Rule):
        return
    for mark in ctx.dossier(incident).marks:
        if mark.key is not None and ctx.tables.causes.get((ctx.area, mark.gateway, mark.key)) != incident:
            ctx.tables.causes.put((ctx.area, mark.gateway, mark.key), incident)
