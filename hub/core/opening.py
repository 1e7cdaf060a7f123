"""Incidents come to be, take records, and merge: what a rule decided is carried out here."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256

from hub.core import calls, escalation, ladder, withholding
from hub.core.abroad import AREA_IN_ID
from hub.core.context import Context
from hub.core.deriving import PLACE, derived, lateness, line, presses
from hub.core.effects import Rung
from hub.core.incident import Incident, State
from hub.core.listing import forget_causes, index, remember_causes
from hub.core.rules.base import Absorbed, Decision, Grade, Joins, Mark, Opens, Raises, Standing
from hub.core.rules.windows import MARKS_MAX, several
from hub.core.state import Dossier
from hub.core.timing import late_words
from protocol.kinds import Priority


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
        line(ctx, incident, mark)
    withholding.weigh(ctx, incident, first=True)
    words = "; ".join(word for word in (lateness(ctx, fields), withholding.words(ctx, opens.marks)) if word)
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
    left = 0 if len(joins.marks) >= MARKS_MAX else presses(gone)
    fields["presses"] = before.presses + presses(new) - left
    if before.registry != ctx.registry.digest:
        ctx.note(incident, f"judged by registry {ctx.registry.digest[:16]}", why="the registry has changed since")
    fields["registry"] = ctx.registry.digest
    ctx.alter(incident, priority=priority, why=joins.grade.why, **fields)
    ctx.file(incident, marks=joins.marks)
    forget_causes(ctx, incident, gone)
    remember_causes(ctx, incident)
    for mark in new:
        line(ctx, incident, mark)
    if not new:
        ctx.note(incident, "re-read", why="a record that happened earlier arrived late")
    words = lateness(ctx, fields)
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
