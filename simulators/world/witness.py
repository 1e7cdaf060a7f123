"""What an onlooker who trusts nobody writes down, and what is wrong at the very moment it happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge.core.site import ZoneKind
from edge.lane import Identity
from hub.core.effects import Effect, Send
from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Twinned
from hub.core.load import Flooded
from hub.journal import Draft
from hub.store.port import Placed, Sample
from protocol.codec import decode
from protocol.messages import Action, Order, Outcome, Receipt, Result
from protocol.ranges import Ranges
from protocol.records import Event, Lane
from protocol.topics import parse
from simulators.world.hearing import Hearing
from simulators.world.seen import EARLY_MS, TRAVEL_MS, Cause, Counts, Loss, Made, Violation
from simulators.world.village import House

if TYPE_CHECKING:
    from simulators.world.process import Process
    from simulators.world.world import World

SURE_MS = 1_500
BOUNCE_MS = 100
"""A contact that was let go for less is, to whoever debounces it, still the one activation."""
QUIET_MS = 60_000
"""Longer than two heartbeats are apart: between what was heard before it and after it there may have been a loss."""
EXPIRED_MS = 2_000
"""How far an estimate of the hub's time may be off."""


class Witness:
    """Sees everything that crosses a boundary."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counts = Counts()
        self.violations: list[Violation] = []
        self.causes: list[Cause] = []
        self.active: dict[str, Cause] = {}
        self.made: dict[tuple[str, str, int], Made] = {}
        self.told: dict[tuple[str, str, int], int] = {}
        self.durable: dict[tuple[str, str], Ranges] = {}
        self.effects: set[Effect] = set()
        self.sirens: dict[str, list[list[int]]] = {}
        self.starts: dict[str, list[int]] = {}
        self.heard: dict[str, int] = {}
        self.known: dict[tuple[str, str, int], int] = {}
        self.losses: list[Loss] = []
        self._spoke: dict[str, tuple[int, int]] = {}
        self.orders: dict[str, Order] = {}
        self.hearing = Hearing(world, self.broken)
        self.placed: dict[str, int] = {}

    def broken(self, check: str, text: str) -> None:
        """A promise is broken now."""
        self.violations.append(Violation(check, self.world.loop.now_ms, self.world.loop.steps, text))

    # What happens at the wire

    def begun(self, house: House, kind: ZoneKind, zone: str) -> None:
        """A contact is active now."""
        now_ms, before = self.world.loop.now_ms, [cause for cause in self.causes if cause.zone == zone]
        bounced = bool(before) and now_ms - (before[-1].end_ms or 0) < BOUNCE_MS
        cause = Cause(len(self.causes), kind, house, zone, now_ms, first=not before, bounced=bounced)
        self.counts.causes += 1
        self.causes.append(cause)
        self.active[zone] = cause
        self.watched(house.gateway)

    def over(self, zone: str) -> None:
        """And no more."""
        cause = self.active.pop(zone)
        self._judge(cause)
        cause.end_ms = self.world.loop.now_ms

    def consoled(self, zone: str) -> None:
        """Whoever pressed lets go because somebody is coming."""
        self.active[zone].consoled = True

    def watched(self, gateway: str) -> None:
        """Who looks at what may have changed just now."""
        for cause in self.active.values():
            if cause.house.gateway == gateway:
                self._judge(cause)

    def _judge(self, cause: Cause) -> None:
        machine, now_ms = self.world.machines[cause.house.gateway], self.world.loop.now_ms
        if cause.seen_ms is not None and now_ms - cause.seen_ms >= SURE_MS:
            cause.sure = True
        sound = machine.is_up(cause.house.device) and not self.world.card_ails(cause.house.gateway)
        cause.seen_ms = (cause.seen_ms or now_ms) if sound else None

    # What a gateway's process does

    def began(self, process: Process) -> None:
        """A process begins."""
        self.hearing.began(process)
        self.starts.setdefault(process.me.gateway, []).append(self.world.loop.now_ms)

    def ended(self, process: Process) -> None:
        """A process is killed."""
        self.counts.restarts += 1

    def emitted(self, process: Process, event: Event, true_ms: int) -> None:
        """A record was made."""
        self.counts.records += 1
        cause = self._cause_of(event)
        now_ms = self.world.loop.now_ms
        key = (process.me.gateway, process.me.instance, event.seq)
        self.made[key] = Made(event, true_ms, now_ms, cause.number if cause is not None else None)
        self.hearing.emitted(process, event)

    def _cause_of(self, event: Event) -> Cause | None:
        if event.zone is None:
            return None
        if (cause := self.active.get(event.zone)) is not None:
            return cause
        return next((cause for cause in reversed(self.causes) if cause.zone == event.zone), None)

    def reported(self, me: Identity, seq: int, point: str, true_ms: int) -> None:
        """A reading was made."""
        self.counts.readings += 1
        self.told[me.gateway, me.instance, seq] = true_ms

    def stored(self, process: Process, seqs: Sequence[int]) -> None:
        """A lane says that these are on the card."""
        records = process.machine.card.lanes[Lane.ALARM].records
        for seq in seqs:
            key = (process.me.instance, seq)
            if key not in records and key in {entry.key for entry in process.alarm.delivery}:
                self.broken("stored", f"{process.me.gateway} says record {seq} is stored and it is not")

    def ordered(self, process: Process, order: Order) -> None:
        """An order came whose signature is good."""
        self.orders[order.id] = order

    def answered(self, process: Process, name: str, results: Sequence[Result]) -> None:
        """What a process made of an order."""
        order = self.orders.get(name)
        if order is None or order.action is not Action.SIREN:
            return
        late_ms = self.world.true_ms() - order.expires_ms
        fresh = (process.me.instance, name) not in self.world.acted
        if late_ms > EXPIRED_MS and fresh and any(result.outcome is Outcome.DONE for result in results):
            self.broken("expired", f"{process.me.gateway} acted on {name} {late_ms} ms after it expired")
        self.world.acted.add((process.me.instance, name))

    def showed(self, gateway: str, output: str, on: bool) -> None:
        """An output is on or off now."""
        if not output.endswith("-siren"):
            return
        spans, now_ms = self.sirens.setdefault(output.removesuffix("-siren"), []), self.world.loop.now_ms
        if on:
            spans.append([now_ms, -1])
        elif spans and spans[-1][1] < 0:
            spans[-1][1] = now_ms

    # What the hub hears and does

    def arrived(self, gateway: str, by_itself: bool) -> None:
        """A message from a gateway is at a living hub; a Will is the broker's word."""
        now_ms = self.world.loop.now_ms
        self.heard[gateway] = now_ms
        if by_itself:
            before_ms, last_ms = self._spoke.get(gateway, (now_ms, now_ms))
            self._spoke[gateway] = (last_ms if now_ms - last_ms > QUIET_MS else before_ms, now_ms)

    def _lost(self, gateway: str, said_ms: int, known_ms: int) -> None:
        before_ms, last_ms = self._spoke.get(gateway, (0, 0))
        heard_ms = self.world.start_ms + (last_ms if known_ms - self.world.start_ms - last_ms > QUIET_MS else before_ms)
        self.losses.append(Loss(gateway, heard_ms, said_ms, known_ms))

    def committed(self, drafts: Sequence[Draft]) -> None:
        """The journal has these."""
        self.counts.commits += 1
        self.counts.entries += len(drafts)
        for draft in drafts:
            taken = draft.taken
            if isinstance(taken, Linked) and not taken.up:
                self._lost(taken.gateway, taken.heard_ms, draft.at_ms)
            elif isinstance(taken, Recorded | Conflicted):
                self.known.setdefault((taken.gateway, taken.instance, taken.event.seq), draft.at_ms)
                seen = self.durable.setdefault((taken.gateway, taken.instance), Ranges())
                new = seen.add(taken.event.seq)
                if not new and isinstance(taken, Recorded):
                    self.broken("twice", f"record {taken.event.seq} of {taken.gateway} was committed twice")
            elif isinstance(taken, Gapped) and not taken.by_hub:  # what the hub closes is not to be receipted
                self.durable.setdefault((taken.gateway, taken.instance), Ranges()).add(taken.first, taken.last)
            elif isinstance(taken, Twinned):
                self.broken("twins", f"{taken.gateway} was restarted, and the hub holds it for two gateways")

    def receipting(self, topic: str, data: bytes) -> None:
        """A receipt is put on its way: what it claims is on the disk, or it lies."""
        found, address = decode(data, Receipt), parse(topic)
        assert address is not None
        if found.lane is not Lane.ALARM:
            return
        self.counts.receipts += 1
        for instance, spans in found.committed.items():
            durable = self.durable.setdefault((address.gateway, instance), Ranges())
            for first, last in spans:
                if durable.copy().add(first, last):
                    self.broken("receipt", f"{address.gateway} is told {first} to {last} are committed; they are not")

    def performed(self, effect: Effect) -> None:
        """An order or a page left the hub."""
        self.counts.orders += isinstance(effect, Send)
        self.effects.add(effect)

    def flooded(self, flood: Flooded) -> None:
        """A flood of alarms began or ended: nothing the world is judged by."""

    def recorded(self, sample: Sample) -> None:
        """The telemetry store has a reading."""
        true_ms = self.told.pop((sample.gateway, sample.instance, sample.seq), None)
        if true_ms is None or sample.placed is not Placed.AGE:
            return
        off_ms = sample.at_ms - self.world.start_ms - true_ms
        if not -EARLY_MS <= off_ms <= TRAVEL_MS:
            self.broken("stale", f"{sample.point} of {sample.gateway} is shown {off_ms} ms off its time")
