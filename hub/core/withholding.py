"""Whether people are told of an incident: not while every record of it is shelved, out of service, or suppressed by
design. It stands in the list all the same, with the reason, and a P1 is never withheld by anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from hub.core import escalation, suppressing
from hub.core.context import Context
from hub.core.hold import At, Hold, Sort
from hub.core.incident import RETURNED, Incident, State
from hub.core.rules import named
from hub.core.rules.base import REVIEW, Mark, OutageRule, ParentRule
from protocol.kinds import Priority

HELD_MAX = 256
"""Incidents one hold or one cause keeps back at a time; the next is told."""
BY_DESIGN = "by design, "
OVER = ("restored", "link_restored")


@dataclass(frozen=True, slots=True)
class Keeper:
    """What keeps a record back: a hold, or by design a named rule and the incident it follows from."""

    sort: Sort
    why: str
    hold: Hold | None = None
    cause: str = ""


def weigh(ctx: Context, incident: str, new: Sequence[Mark] = (), first: bool = False) -> bool:
    """Before anybody is told of what an incident has come to: whether they are. True when it was withheld till now, or
    over before it was told, and `new` records or its priority bring it before people."""
    shown = ctx.incident(incident)
    if shown.state is not State.REPORTED or not (first or shown.withheld or RETURNED in shown.conditions):
        return False
    if keepers := _keepers(ctx, shown):
        _keep_back(ctx, shown, keepers, counted=first or bool(new))
        return False
    if first or not (new or shown.withheld):
        return False
    _clear(ctx, incident)
    return True


def reconsider(ctx: Context, incident: str, why: str, by: str | None = None) -> bool:
    """What withheld an incident is gone: it is told now, unless something else withholds it or it is over. Gives
    whether anything changed."""
    shown = ctx.tables.incidents.get((ctx.area, incident))
    if shown is None or shown.withheld is None:
        return False
    if keepers := _keepers(ctx, shown):
        _keep_back(ctx, shown, keepers, counted=False)
        return True
    _clear(ctx, incident)
    if any(condition in shown.conditions for condition in OVER):
        ctx.flag(incident, RETURNED)
        ctx.note(incident, RETURNED, by=by, why=f"{why}; it was over before anybody was told")
        return True
    ctx.note(incident, "told", by=by, why=f"{why}; it is still open")
    if shown.priority is not Priority.P4 and not escalation.covered(ctx, ctx.incident(incident)):
        ctx.page(incident, f"{why}, still open: {shown.why}")
    ctx.presented.append(incident)
    escalation.start(ctx, incident)
    return True


def keep_back_open(ctx: Context, at: At, place: str) -> list[str]:
    """What is open and told there already is withheld from now on. It walks the incidents there are: holds are rare."""
    found = []
    for (area, incident), shown in sorted(ctx.tables.incidents.entries()):
        here = {At.ZONE: shown.zones, At.PREMISES: shown.premises, At.GATEWAY: shown.gateways}[at]
        told = area == ctx.area and shown.state is State.REPORTED and not shown.withheld
        if told and place in here and (keepers := _keepers(ctx, shown)):
            _keep_back(ctx, shown, keepers, counted=False)
            found.append(incident)
    return found


def cause_over(ctx: Context, cause: str) -> None:
    """An incident is resolved: what was suppressed because of it is looked at by itself."""
    held = ctx.tables.suppressed.get((ctx.area, cause)) or ()
    if held:
        ctx.tables.suppressed.put((ctx.area, cause), None)
    for incident in held:
        reconsider(ctx, incident, f"{cause} is resolved")


def words(ctx: Context, marks: Iterable[Mark]) -> str:
    """That a place among them is out of service, for whoever is told all the same; "" where none is."""
    found = (hold for mark in marks for at, place in places(mark) for hold in _holds(ctx, at, place))
    out = next((hold for hold in found if hold.sort is Sort.OUT_OF_SERVICE), None)
    return f"{out.at} {out.place} is out of service: {out.reason}" if out is not None else ""


def places(mark: Mark) -> list[tuple[At, str]]:
    """Where a record comes of, the nearest first."""
    named_places = ((At.ZONE, mark.zone), (At.PREMISES, mark.premises), (At.GATEWAY, mark.gateway))
    return [(at, place) for at, place in named_places if place is not None]


def suppressed_words(why: str) -> tuple[str, str]:
    """By what name something is suppressed, and for which incident, of the words that say so."""
    by, _, cause = why.removeprefix(BY_DESIGN).partition(": ")
    return by, cause


def key(at: At, place: str) -> str:
    """Under what the holds of a place are kept."""
    return f"{at}:{place}"


def _holds(ctx: Context, at: At, place: str) -> tuple[Hold, ...]:
    return ctx.tables.holds.get((ctx.area, key(at, place))) or ()


def _keepers(ctx: Context, shown: Incident) -> list[Keeper]:
    """What keeps each of its records back; none when a single one is not, and never of a P1 or a drill."""
    if shown.drill or shown.priority is Priority.P1:
        return []
    rule = named(shown.rule)
    rules = {shown.rule, *(rule.follows if isinstance(rule, ParentRule | OutageRule) else ())}
    found: list[Keeper] = []
    for mark in ctx.dossier(shown.id).marks:
        keeper = _held(ctx, mark, shown, rules) or _by_design(ctx, mark, shown)
        if keeper is None:
            return []
        found.append(keeper)
    return found


def _held(ctx: Context, mark: Mark, shown: Incident, rules: set[str]) -> Keeper | None:
    for at, place in places(mark):
        if at is At.GATEWAY and (mark.zone or mark.premises) and shown.priority is Priority.P2:
            continue  # a gateway under repair does not silence the doors of the ten houses that hang on it
        for hold in _holds(ctx, at, place):
            runs = hold.until_ms is None or ctx.at_ms < hold.until_ms
            about = (hold.rule is None or hold.rule in rules) and mark.what != REVIEW
            if runs and about and shown.priority >= hold.most and _room(ctx, hold.held, shown.id):
                return Keeper(hold.sort, hold.reason, hold)
    return None


def _by_design(ctx: Context, mark: Mark, shown: Incident) -> Keeper | None:
    found = suppressing.cause(ctx, mark) if shown.priority >= Priority.P3 else None
    if found is None or found[1] == shown.id:
        return None
    name, cause = found
    if not _room(ctx, ctx.tables.suppressed.get((ctx.area, cause)) or (), shown.id):
        return None
    return Keeper(Sort.SUPPRESSED, f"{BY_DESIGN}{name}: {cause}", cause=cause)


def _room(ctx: Context, held: Sequence[str], incident: str) -> bool:
    return incident in held or len(held) < HELD_MAX or len(_still(ctx, held)) < HELD_MAX


def _still(ctx: Context, held: Iterable[str]) -> tuple[str, ...]:
    """Those that are withheld to this day: of the others somebody took care, or they were told."""
    known = ((one, ctx.tables.incidents.get((ctx.area, one))) for one in held)
    return tuple(one for one, shown in known if shown is not None and shown.withheld)


def _keep_back(ctx: Context, shown: Incident, keepers: Sequence[Keeper], counted: bool) -> None:
    first = min(keepers, key=lambda one: list(Sort).index(one.sort))
    before = shown.withheld
    for sort in Sort:
        ctx.flag(shown.id, sort.value, sort is first.sort)
    ctx.flag(shown.id, RETURNED, False)
    for keeper in keepers:
        _register(ctx, shown.id, keeper)
    if before is not first.sort:
        ctx.note(shown.id, first.sort.value, by=first.hold.by if first.hold is not None else None, why=first.why)
    if counted:
        ctx.withheld[shown.id] = first.sort.value
    escalation.stop(ctx, shown.id)


def _register(ctx: Context, incident: str, keeper: Keeper) -> None:
    if keeper.hold is None:
        known = ctx.tables.suppressed.get((ctx.area, keeper.cause)) or ()
        if incident not in known:
            ctx.tables.suppressed.put((ctx.area, keeper.cause), (*_still(ctx, known), incident))
        return
    at, place = keeper.hold.at, keeper.hold.place
    holds = _holds(ctx, at, place)
    now = next(hold for hold in holds if hold.slot == keeper.hold.slot)  # it may have another of these records by now
    if incident not in now.held:
        more = replace(now, held=(*_still(ctx, now.held), incident), count=now.count + 1)
        ctx.tables.holds.put((ctx.area, key(at, place)), tuple(more if hold is now else hold for hold in holds))


def _clear(ctx: Context, incident: str) -> None:
    for sort in Sort:
        ctx.flag(incident, sort.value, False)
    ctx.flag(incident, RETURNED, False)
