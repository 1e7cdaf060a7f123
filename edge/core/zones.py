"""The zones with their wires and latches, and what may leave a home about them: health always, more if opted in."""

from __future__ import annotations

from typing import Literal

from edge.core.events import Scribe
from edge.core.io import Memory
from edge.core.site import Site, Zone
from edge.core.zone import Change, Wire
from protocol.messages import ZoneBorn
from protocol.records import Condition

HEALTH: dict[Condition, Literal["online", "fault", "unknown"]] = {
    Condition.NORMAL: "online",
    Condition.ALARM: "online",
    Condition.TAMPER: "fault",
    Condition.FAULT: "fault",
    Condition.UNKNOWN: "unknown",
}


class Zones:
    """`latched` maps a zone to the cause it stands in alarm for; those of `unlatching` go once their wire is well.

    `latched_ns` is when that was last set off, monotonic ns, as far as this process saw it.
    """

    def __init__(self, site: Site, memory: Memory, scribe: Scribe) -> None:
        self.wires = {zone.id: Wire(zone) for zone in site.zones}
        self.latched = {zone: key for zone, key in memory.latched.items() if zone in self.wires}
        self.unlatching = self.latched.keys() & set(memory.unlatching)
        self.latched_ns: dict[str, int] = {}
        self._health: dict[str, str] = {}
        self._scribe = scribe

    def of(self, premises: str) -> list[Wire]:
        """The zones of one premises."""
        return [wire for wire in self.wires.values() if wire.zone.premises == premises]

    def shown(self, wire: Wire) -> Condition:
        """The condition to tell: a latched zone stays in alarm while its wire is well."""
        latched = wire.zone.id in self.latched and wire.condition is Condition.NORMAL
        return Condition.ALARM if latched else wire.condition

    def latch(self, zone: Zone, key: str, at_ns: int) -> None:
        """Have a zone stand in alarm for a cause until it is let go."""
        self.latched[zone.id] = key
        self.latched_ns[zone.id] = at_ns
        self.unlatching.discard(zone.id)
        self._scribe.changed = True

    def unlatch_later(self, zone: str) -> None:
        """Let a latched zone go once its wire is well: its cause is over."""
        self.unlatching.add(zone)
        self._scribe.changed = True

    def over(self) -> set[str]:
        """The causes that zones still stand for though they are over."""
        return {self.latched[zone] for zone in self.unlatching}

    def unlatch(self, zone: str) -> str:
        """Let a latched zone go; gives the cause it stood for. One that is not latched is a KeyError."""
        self.unlatching.discard(zone)
        self.latched_ns.pop(zone, None)
        self._scribe.changed = True
        return self.latched.pop(zone)

    def tell(self, zone: Zone, change: Change) -> None:
        """Report a change as far as it may leave: health when that is another, the condition where it reports all."""
        if zone.report == "every":
            self._scribe.report(f"zone/{zone.id}", change.now.value, change.at_ns)
        health = HEALTH[change.now]
        if self._health.get(zone.id, "unknown") != health:
            self._health[zone.id] = health
            self._scribe.report(f"zone/{zone.id}/health", health, change.at_ns)

    def tell_all(self) -> None:
        """Say every zone's health again, and its condition where that may leave."""
        now_ns = self._scribe.now.mono_ns
        for zone, wire in self.wires.items():
            self._scribe.report(f"zone/{zone}/health", HEALTH[wire.condition], now_ns)
            if wire.zone.report == "every":
                self._scribe.report(f"zone/{zone}", self.shown(wire).value, now_ns)

    def born(self) -> list[ZoneBorn]:
        """Every zone as it may be told at birth."""
        return [
            ZoneBorn(
                id=wire.zone.id,
                premises=wire.zone.premises,
                kind=wire.zone.kind,
                health=HEALTH[wire.condition],
                condition=self.shown(wire) if wire.zone.report == "every" else None,
            )
            for wire in self.wires.values()
        ]
