"""The desk: one fold from committed inputs to incidents and what must be done about them.

The shell's round, for a batch of inputs:

    desk.begin()
    effects = [effect for item in batch for effect in desk.step(item, at_ms)]   # sees its own changes
    ... write the inputs whose `desk.verdict.effective` to the journal ...
    desk.commit()      # or desk.rollback(): the state is exactly as before begin()
    ... perform the effects, send receipts from desk.marks() ...

Views, `marks`, `due`, `next_due_ms` and `resume` show committed state only, so they may be read at any time.
Replaying the journalled inputs, each with the at_ms it was stepped with, rebuilds the same `snapshot()`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from hashlib import sha256
from typing import Any

import msgspec

from hub.core import (
    abroad,
    answers,
    blame,
    dedup,
    drilling,
    escalation,
    holding,
    instructing,
    ladder,
    levels,
    loading,
    moves,
    orders,
    placing,
    proving,
    records,
    reloading,
)
from hub.core.acts import Answered, Moved
from hub.core.alarm_views import AlarmViews
from hub.core.clocks import Evidence
from hub.core.context import Context
from hub.core.defaults import Defaults, Levels
from hub.core.drill import Drill, reported
from hub.core.effects import Effect, Send
from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Replied, Twinned
from hub.core.hold import PutBack, Shelved, TakenOut
from hub.core.incident import Incident, State
from hub.core.instruction import Instructed, Instruction
from hub.core.io import Due, Input
from hub.core.ledger import Book, Tally
from hub.core.plan import Levelled, Plan
from hub.core.proof import ProofView, shown
from hub.core.registry import Registry, of_area
from hub.core.reloaded import InForce, Reloaded
from hub.core.rules.base import Ignored, Verdict
from hub.core.state import Tables
from hub.core.trials import DrillMoved, DrillPlanned, Proved
from hub.core.views import Counts, GatewayView, GroupView, Viewer, ZoneView
from hub.core.wiring import Wiring
from protocol.ranges import Ranges

RULES_VERSION = "4"
"""Raised whenever a rule would judge the same inputs differently; goes into every journal entry."""


def config_digest(registry: str, defaults: Defaults) -> str:
    """The configuration of a desk, by its registry's digest."""
    limits = msgspec.json.encode(defaults, order="sorted")
    return sha256(registry.encode() + limits).hexdigest()


class Desk:
    """State partitioned by area and group; a step costs the same with 100 groups or 100,000.

    `verdict` says why the last step did what it did: `Duplicate`, `Ignored(reason)`, `Opens`, `Joins`, ...
    A step whose `verdict.effective` is False changed nothing and need not be journalled.
    """

    def __init__(self, registry: Registry, defaults: Defaults) -> None:
        self._registry = registry
        self._wiring = Wiring(registry)
        self._defaults = defaults
        self._tables = Tables()
        self._viewer = Viewer(registry, self._tables)
        self.alarms = AlarmViews(self._tables, defaults)
        self._open = False
        self._next: Registry | None = None
        self._config = self._next_config = config_digest(registry.digest, defaults)
        self.verdict: Verdict = Ignored("nothing came yet", effective=False)

    @property
    def config_digest(self) -> str:
        """SHA-256 over registry (in a batch its own) and defaults; with RULES_VERSION it says under what an entry of
        the journal was made."""
        return self._config if self._next is None else self._next_config

    @property
    def registry(self) -> Registry:
        """By what it judges just now."""
        return self._registry

    def under(self, registry: Registry) -> None:
        """Judge what is stepped from now on by this registry: another, or that of an entry that is folded again. What
        was done before stays as it was: who was called then is stood down, not who would be called today."""
        assert not self._open, "another registry between batches"
        self._registry, self._wiring = registry, Wiring(registry)
        self._config = config_digest(registry.digest, self._defaults)
        self._viewer = Viewer(registry, self._tables)

    @property
    def in_batch(self) -> bool:
        """Whether a batch is open: stepped, and not yet committed or rolled back."""
        return self._open

    def begin(self, registry: Registry | None = None) -> None:
        """Open a batch. One batch at a time. With a `registry`, it is judged by that one, and so is whatever comes
        after its commit; a rollback leaves the one there was."""
        assert not self._open, "one batch at a time"
        self._open, self._next = True, registry
        if registry is not None:
            self._next_config = config_digest(registry.digest, self._defaults)

    def step(self, item: Input, at_ms: int, *, replayed: bool = False) -> list[Effect]:
        """Fold one input that arrived at `at_ms` (hub wall ms) and say what must be done once it is committed.

        `replayed` inputs come from the journal: what left the registry since is borne with, so that no incident of a
        household is lost because the household moved away.
        Raises NotAllowed (NoSuchIncident among them) for a `Moved` that may not be; the batch goes on unharmed.
        """
        assert self._open, "begin a batch first"
        registry, wiring = self._registry, self._wiring
        if self._next is not None:
            registry, wiring = self._next, Wiring(self._next)
        ctx = Context(registry, self._defaults, self._tables, wiring, item.area, at_ms, replayed=replayed)
        self.verdict = self._fold(ctx, item)
        drilling.attend(ctx)
        loading.settle(ctx)
        return ctx.done()

    def commit(self) -> None:
        """The journal has the batch: take it over."""
        self._tables.commit()
        registry, self._open, self._next = self._next, False, None
        if registry is not None:
            self.under(registry)

    def rollback(self) -> None:
        """The journal did not take the batch: forget it, to the last byte."""
        self._tables.rollback()
        self._open, self._next = False, None

    def seen(self, area: str, gateway: str, instance: str, seq: int) -> bool:
        """Whether this record was taken already, in the open batch or before; then another of it is a `Duplicate`."""
        known = self._tables.seen.get((area, gateway, instance))
        return known is not None and seq in known

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
        return self._viewer.incidents(area, states)

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
        return self._viewer.group(area, group)

    def groups(self, area: str | None = None) -> list[GroupView]:
        """Every group of an area, or of all."""
        return self._viewer.groups(area)

    def gateways(self, area: str | None = None) -> list[GatewayView]:
        """Every gateway with its link as the desk was told (None: never told)."""
        return self._viewer.gateways(area)

    def zones(self, area: str | None = None, gateway: str | None = None) -> list[ZoneView]:
        """Every zone with its live conditions from events; unknown while its gateway is not heard."""
        return self._viewer.zones(area, gateway)

    def zone(self, area: str, zone: str) -> ZoneView | None:
        """One zone; None when the registry has none."""
        return self._viewer.zone(area, zone)

    def counts(self, area: str | None = None) -> Counts:
        """Live counts for the console's head line and the metrics."""
        return self._viewer.counts(area)

    def snapshot(self) -> bytes:
        """The whole committed state as canonical JSON: equal states give equal bytes."""
        return self._tables.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Take over a snapshot instead of replaying from the beginning; premises that left the registry since are
        borne with. Raises msgspec.ValidationError for what is no snapshot, and then nothing changed."""
        assert not self._open, "restore between batches"
        self._tables.load(snapshot)

    def _fold(self, ctx: Context, item: Input) -> Verdict:
        if isinstance(item, Due):
            return self._came(ctx, item)
        return FOLDS[type(item)](ctx, item)

    def _came(self, ctx: Context, item: Due) -> Verdict:
        due_ms = self._tables.timers.get((item.area, item.timer))
        if due_ms is None or due_ms > ctx.at_ms:
            return Ignored("the deadline was withdrawn or moved", effective=False)
        sort, _, name = item.timer.partition(":")
        return TIMERS[sort](ctx, name)


FOLDS: dict[type, Callable[[Context, Any], Verdict]] = {
    Recorded: records.recorded,
    Replied: instructing.answered,
    Moved: moves.move,
    Answered: answers.answered,
    Instructed: instructing.instructed,
    Levelled: levels.levelled,
    Shelved: holding.shelved,
    TakenOut: holding.taken_out,
    PutBack: holding.put_back,
    DrillPlanned: drilling.planned,
    DrillMoved: drilling.moved,
    Proved: proving.proved,
    Linked: records.linked,
    Conflicted: records.conflicted,
    Gapped: records.gapped,
    Twinned: records.twinned,
    Reloaded: reloading.reloaded,
}
"""Who takes an input."""

TIMERS: dict[str, Callable[[Context, str], Verdict]] = {
    escalation.ACCEPT.removesuffix(":"): escalation.climb,
    levels.TIMER.removesuffix(":"): levels.come,
    ladder.TIMER.removesuffix(":"): ladder.come,
    holding.UNSHELVE.removesuffix(":"): holding.expired,
    holding.REVIEWS.removesuffix(":"): holding.review_due,
    loading.TIMER.removesuffix(":"): loading.come,
    orders.RETRY.removesuffix(":"): instructing.retried,
    instructing.LET_GO.removesuffix(":"): instructing.let_go,
    moves.ARCHIVE.removesuffix(":"): moves.archived,
    moves.FORGET.removesuffix(":"): moves.forgotten,
    drilling.TIMER.removesuffix(":"): drilling.come,
    proving.DEADLINE.removesuffix(":"): proving.missing,
    proving.NOTICE.removesuffix(":"): proving.gave_up,
}
