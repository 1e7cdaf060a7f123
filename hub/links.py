"""Which gateways are heard. Pure: the hub's monotonic ms are arguments, and only what a gateway says now counts.

Loss is judged by last heard alone (a killed broker sends no Will); a retained message proves nothing about now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from hub.core.heard import Linked, Twinned
from hub.core.registry import GatewayEntry, Key, Registry
from hub.core.views import GatewayView
from hub.speakers import VOICES_MAX, Speakers
from protocol.messages import Birth, Session, ZoneBorn


@dataclass(slots=True)
class Known:
    """One gateway as it was last heard. `heard_ms` is hub wall, `heard_mono_ms` hub monotonic; None: not yet.

    `birth`, `zones` and `session` are those of the process that is shown; `births` has those of others beside it.
    `watched`: it stands among those whose silence is looked for.
    """

    entry: GatewayEntry
    grace_from_ms: int
    speakers: Speakers
    told: bool | None = None
    heard_ms: int | None = None
    heard_mono_ms: int | None = None
    birth: Birth | None = None
    session: Session | None = None
    zones: dict[str, ZoneBorn] = field(default_factory=dict)
    births: dict[str, tuple[Birth, dict[str, ZoneBorn]]] = field(default_factory=dict)
    watched: bool = True

    def silent_from_ms(self) -> int:
        """Monotonic ms from which the silence counts: last heard, or the hub's start."""
        return self.grace_from_ms if self.heard_mono_ms is None else self.heard_mono_ms


class Links:
    """Every gateway of the registry. After a start each gets one full reporting time, and is unknown until heard."""

    def __init__(self, registry: Registry, mono_ms: int) -> None:
        self.known = {
            key: Known(entry, mono_ms, Speakers(entry.profile_ms)) for key, entry in registry.gateways.items()
        }
        self._watch = [(mono_ms + known.entry.profile_ms, *key) for key, known in self.known.items()]
        heapify(self._watch)
        self._count: dict[bool | None, int] = {None: len(self.known), True: 0, False: 0}

    def under(self, entries: Mapping[Key, GatewayEntry | None], mono_ms: int) -> None:
        """These gateways are new or others than before, or (None) not in the registry any more. What was heard of those
        that stay is still known; a new one gets its full reporting time."""
        for key, entry in entries.items():
            known = self.known.get(key)
            if entry is None:
                if known is not None:
                    self._count[known.told] -= 1
                    del self.known[key]
            elif known is not None:
                known.entry = entry
            else:
                self.known[key] = Known(entry, mono_ms, Speakers(entry.profile_ms))
                self._count[None] += 1
                heappush(self._watch, (mono_ms + entry.profile_ms, *key))

    def recall(self, views: list[GatewayView]) -> None:
        """What the desk was told before the hub's start."""
        for view in views:
            if (known := self.known.get((view.area, view.id))) is not None:
                # Of one that was up the view says when it was last heard before the loss; it was heard since.
                self._tell(known, view.up)
                known.heard_ms = view.since_ms if view.up else view.heard_ms
                known.speakers = Speakers(view.profile_ms, view.rightful, view.seconds, known.grace_from_ms)

    def spoke(self, area: str, gateway: str, instance: str, boot: int, mono_ms: int) -> Twinned | None:
        """A process said of itself just now that it is there; an input for the desk when it shows another state of
        two gateways under one name."""
        known = self.known[area, gateway]
        before = known.speakers.rightful
        news = known.speakers.heard(instance, boot, mono_ms)
        rightful = known.speakers.rightful
        assert rightful is not None
        if (news or rightful != before) and rightful in known.births:
            known.birth, known.zones = known.births[rightful]
        if news and known.session is not None and known.speakers.is_second(known.session.instance):
            known.session = None
        return Twinned(area, gateway, rightful, list(known.speakers.seconds)) if news else None

    def obeying(self, area: str, gateway: str) -> tuple[str | None, ...]:
        """The processes that commands to a gateway are for; None for whichever hears it."""
        known = self.known.get((area, gateway))
        return (None,) if known is None else known.speakers.obeying()

    def counts(self, area: str, gateway: str, instance: str) -> bool:
        """Whether what a process says shows that the gateway is there: beside a second, the rightful one's alone."""
        speakers = self.known[area, gateway].speakers
        return not speakers.seconds or instance == speakers.rightful

    def heard(self, area: str, gateway: str, mono_ms: int, now_ms: int) -> Linked | None:
        """The gateway said something just now; an input for the desk when that is news."""
        known = self.known[area, gateway]
        before_ms = known.heard_ms
        known.heard_mono_ms, known.heard_ms = mono_ms, now_ms
        if known.told is True:
            return None
        self._tell(known, True)
        if not known.watched:
            known.watched = True
            heappush(self._watch, (mono_ms + known.entry.profile_ms, area, gateway))
        return Linked(area, gateway, True, now_ms if before_ms is None else before_ms)

    def lost(self, mono_ms: int, now_ms: int) -> list[Linked]:
        """Gateways whose reporting time has passed in silence, each told once.

        Looks at those alone of which nothing was heard when it was last looked; the others of a county cost nothing.
        """
        found = []
        while self._watch and self._watch[0][0] <= mono_ms:
            _, area, gateway = heappop(self._watch)
            known = self.known.get((area, gateway))
            if known is None:  # it left the registry
                continue
            due_ms = known.silent_from_ms() + known.entry.profile_ms
            if known.told is False:
                known.watched = False
            elif due_ms > mono_ms:
                heappush(self._watch, (due_ms, area, gateway))
            else:
                known.watched = False
                self._tell(known, False)
                before_ms = due_ms - known.entry.profile_ms
                heard_ms = now_ms - (mono_ms - before_ms) if known.heard_ms is None else known.heard_ms
                found.append(Linked(area, gateway, False, heard_ms))
        return found

    def _tell(self, known: Known, up: bool | None) -> None:
        self._count[known.told] -= 1
        self._count[up] += 1
        known.told = up

    def born(self, area: str, gateway: str, birth: Birth, zones: list[ZoneBorn]) -> bool:
        """Take a birth over; False for one of an older boot, which is shown only once its process is the rightful."""
        known = self.known[area, gateway]
        made = {zone.id: zone for zone in zones}
        known.births.pop(birth.instance, None)
        known.births[birth.instance] = (birth, made)
        if len(known.births) > VOICES_MAX + 1:
            del known.births[next(iter(known.births))]
        if (
            known.birth is not None
            and birth.boot < known.birth.boot
            and not self._supersedes(known, birth, known.birth)
        ):
            return False
        known.birth, known.zones = birth, made
        return True

    def session(self, area: str, gateway: str, session: Session) -> bool:
        """Take a heartbeat or Will over; False for one of an older (boot, connection), or another process's Will."""
        known = self.known[area, gateway]
        last = known.session
        if last is not None:
            older = (session.boot, session.connection) < (last.boot, last.connection)
            if session.instance != last.instance and not session.online:
                return False
            if older and not self._supersedes(known, session, last):
                return False
            # The Will of a connection, kept by the broker and sent late, ends nothing that beats still.
        known.session = session
        return True

    def _supersedes(self, known: Known, now: Birth | Session, last: Birth | Session) -> bool:
        """A lower boot is newer all the same where its process is the rightful one, and the other known to be none: an
        old card, or a clock that is unset, counts anew."""
        return now.instance == known.speakers.rightful and not known.speakers.may_be(last.instance)

    def online(self) -> int:
        """How many gateways were heard within their reporting time."""
        return self._count[True]

    def count_lost(self) -> int:
        """How many were not."""
        return self._count[False]
