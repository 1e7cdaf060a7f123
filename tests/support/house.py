"""A small village in virtual time: the gateway's fold with words for what happens to it.

Every record and reading it makes is decoded as the hub would, so no test passes with one that the wire refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

import protocol.records
from edge.core.bounds import stamp_at
from edge.core.gateway import Gateway
from edge.core.io import Answer, Drive, Effect, Emit, Input, Looked, Memory, Ordered, Receipted, Remember, Report, Tick
from edge.core.site import NATURES, Contact, Judge, Limits, Output, Premises, Role, Site, Zone, ZoneKind
from edge.port import Reading, Value
from protocol.messages import Action, Order, Result
from protocol.records import ClockQuality, Event, Stamp

START_MS = 1_700_000_000_000
BOOT_MS = 1_000_000
FRESH_MS = 1_000
ACTIVE = Contact(True)
NOTHING = Memory()


def zone(name: str, kind: ZoneKind, judge: Judge = ACTIVE, **keys: object) -> Zone:
    """A zone called "h01-door" of h01 on point gpio/h01_door, with the defaults of its kind and no delays."""
    nature = NATURES[kind]
    made = Zone(
        name, name.partition("-")[0], kind, f"gpio/{name.replace('-', '_')}", judge, nature.arming, FRESH_MS,
        on_ms=0, off_ms=0, latches=nature.latches,
    )  # fmt: skip
    return replace(made, **keys)  # type: ignore[arg-type]  # Zone's own fields


def siren(premises: str) -> Output:
    """The siren of a premises."""
    return Output(f"{premises}-siren", premises, Role.SIREN, f"gpio/{premises}_siren")


def village(
    *zones: Zone, homes: Iterable[Premises] = (), outputs: Iterable[Output] = (), limits: Limits | None = None
) -> Site:
    """Households h01 to h03 in group east unless told otherwise, each with a siren."""
    premises = tuple(homes) or tuple(Premises(f"h0{n}", True, ("east",)) for n in (1, 2, 3))
    sirens = tuple(siren(p.id) for p in premises)
    groups = {"east": tuple(p.id for p in premises)}
    return Site("hengjie", "gw-east", zones, premises, (*sirens, *outputs), groups, limits or Limits())


@dataclass
class House:
    """A gateway with a clock one can move. What it did is in `events`, `reports`, `drives`, `answers`, in order."""

    site: Site
    memory: Memory = NOTHING
    boot: int = 1
    kboot: str = "0" * 32
    ms: int = 0
    quality: ClockQuality = ClockQuality.SYNCED
    start_ms: int = START_MS
    events: list[Event] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    on: dict[str, bool] = field(default_factory=dict)
    unheard: bool = False

    def __post_init__(self) -> None:
        self.values: dict[str, Value] = {}
        self._orders = 0
        self.gateway = Gateway(self.site, self.memory, instance=self.instance, kboot=self.kboot, now=self.now)
        self._took(self.gateway.start(self.now))

    @property
    def instance(self) -> str:
        """Of this process."""
        return f"{self.boot:032x}"

    @property
    def now(self) -> Stamp:
        """The time."""
        return Stamp((BOOT_MS + self.ms) * 1_000_000, self.start_ms + self.ms, self.quality)

    def step(self, item: Input) -> list[Effect]:
        """One input now."""
        effects = self.gateway.step(item, self.now)
        self._took(effects)
        return effects

    def later(self, ms: int) -> None:
        """Let time pass, with a tick at each deadline, and nobody looking at anything."""
        end_ms = self.ms + ms
        while (due_ns := self.gateway.next_due_ns()) is not None and due_ns <= (BOOT_MS + end_ms) * 1_000_000:
            self.ms = max(self.ms, -(-due_ns // 1_000_000) - BOOT_MS)
            self.step(Tick())
        self.ms = end_ms
        self.step(Tick())

    def watch(self, ms: int, every_ms: int = 400) -> None:
        """Let time pass while every point is looked at and stays as it is."""
        end_ms = self.ms + ms
        while self.ms < end_ms:
            self.later(min(every_ms, end_ms - self.ms))
            self.look()

    def look(self, **values: Value) -> None:
        """Look at all points; those named have new values. A dash in a zone's name is an underscore here."""
        self.values |= values
        at_ns = self.now.mono_ns
        self.looked(Reading("gpio", at_ns, at_ns, dict(self.values)))

    def looked_at(self, **values: Value) -> None:
        """Look at these points alone: the board of the others has not answered yet."""
        at_ns = self.now.mono_ns
        self.looked(Reading("gpio", at_ns, at_ns, values))

    def looked(self, reading: Reading) -> None:
        """This very look."""
        self.step(Looked(reading))

    def fail(self, *points: str) -> None:
        """A look at which these points (none named: all) could not be read."""
        failed = points or tuple(self.values)
        good = {name: value for name, value in self.values.items() if name not in failed}
        at_ns = self.now.mono_ns
        self.looked(Reading("gpio", at_ns, at_ns, good, dict.fromkeys(failed, "time-out")))

    def order(self, action: Action, *premises: str, **keys: object) -> tuple[Result, ...]:
        """Give an order that is good for a minute; gives the answer."""
        self._orders += 1
        wall_ms = self.now.wall_ms
        name, times = f"o-{self.boot}-{self._orders}", (wall_ms, wall_ms + 60_000)
        order = Order(name, "hengjie", self.site.gateway, action, *times, premises=list(premises))
        for key, value in keys.items():
            order = _with(order, key, value)
        return self.give(order)

    def give(self, order: Order) -> tuple[Result, ...]:
        """Give this very order. The hub has every record made before it, unless `unheard`."""
        known = tuple(event.seq for event in self.events if event.at.wall_ms <= order.issued_ms)
        if known and not self.unheard:
            self.step(Receipted(known))
        self.step(Ordered(order, self.now.wall_ms))
        return self.answers[-1].results

    def restarted(self, after_ms: int = 1_000, kboot: str | None = None, quality: ClockQuality | None = None) -> House:
        """The process ends and another begins with what was remembered."""
        return House(
            self.site,
            self.memory,
            self.boot + 1,
            kboot or self.kboot,
            self.ms + after_ms,
            quality or self.quality,
            self.start_ms,
        )

    def told(self) -> list[tuple[str, str, str | None]]:
        """The records as (kind, qualifier, zone)."""
        return [(event.kind.value, event.qualifier.value, event.zone) for event in self.events]

    def points(self) -> list[tuple[str, object]]:
        """The telemetry as (point, value)."""
        return [(report.point, report.value) for report in self.reports]

    def ringing(self) -> set[str]:
        """The premises whose siren sounds."""
        return {output.removesuffix("-siren") for output, on in self.on.items() if on and output.endswith("-siren")}

    def rang(self, premises: str) -> int:
        """How often the siren of a premises began to sound."""
        states = [drive.on for drive in self.drives if drive.output == f"{premises}-siren"]
        return sum(on and not before for before, on in zip([False, *states], states, strict=False))

    def _took(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Emit(event):
                    assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event
                    self.events.append(event)
                case Report(point, value, _):
                    reading = protocol.records.Reading(1, point, value, stamp_at(self.now, 0))
                    assert msgspec.json.decode(msgspec.json.encode(reading), type=type(reading)) == reading
                    self.reports.append(effect)
                case Drive():
                    self.drives.append(effect)
                    self.on[effect.output] = effect.on
                case Answer():
                    self.answers.append(effect)
                case Remember(memory):
                    self.memory = memory


def _with(order: Order, name: str, value: object) -> Order:
    fields = {field: getattr(order, field) for field in order.__struct_fields__}
    return Order(**{**fields, name: value})
