"""Which gateways are heard. Pure: the hub's monotonic ms are arguments, and only what a gateway says now counts.

Loss is judged by last heard alone (a killed broker sends no Will); a retained message proves nothing about now.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.io import Linked
from hub.core.registry import GatewayEntry, Registry
from hub.core.views import GatewayView
from protocol.messages import Birth, Session, ZoneBorn


@dataclass(slots=True)
class Known:
    """One gateway as it was last heard. `heard_ms` is hub wall, `heard_mono_ms` hub monotonic; None: not yet."""

    entry: GatewayEntry
    grace_from_ms: int
    told: bool | None = None
    heard_ms: int | None = None
    heard_mono_ms: int | None = None
    birth: Birth | None = None
    session: Session | None = None
    zones: dict[str, ZoneBorn] = field(default_factory=dict)

    def silent_from_ms(self) -> int:
        """Monotonic ms from which the silence counts: last heard, or the hub's start."""
        return self.grace_from_ms if self.heard_mono_ms is None else self.heard_mono_ms


class Links:
    """Every gateway of the registry. After a start each gets one full reporting time, and is unknown until heard."""

    def __init__(self, registry: Registry, mono_ms: int) -> None:
        self.known = {key: Known(entry, mono_ms) for key, entry in registry.gateways.items()}

    def recall(self, views: list[GatewayView]) -> None:
        """What the desk was told before the hub's start."""
        for view in views:
            if (known := self.known.get((view.area, view.id))) is not None:
                # Of one that was up the view says when it was last heard before the loss; it was heard since.
                known.told, known.heard_ms = view.up, view.since_ms if view.up else view.heard_ms

    def heard(self, area: str, gateway: str, mono_ms: int, now_ms: int) -> Linked | None:
        """The gateway said something just now; an input for the desk when that is news."""
        known = self.known[area, gateway]
        before_ms = known.heard_ms
        known.heard_mono_ms, known.heard_ms = mono_ms, now_ms
        if known.told is True:
            return None
        known.told = True
        return Linked(area, gateway, True, now_ms if before_ms is None else before_ms)

    def lost(self, mono_ms: int, now_ms: int) -> list[Linked]:
        """Gateways whose reporting time has passed in silence, each told once."""
        found = []
        for (area, gateway), known in self.known.items():
            silent_ms = mono_ms - known.silent_from_ms()
            if known.told is not False and silent_ms >= known.entry.profile_ms:
                known.told = False
                found.append(
                    Linked(area, gateway, False, now_ms - silent_ms if known.heard_ms is None else known.heard_ms)
                )
        return found

    def born(self, area: str, gateway: str, birth: Birth, zones: list[ZoneBorn]) -> bool:
        """Take a birth over; False for one of an older boot."""
        known = self.known[area, gateway]
        if known.birth is not None and birth.boot < known.birth.boot:
            return False
        known.birth = birth
        known.zones = {zone.id: zone for zone in zones}
        return True

    def session(self, area: str, gateway: str, session: Session) -> bool:
        """Take a heartbeat or Will over; False for one of an older (boot, connection)."""
        known = self.known[area, gateway]
        if known.session is not None:
            last = (known.session.boot, known.session.connection)
            if (session.boot, session.connection) < last:
                return False
            # The Will of a connection, kept by the broker and sent late, ends nothing that beats still.
        known.session = session
        return True

    def online(self) -> int:
        """How many gateways were heard within their reporting time."""
        return sum(known.told is True for known in self.known.values())

    def count_lost(self) -> int:
        """How many were not."""
        return sum(known.told is False for known in self.known.values())
