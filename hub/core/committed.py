"""What is read of a desk: committed state only, so it may be read at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from hub.core import abroad, blame, dedup, escalation, orders, placing
from hub.core.alarm_views import AlarmViews
from hub.core.clocks import Evidence
from hub.core.defaults import Defaults, Levels
from hub.core.drill import Drill, reported
from hub.core.effects import Send
from hub.core.incident import UNRESOLVED, Incident, State
from hub.core.instruction import Instruction
from hub.core.io import Due
from hub.core.ledger import Book, Tally
from hub.core.plan import Plan
from hub.core.proof import ProofView, shown
from hub.core.registry import Registry, of_area
from hub.core.reloaded import InForce
from hub.core.state import Tables
from hub.core.views import Counts, GatewayView, GroupView, ZoneView, gateway_view, group_view, zone_view
from protocol.kinds import Priority
from protocol.ranges import Ranges


class Committed:
    """The committed state of a desk, as the shell and the API read it."""

    def __init__(self, registry: Registry, defaults: Defaults) -> None:
        self._registry = registry
        self._defaults = defaults
        self._tables = Tables()
        self.alarms = AlarmViews(self._tables, defaults)

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """What may be receipted: committed alarm sequences per instance, declared gaps included. Copies."""
        return dedup.marks(self._tables, area, gateway)

    def owner_of(self, area: str, order: str) -> str | None:
        """The area of the incident an order at a gateway of `area` belongs to, where that is another: its replies are
        that area's."""
        return abroad.owner_of(self._tables, self._registry.areas, area, order)

    def books(self, area: str, gateway: str) -> list[Book]:
        """What came of each process of a gateway, and what is missing; to be read, not changed. Lowest boot first."""
        return dedup.books(self._tables, area, gateway)

    def tally(self, areas: Iterable[str]) -> Tally:
        """Missing alarm records of these areas."""
        return sum((self._tables.tallies.committed((area,)) or Tally() for area in areas), Tally())

    def boot(self, area: str, gateway: str) -> int:
        """The highest boot number among the processes of a gateway that records came of; 0 when none did."""
        return dedup.boot(self._tables, area, gateway)

    def clock(self, area: str, gateway: str, kboot: str) -> Evidence:
        """What is known of the time of a gateway's kernel boot, to place readings of it."""
        return placing.committed(self._tables, area, gateway, kboot)

    def due(self, at_ms: int) -> list[Due]:
        """Deadlines that have come, earliest first; step each as an input (they stay due until committed)."""
        return [Due(area, name) for _, area, name in self._tables.timers.come(at_ms)]

    def next_due_ms(self) -> int | None:
        """When the next deadline comes, hub wall ms; None when there is none."""
        return self._tables.timers.next_ms()

    def accept_due_ms(self, area: str, incident: str) -> int | None:
        """When an incident climbs a rung unless it is accepted, hub wall ms; None where no such limit runs."""
        return self._tables.timers.committed((area, escalation.ACCEPT + incident))

    def resume(self, at_ms: int, of: tuple[str, str] | None = None) -> list[Send]:
        """Orders not answered and not expired, to be sent again under their own ids: all after a restart of the hub,
        those `of` one gateway (area, id) when that is newly connected and may have missed them."""
        return orders.outstanding(self._tables, self._registry.areas, at_ms, of)

    def incident(self, area: str, incident: str) -> Incident | None:
        """One incident; None when there is none, or it was archived longer ago than the desk remembers."""
        return self._tables.incidents.committed((area, incident))

    def incidents(self, area: str | None = None, states: Collection[State] | None = None) -> list[Incident]:
        """Incidents of an area (or all) in these states (or any), most urgent first, then newest."""
        found = [
            incident
            for (of, _), incident in self._tables.incidents.items()
            if area in (None, of) and (states is None or incident.state in states)
        ]
        return sorted(found, key=lambda i: (i.priority, -i.event_ms, i.area, i.id))

    def instructions(self, area: str, premises: str) -> list[Instruction]:
        """What operators ordered of one premises, the newest first."""
        known = self._tables.instructed.committed((area, premises)) or ()
        found = (self._tables.instructions.committed((area, order)) for order in reversed(known))
        return [one for one in found if one is not None]

    @property
    def levels(self) -> Levels:
        """By what the response levels divide the accept limits."""
        return self._defaults.levels

    def plan(self, area: str) -> Plan:
        """The response level of an area, and what is planned."""
        return self._tables.levels.committed((area,)) or Plan()

    def drills(self, area: str, now_ms: int) -> list[Drill]:
        """The drills of an area, the newest plan first; of one that runs the report is as it stands at `now_ms`."""
        names = self._tables.drilled.committed((area,)) or ()
        found = [self._tables.drills.committed((area, name)) for name in reversed(names)]
        return [self._reported(one, now_ms) for one in found if one is not None]

    def drill(self, area: str, drill: str, now_ms: int) -> Drill | None:
        """One drill; None when there is none, or it was longer ago than the desk remembers."""
        found = self._tables.drills.committed((area, drill))
        return None if found is None else self._reported(found, now_ms)

    def _reported(self, drill: Drill, now_ms: int) -> Drill:
        incidents = (self.incident(drill.area, name) for name in drill.incidents)
        return msgspec.structs.replace(drill, report=reported(drill, [i for i in incidents if i is not None], now_ms))

    def proofs(self, area: str, now_ms: int) -> list[ProofView]:
        """Every registered gateway of an area with its proof as it is at `now_ms` (hub wall), by id."""
        fault_ms = self._defaults.proof.fault_ms
        return [
            shown(area, gateway, self._tables.proofs.committed((area, gateway)), fault_ms, now_ms)
            for gateway in sorted(of_area(self._registry.gateways, area))
        ]

    def linked(self) -> list[tuple[str, str]]:
        """Every gateway (area, id) whose link was ever told."""
        return [key for key, _ in self._tables.links.items()]

    def in_force(self, area: str) -> InForce | None:
        """By which registry an area is judged since it last changed; None where it never did."""
        return self._tables.registries.committed((area,))

    @property
    def causes(self) -> list[str]:
        """What a false alarm may be resolved as."""
        return list(self._defaults.causes.false_alarm)

    def false_alarms(self, areas: Collection[str], since_ms: int = 0) -> list[blame.ZoneBlamed]:
        """Zones of these areas with their false alarms resolved since then (hub wall ms), the worst first."""
        return blame.worst(self._tables, self._registry, areas, since_ms)

    def group(self, area: str, group: str) -> GroupView | None:
        """One group with its open incidents and who of it is being called."""
        known = self._registry.groups.get((area, group))
        return None if known is None else group_view(self._tables, area, group, known)

    def groups(self, area: str | None = None) -> list[GroupView]:
        """Every group of an area, or of all."""
        keys = [(of, group) for of in self._areas(area) for group in sorted(of_area(self._registry.groups, of))]
        return [view for key in keys if (view := self.group(*key)) is not None]

    def gateways(self, area: str | None = None) -> list[GatewayView]:
        """Every gateway with its link as the desk was told (None: never told)."""
        return [
            gateway_view(self._tables, of, gateway, entry.profile_ms)
            for of in self._areas(area)
            for gateway, entry in sorted(of_area(self._registry.gateways, of).items(), key=lambda item: item[0])
        ]

    def zones(self, area: str | None = None, gateway: str | None = None) -> list[ZoneView]:
        """Every zone with its live conditions from events; unknown while its gateway is not heard."""
        return [
            zone_view(self._tables, entry)
            for of in self._areas(area)
            for _, entry in sorted(of_area(self._registry.zones, of).items(), key=lambda item: item[0])
            if gateway in (None, entry.gateway)
        ]

    def zone(self, area: str, zone: str) -> ZoneView | None:
        """One zone; None when the registry has none."""
        entry = self._registry.zones.get((area, zone))
        return zone_view(self._tables, entry) if entry is not None else None

    def counts(self, area: str | None = None) -> Counts:
        """Live counts for the console's head line and the metrics."""
        incidents = self.incidents(area, None)
        unresolved = [i for i in incidents if i.state in UNRESOLVED]
        by_priority = Counter(i.priority.name for i in unresolved)
        states = Counter(str(i.state) for i in incidents)
        return Counts(
            unresolved={priority.name: by_priority[priority.name] for priority in Priority},
            states={str(state): states[str(state)] for state in State},
            unaccepted=sum(i.state is State.REPORTED and i.parent is None for i in unresolved),
            gateways_down=sum(not link.up for (of, _), link in self._tables.links.items() if area in (None, of)),
            zones_live=sum(
                any(live.live for live in lives.values())
                for (of, zone), lives in self._tables.zones.items()
                if area in (None, of) and (of, zone) in self._registry.zones
            ),
        )

    def snapshot(self) -> bytes:
        """The whole committed state as canonical JSON: equal states give equal bytes."""
        return self._tables.snapshot()

    def _areas(self, area: str | None) -> list[str]:
        return sorted(self._registry.areas) if area is None else [area]
