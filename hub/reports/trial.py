"""Drills and withheld alarms as a report may know them: figures and reasons, of places only what may be told."""

from __future__ import annotations

from collections import Counter

import msgspec

from hub.core.calls import silent
from hub.core.drill import RANG, Drill, DrillState
from hub.core.effects import Rung
from hub.core.figures import Figures
from hub.reports.places import Place, Places


class Trial(msgspec.Struct, frozen=True):
    """One drill: when it was to be and was (hub wall ms), of what, where, and what it showed; spans from its start, ms.

    `rang` of `called` sirens were confirmed, `answered` members said something; `unreachable` counts gateways.
    """

    at_ms: int
    started_ms: int | None
    kind: str
    places: tuple[Place, ...]
    state: DrillState
    called: int = 0
    rang: int = 0
    answered: int = 0
    unreachable: int = 0
    rang_after_ms: int | None = None
    going_after_ms: int | None = None
    accepted_after_ms: int | None = None
    rung: Rung | None = None


class Presented(msgspec.Struct, frozen=True):
    """Alarms of an area by whole hours: those presented to operators, withheld by reason, floods and their time, ms;
    and the most frequent by rule and place, as it may be told ("": elsewhere)."""

    presented: int
    withheld: dict[str, int]
    floods: int
    flood_ms: int
    frequent: tuple[tuple[str, str, int], ...]


def trial(drill: Drill, places: Places) -> Trial:
    """A drill without its people."""
    found = {places.of(one): None for one in drill.premises}
    told = Trial(drill.at_ms, drill.started_ms, drill.kind.value, tuple(found), drill.state)
    report = drill.report
    if report is None:
        return told
    return msgspec.structs.replace(
        told,
        called=report.called,
        rang=sum(one.outcome in RANG for one in report.members),
        answered=sum(one.answer is not None for one in report.members),
        unreachable=len(report.unreachable),
        rang_after_ms=report.rang_after_ms,
        going_after_ms=report.going_after_ms,
        accepted_after_ms=report.accepted_after_ms,
        rung=report.rung,
    )


def presented(figures: Figures, places: Places) -> Presented:
    """The alarms of a time without their households."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in figures.frequent:
        where = "" if silent(one.rule) else _where(one.place, places)
        counts[one.rule, where] += one.presented
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    frequent = tuple((rule, where, count) for (rule, where), count in ranked)
    return Presented(figures.presented, figures.withheld, len(figures.floods), figures.flood_ms, frequent)


def _where(place: str, places: Places) -> str:
    sort, _, name = place.partition(":")
    if sort == "zone" and places.tells(name):
        return name
    if sort == "gateway":
        return name if places.tells_gateway(name) else ""
    if sort == "area":
        return ""
    where = places.of_zone(name) if sort == "zone" else places.of(name) if sort == "premises" else places.of(None, name)
    return where.site or where.group or places.villages.get(where.village, "")
