"""What members who were called say: going, on scene, cannot; by their panel, by a link, or on the phone."""

from __future__ import annotations

from msgspec.structs import replace

from hub.core import abroad, calls, ladder
from hub.core.acts import Answer, Answered, How
from hub.core.context import Context
from hub.core.effects import Handed, Milestone, Reached, Rung
from hub.core.incident import NOBODY_CAN, UNRESOLVED, Incident, Said
from hub.core.io import NoSuchIncident, NotAllowed
from hub.core.rules.base import Ignored, Mark, Reach, Took, Verdict
from hub.core.rules.windows import several, span

COMES = (Answer.GOING, Answer.ON_SCENE)


def answered(ctx: Context, item: Answered) -> Verdict:
    """Take an answer. Raises NoSuchIncident, NotAllowed; then nothing was changed."""
    found = ctx.tables.incidents.get((ctx.area, item.incident))
    if found is None:
        raise NoSuchIncident(f"no incident {item.incident} in {ctx.area}")
    incident = _survivor(ctx, found)
    if (reason := refusal(ctx, incident, item)) is not None:
        raise NotAllowed(f"{incident.id}: {reason}")
    before = incident.answers.get(item.premises)
    if item.how is not How.LINK and before is not None and before.answer is item.answer:
        return Ignored(f"{item.premises} said {item.answer} before", effective=False)
    return _take(ctx, incident, item, ctx.at_ms)


def pressed(ctx: Context, mark: Mark, said: str) -> Verdict:
    """The button of a panel: `mark` carries the key of the call it answers. It is a record, and never refused."""
    if mark.premises is None or said not in Answer._value2member_map_:
        return Ignored(f"an answer {said!r} of {mark.premises}: nobody knows it")
    incident = _called_for(ctx, mark.premises, mark.key)
    if incident is None and (far := abroad.incident_of(ctx, mark.key)) is not None:
        return _hand(ctx, mark, far, Answer(said))
    if incident is None:
        return Ignored(f"{mark.premises} answers no call that is open")
    item = Answered(ctx.area, incident.id, mark.premises, Answer(said), How.PANEL)
    if (reason := refusal(ctx, incident, item)) is not None:
        return Ignored(f"{incident.id}: {reason}")
    if mark.late_ms is None or mark.late_ms > ctx.defaults.lateness.page_ms:
        late = "of unknown age" if mark.late_ms is None else f"late by {span(mark.late_ms)}"
        words = f"{mark.premises} answered: {said}"
        ctx.note(incident.id, words, event_ms=mark.event_ms, premises=mark.premises, why=f"{late}: history only")
        return Took((incident.id,), f"an answer, {late}")
    before = incident.answers.get(mark.premises)
    if before is not None and (before.answer is item.answer or before.at_ms > mark.event_ms):
        return Ignored(f"{mark.premises} said {before.answer} before")
    return _take(ctx, incident, item, mark.event_ms)


def _hand(ctx: Context, mark: Mark, incident: Incident, said: Answer) -> Verdict:
    """An answer to a call that another area's incident made: that area takes it."""
    assert mark.premises is not None
    if mark.late_ms is None or mark.late_ms > ctx.defaults.lateness.page_ms:
        return Ignored(f"an answer to {incident.area}/{incident.id}, too late or of unknown age")
    member = abroad.name_in(incident.area, ctx.area, mark.premises)
    ctx.effects.append(Handed(Answered(incident.area, incident.id, member, said, How.PANEL)))
    return Took((), f"an answer to {incident.area}/{incident.id}")


def refusal(ctx: Context, incident: Incident, item: Answered) -> str | None:
    """Why an answer cannot be taken; None when it can."""
    if incident.state not in UNRESOLVED:
        return f"it is {incident.state}: nobody needs to come any more"
    if incident.silent:
        return "it is silent: nobody was called"
    if item.premises in incident.premises:
        return f"{item.premises} is where help is needed"
    if not ctx.replayed and item.premises not in _members(ctx, incident):
        return f"{item.premises} is not a member of its groups, nor of their adjacent groups"
    if item.how is How.PHONE and not item.by:
        return "an answer on the phone needs `by`: who wrote it down"
    if item.how is How.LINK and item.turn != turn(incident, item.premises):
        return "this link has been used"
    return None


def turn(incident: Incident, premises: str) -> int:
    """How many links of a member have acted: the next that may."""
    said = incident.answers.get(premises)
    return 0 if said is None else said.links


def _take(ctx: Context, incident: Incident, item: Answered, at_ms: int) -> Verdict:
    links = turn(incident, item.premises) + (item.how is How.LINK)
    said = Said(item.answer, at_ms, item.how, item.by or None, links)
    calls_now = dict(incident.calls)
    if (call := calls_now.get(item.premises)) is not None:
        calls_now[item.premises] = replace(call, answer=item.answer, answered_ms=at_ms)
    ctx.alter(incident.id, answers={**incident.answers, item.premises: said}, calls=calls_now)
    words = f"{item.premises} answers: {item.answer}"
    ctx.note(incident.id, words, premises=item.premises, by=item.by or None, why=f"by {item.how}")
    if item.answer in COMES:
        _comes(ctx, incident, item, at_ms)
    else:
        _cannot(ctx, incident.id)
    return Took((incident.id,), words)


def _comes(ctx: Context, before: Incident, item: Answered, at_ms: int) -> None:
    incident = before.id
    ctx.flag(incident, NOBODY_CAN, False)
    said_before = [said.answer for said in before.answers.values()]
    if before.going_ms is None:
        ctx.alter(incident, going_ms=at_ms)
        after_ms = max(0, at_ms - before.event_ms)
        ctx.effects.append(Reached(ctx.area, incident, Milestone.GOING, after_ms, before.drill))
        if not before.responders:
            calls.coming(ctx, incident, item.by or item.premises)
    if before.going_ms is None or (item.answer is Answer.ON_SCENE and Answer.ON_SCENE not in said_before):
        words = "is there" if item.answer is Answer.ON_SCENE else "is going"
        told = [one for one in (*before.premises, *ctx.dossier(incident).called) if one != item.premises]
        ctx.page(incident, f"{item.premises} {words}", Rung.GROUP, premises=tuple(several(told)))


def _cannot(ctx: Context, incident: str) -> None:
    shown, asked = ctx.incident(incident), ctx.dossier(incident).called
    no = [one for one in asked if one in shown.answers and shown.answers[one].answer is Answer.CANNOT]
    if asked and len(no) == len(asked) and NOBODY_CAN not in shown.conditions:
        ctx.flag(incident, NOBODY_CAN)
        ctx.page(incident, f"none of the {len(asked)} neighbours called can come: {', '.join(asked)}")
        ladder.hurry(ctx, incident)


def _members(ctx: Context, incident: Incident) -> set[str]:
    return {*incident.calls, *calls.neighbours(ctx, incident.id, Reach.ADJACENT)}


def _survivor(ctx: Context, incident: Incident) -> Incident:
    """Itself, or the incident it turned out to be one with."""
    parent = ctx.tables.incidents.get((ctx.area, incident.parent)) if incident.parent else None
    return _survivor(ctx, parent) if parent is not None and parent.rule == incident.rule else incident


def _called_for(ctx: Context, premises: str, key: str | None) -> Incident | None:
    """The open incident whose cause a panel heard of: among those of its groups and their adjacent groups, first one
    that called this member, then the newest. An order may have named the incident itself as the cause."""
    own = ctx.registry.groups_of(ctx.area, premises)
    near = [g.adjacent for name in own if (g := ctx.registry.groups.get((ctx.area, name))) is not None]
    groups = several([*own, *(name for names in near for name in names)])
    listed = several(i for group in groups for i in ctx.tables.open.get((ctx.area, f"in {group}")) or ())
    found = [_survivor(ctx, one) for one in map(ctx.incident, listed) if key in (one.id, *one.keys)]
    return max(found, key=lambda one: (premises in one.calls, one.raised_ms, one.id), default=None)
