"""What an onlooker who trusts nobody writes down, and what is wrong at the very moment it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.core.entries import ALARM, TELEMETRY, Batch
from edge.core.gaps import SPANS_MAX
from edge.core.site import ZoneKind
from edge.lane import Identity
from edge.replies import WAITING_MAX as REPLIES_MAX
from hub.core.io import Conflicted, Effect, Gapped, Recorded, Send, Twinned
from hub.inbox import CALM_MAX, URGENT_MAX
from hub.intake import READINGS_MAX
from hub.journal import Draft
from hub.outgoing import ORDERS_MAX, RECEIPTS_MAX
from hub.store.port import Placed, Sample
from protocol.codec import decode
from protocol.kinds import Priority
from protocol.messages import Action, HubSession, Order, Outcome, Receipt, Result
from protocol.ranges import Ranges
from protocol.records import Event, Lane
from protocol.topics import parse
from simulators.world.village import FRESH_MS, PROFILE_MS, House

if TYPE_CHECKING:
    from simulators.world.hub import SimHub
    from simulators.world.process import Process
    from simulators.world.world import World

WAIT_MS = 2_000
"""How long a P1 or P2 may wait for a line that is free."""
TRAVEL_MS = 45_000
"""How long a message can be under way at most, held by two lines that both ends still believe in."""
EARLY_MS = 1_500
SURE_MS = 1_500
BOUNCE_MS = 100
"""A contact that was let go for less is, to whoever debounces it, still the one activation."""
UNKNOWN_MS = FRESH_MS + 8_000
EXPIRED_MS = 2_000
"""How far an estimate of the hub's time may be off."""


class Violation(NamedTuple):
    """A promise broken: which check saw it, when, at which step, and what."""

    check: str
    at_ms: int
    step: int
    text: str

    def __str__(self) -> str:
        return f"{self.check} at {self.at_ms / 1000:.3f} s, step {self.step}: {self.text}"


@dataclass(slots=True)
class Cause:
    """One activation of a wire. `sure` once somebody looked for long enough while it lasted."""

    number: int
    kind: ZoneKind
    house: House
    zone: str
    start_ms: int
    end_ms: int | None = None
    seen_ms: int | None = None
    sure: bool = False
    first: bool = True
    bounced: bool = False


class Made(NamedTuple):
    """A record as it was made, with the true time of what it tells."""

    event: Event
    true_ms: int
    made_ms: int
    cause: int | None


@dataclass
class Counts:
    """What a run had in it."""

    causes: int = 0
    records: int = 0
    commits: int = 0
    entries: int = 0
    receipts: int = 0
    faults: int = 0
    readings: int = 0
    orders: int = 0
    incidents: int = 0
    restarts: int = 0


@dataclass
class _Hold:
    """A lane whose credit is none: since when, and what was sent since."""

    since_ms: int
    sent: int = 0


@dataclass
class _Ears:
    credit_ms: int = 0
    held: dict[Lane, _Hold] = field(default_factory=dict)
    sessions: dict[Lane, str] = field(default_factory=dict)


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
        self.orders: dict[str, Order] = {}
        self.waited_ms = 0
        self.placed: dict[str, int] = {}
        self._first: dict[tuple[str, int], tuple[int, bool]] = {}
        self._ears: dict[str, _Ears] = {}

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
        self._ears[process.me.instance] = _Ears()
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
        self._first[process.me.instance, event.seq] = (now_ms, event.priority <= Priority.P2)

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

    def sent(self, process: Process, lane: Lane, batch: Batch) -> None:
        """A batch was handed to a link."""
        now_ms = self.world.loop.now_ms
        held = self._ears[process.me.instance].held.get(lane)
        if held is not None:
            held.sent += sum(entry.priority > 1 or entry.sends > 1 for entry in batch.entries)  # a new P1 may pass
            allowed = 1 + (now_ms - held.since_ms) // ALARM.probe_ms
            if held.sent > allowed:
                text = f"{process.me.gateway} sent {held.sent} records of {lane} while told to hold; allowed {allowed}"
                self.broken("credit", text)
        if lane is Lane.ALARM:
            for entry in batch.entries:
                self._waited(process, entry.instance, entry.seq, now_ms)

    def _waited(self, process: Process, instance: str, seq: int, now_ms: int) -> None:
        made = self._first.pop((instance, seq), None)
        if made is None or not made[1] or instance != process.me.instance:
            return
        ears = self._ears[instance]
        if Lane.ALARM in ears.held:
            return
        line_ms = self.world.free_since_ms(process.me.gateway)
        free_ms = max(made[0], process.free_since_ms(), line_ms, ears.credit_ms)
        self.waited_ms = max(self.waited_ms, now_ms - free_ms)
        if now_ms - free_ms > WAIT_MS:
            self.broken("waiting", f"record {seq} of {process.me.gateway} waited {now_ms - free_ms} ms on a free line")

    def hears(self, process: Process, lane: Lane, topic: str, data: bytes) -> None:
        """A message from the hub came to a process."""
        ears = self._ears[process.me.instance]
        if topic.startswith("lf/1/hub/"):
            session = decode(data, HubSession)
            if session.online and ears.sessions.get(lane) != session.session:
                ears.sessions[lane] = session.session
                if ears.held.pop(lane, None) is not None and lane is Lane.ALARM:
                    ears.credit_ms = self.world.loop.now_ms
        elif topic.endswith("/receipt"):
            found = decode(data, Receipt)
            if found.lane is lane:
                if found.credit == 0:
                    ears.held.setdefault(lane, _Hold(self.world.loop.now_ms))
                elif ears.held.pop(lane, None) is not None and lane is Lane.ALARM:
                    ears.credit_ms = self.world.loop.now_ms

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

    def probed(self, process: Process) -> None:
        """Every few seconds: bounds, and what a process believes of devices nobody can see."""
        for box, limits in ((process.alarm, ALARM), (process.telemetry, TELEMETRY)):
            lane = box.delivery
            self._bound("records", box.lane, len(lane), limits.records_max + limits.extra_max)
            self._bound("bytes", box.lane, lane.held.bytes, limits.bytes_max + limits.extra_max * 40_000)
            self._bound("gaps", box.lane, len(lane.gaps), SPANS_MAX)
            self._bound("outbox", box.lane, box.outbox.unstored(), limits.records_max + limits.extra_max)
        self._bound("replies", Lane.ALARM, len(process.uplink.replies), REPLIES_MAX)
        now_ms = self.world.loop.now_ms
        for device, since_ms in self.world.bus_dead_ms.items():
            if device.startswith(process.me.gateway) and now_ms - max(since_ms, process.began_ms) > UNKNOWN_MS:
                houses = {h.id for h in self.world.village.houses if h.device == device}
                shown = [zone for zone in process.gateway.birth_zones() if zone.premises in houses]
                if fresh := [zone.id for zone in shown if zone.health != "unknown"]:
                    self.broken("stale", f"{fresh[0]} is shown as {shown[0].health} though {device} answers nobody")

    # What the hub does

    def committed(self, drafts: Sequence[Draft]) -> None:
        """The journal has these."""
        self.counts.commits += 1
        self.counts.entries += len(drafts)
        for draft in drafts:
            taken = draft.taken
            if isinstance(taken, Recorded | Conflicted):
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

    def recorded(self, sample: Sample) -> None:
        """The telemetry store has a reading."""
        true_ms = self.told.pop((sample.gateway, sample.instance, sample.seq), None)
        if true_ms is None or sample.placed is not Placed.AGE:
            return
        off_ms = sample.at_ms - self.world.start_ms - true_ms
        if not -EARLY_MS <= off_ms <= TRAVEL_MS:
            self.broken("stale", f"{sample.point} of {sample.gateway} is shown {off_ms} ms off its time")

    def watched_hub(self, hub: SimHub) -> None:
        """Now and then: bounds of the hub, and what it believes of gateways it does not hear."""
        self._bound("desk inbox", Lane.ALARM, len(hub.rounds.inbox), URGENT_MAX + CALM_MAX)
        self._bound("telemetry inbox", Lane.TELEMETRY, hub.intake.weight, READINGS_MAX)
        self._bound("outgoing", Lane.ALARM, len(hub.receipting.alarm_out), ORDERS_MAX + RECEIPTS_MAX)
        if hub.metrics.registry.get_sample_value("lianfang_inputs_set_aside_total"):
            self.broken("set aside", "a message or an input could not be taken")
        if hub.rounds.down is not None or hub.book.slow:
            return
        now_ms = self.world.loop.now_ms
        for view in hub.desk.gateways():
            silent_ms = now_ms - max(self.heard.get(view.id, 0), hub.began_ms, self.world.journal_well_ms)
            if silent_ms > PROFILE_MS + 20_000 and view.up is not False:
                self.broken("silence", f"{view.id} was not heard for {silent_ms} ms and is not shown as lost")

    def _bound(self, what: str, lane: Lane, found: Any, allowed: int) -> None:
        if found > allowed:
            self.broken("bounds", f"{what} of the {lane} lane: {found}; allowed {allowed}")
