"""Buttons by which a member answers a call: going, on scene, cannot. Times are monotonic ns."""

from __future__ import annotations

from edge.core.bounds import NS_PER_MS
from edge.core.called import Called
from edge.core.deadlines import Deadlines, Timer
from edge.core.events import Scribe, Where
from edge.core.site import Zone, ZoneKind
from edge.core.zone import Change, Wire
from edge.core.zones import Zones
from protocol.kinds import Kind, Qualifier
from protocol.records import Condition

ANSWER = "answer"
"""The deadline of a button that is held."""
GOING, ON_SCENE = "going", "on_scene"
HELD_MS = 3_000
"""Held so long, a button without a meaning of its own says "on scene"."""


class AnswerButtons:
    """A press answers the call its premises heard last; with no call to answer it says nothing. A button that is held
    when the process begins was pressed for who knows what."""

    def __init__(self, zones: Zones, called: Called, scribe: Scribe, deadlines: Deadlines) -> None:
        self._zones, self._called, self._scribe, self._deadlines = zones, called, scribe, deadlines

    def moved(self, wire: Wire, change: Change) -> None:
        """A zone's condition settled."""
        zone = wire.zone
        if zone.kind is not ZoneKind.ANSWER or change.now is change.was:
            return
        self._deadlines.clear(Timer(ANSWER, zone.id))
        pressed = change.now is Condition.ALARM and change.was is Condition.NORMAL
        if pressed and self._say(zone, change.at_ns) and zone.answer is None:
            self._deadlines.set(Timer(ANSWER, zone.id), change.at_ns + HELD_MS * NS_PER_MS)

    def held(self, zone: str, now_ns: int) -> None:
        """A button was held long enough to mean more."""
        wire = self._zones.wires[zone]
        if wire.condition is Condition.ALARM:
            self._say(wire.zone, now_ns, ON_SCENE)

    def _say(self, zone: Zone, at_ns: int, answer: str | None = None) -> bool:
        call = self._called.of(zone.premises, self._scribe.now)
        if call is not None:
            detail = {"device": zone.source.partition("/")[0], "answer": answer or zone.answer or GOING}
            where = Where(zone.premises, zone.id, detail)
            self._scribe.emit(Kind.ANSWER, Qualifier.NEW, call.key, at_ns, where, call.drill)
        return call is not None
