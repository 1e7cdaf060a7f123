"""Incidents as points. What is told again (at a change, after a restart) is the same series at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from hub.core.acts import Stage
from hub.core.effects import Page
from hub.core.heard import Linked
from hub.core.incident import NOBODY_CAN, UNRESOLVED, Incident
from hub.measures.places import Places
from hub.measures.point import NS_PER_MS, Point, known, tags_of

MUST_LOOK = "must_look"


def points_of(incident: Incident, places: Places) -> Iterator[Point]:
    """The incident as it stands, and every milestone it has come to."""
    yield _itself(incident, places)
    for milestone, at_ms, after_ms in _milestones(incident):
        rung = incident.rung.value if milestone == "accepted" else None
        tags = _tags(incident, places, milestone=milestone, rung=rung)
        fields = known(after_ms=after_ms, incident=incident.id, priority=int(incident.priority))
        yield Point("response", tags, fields, _at_ns(incident.id, at_ms))
    if incident.resolved_ms is not None and incident.disposition is not None:
        tags = _tags(
            incident,
            places,
            disposition=incident.disposition.value,
            false_cause=incident.false_cause,
        )
        fields = known(
            incident=incident.id,
            rule=incident.rule,
            priority=int(incident.priority),
            after_ms=incident.resolved_ms - incident.raised_ms,
            zones=len(incident.false_zones),
        )
        yield Point("resolution", tags, fields, _at_ns(incident.id, incident.resolved_ms))


def page_of(page: Page, incident: Incident | None, places: Places, at_ms: int) -> Point:
    """Somebody was called."""
    village = places.of_group(page.area, incident.group) if incident is not None else None
    tags = tags_of(area=page.area, village=village, rung=page.rung.value)
    priority = int(incident.priority) if incident is not None else None
    return Point("page", tags, known(incident=page.incident, priority=priority), _at_ns(page.incident, at_ms))


def link_of(news: Linked, places: Places, at_ms: int) -> Point:
    """A gateway was lost, or heard again."""
    fields = known(up=int(news.up), silent_ms=max(0, at_ms - news.heard_ms))
    return Point("link", places.tags(news.area, news.gateway), fields, at_ms * NS_PER_MS)


def _itself(incident: Incident, places: Places) -> Point:
    fields = known(
        incident=incident.id,
        group=incident.group,
        priority=int(incident.priority),
        state=incident.state.value,
        open=int(incident.state in UNRESOLVED),
        rung=incident.rung.value,
        presses=incident.presses,
        premises=len(incident.premises),
        called=len(incident.calls),
        late_ms=incident.late_ms,
        parent=incident.parent or "",
        must_look=int(MUST_LOOK in incident.conditions),
        nobody_can=int(NOBODY_CAN in incident.conditions),
        disposition=incident.disposition.value if incident.disposition is not None else "",
        false_cause=incident.false_cause or "",
        raised_after_ms=incident.raised_ms - incident.event_ms,
        ringing_after_ms=_after(incident.rang_ms, incident.event_ms),
        going_after_ms=_after(incident.going_ms, incident.event_ms),
        accepted_after_ms=_after(incident.accepted_ms, incident.raised_ms),
        resolved_after_ms=_after(incident.resolved_ms, incident.raised_ms),
    )
    return Point(
        "incident", _tags(incident, places, rule=incident.rule), fields, _at_ns(incident.id, incident.raised_ms)
    )


def _milestones(incident: Incident) -> Iterator[tuple[str, int, int]]:
    """(milestone, hub wall ms, ms it took)."""
    on_scene = [stages[Stage.ON_SCENE] for stages in incident.responders.values() if Stage.ON_SCENE in stages]
    for milestone, at_ms, from_ms in (
        ("ringing", incident.rang_ms, incident.event_ms),
        ("going", incident.going_ms, incident.event_ms),
        ("accepted", incident.accepted_ms, incident.raised_ms),
        ("on_scene", min(on_scene, default=None), incident.raised_ms),
        ("resolved", incident.resolved_ms, incident.raised_ms),
    ):
        if at_ms is not None:
            yield milestone, at_ms, at_ms - from_ms


def _tags(incident: Incident, places: Places, **more: str | None) -> tuple[tuple[str, str], ...]:
    village = places.of_group(incident.area, incident.group)
    return tags_of(area=incident.area, village=village, drill=str(int(incident.drill)), **more)


def _at_ns(incident: str, at_ms: int) -> int:
    """Incidents of one series in the same ms are told apart by their ids."""
    return at_ms * NS_PER_MS + crc32(incident.encode()) % NS_PER_MS


def _after(at_ms: int | None, from_ms: int) -> int | None:
    return None if at_ms is None else at_ms - from_ms
