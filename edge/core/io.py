"""What goes into the gateway's fold and what comes out. Every step is given the time as a Stamp."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from edge.port import Reading
from protocol.messages import Order, Result
from protocol.records import Event, Stamp


@dataclass(frozen=True, slots=True)
class Looked:
    """A driver looked at a device."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command whose signature and address are good. `hub_ms` is the gateway's estimate of hub time, or None."""

    order: Order
    hub_ms: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """The outbox committed these alarm sequences of this instance."""

    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Receipted:
    """The hub has these alarm sequences on disk, of this process or (by its instance) of an earlier one."""

    seqs: tuple[int, ...]
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Troubled:
    """The gateway's own health: `fault` began or ended (disk, clock, temperature, undervoltage, link ...)."""

    fault: str
    active: bool
    detail: dict[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline may have come; step with it at or after `next_due_ns`."""


Input: TypeAlias = Looked | Ordered | Stored | Receipted | Troubled | Tick


@dataclass(frozen=True, slots=True)
class Emit:
    """An alarm record was made; outbox and uplink take it side by side."""

    event: Event


@dataclass(frozen=True, slots=True)
class Report:
    """A telemetry reading (`point` as in protocol.records.PointName); the shell numbers and stamps it.

    `at_ns` is the monotonic time it was true.
    """

    point: str
    value: bool | int | float | str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Drive:
    """Set an output. Lamp patterns are driven by the core as on and off; the relay itself is fail-safe off."""

    output: str
    target: str
    on: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to an order."""

    order: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Remember:
    """The gateway's memory changed; the shell stores it in the same transaction as this step's events."""

    memory: Memory


Effect: TypeAlias = Emit | Report | Drive | Answer | Remember


class Ring(msgspec.Struct, frozen=True):
    """A siren that sounds for a cause until `until_wall_ms` (and `until_ns` within kernel boot `kboot`).

    `caller` is the neighbour who called; empty where it is this house's own.
    """

    output: str
    key: str
    until_ns: int
    until_wall_ms: int
    kboot: str
    caller: str = ""


class Period(msgspec.Struct, frozen=True):
    """An armed period under way: its delays, what waits on the way in, and what it raised; monotonic ns of `kboot`.

    `at` is a moment of it by both clocks, so that the next kernel boot can tell how much of a delay is left.
    """

    at: Stamp
    kboot: str
    exit_due_ns: int | None = None
    entry_due_ns: int | None = None
    waiting: dict[str, int] = {}
    trips: dict[str, int] = {}
    intruded: dict[str, int] = {}
    left_open: list[str] = []
    passed: list[str] = []


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """What a loop measured while all was well, in ohm: how often, the least, the sum, the most."""

    count: int
    low: float
    total: float
    high: float


class Memory(msgspec.Struct, frozen=True):
    """What must survive a restart: arming, latches, sirens, orders acted on (id to hub ms of expiry), causes rung.

    `rung` maps "key@premises" to wall ms of the ringing's start; `latched` zone to cause key; `bypassed` zone to why.
    `stood_down` are those of `rung` that are over: an order for another incident no longer joins them.
    `expired_ms` is the latest expiry of the orders no longer among `acted`, hub ms: none that expires by then is taken.
    `unlatching` are zones whose cause was stood down while their wire was not well: let go as soon as it is.
    `open` maps what was reported and has not ended (a zone, "zone/tamper", "device/id" ...) to its cause key, so that
    a restart neither repeats it nor forgets to say that it ended. `lamps` maps a zone to what its lamp shows, `awaited`
    to the record that set it off last, (instance, seq), until the hub has it; `again` are those of which that was not
    the first record of its cause. `periods` maps a premises to its armed
    period, `stood` a keyswitch to where it was seen last, so that a turn while nobody looked is no less a turn.
    `calls` maps a premises to the call it heard last: its cause, when (wall ms), and whether it is a drill.
    `loops` are the tallies of this day's `loop_hours` of running. `scheduled` maps a premises to the wall ms up to
    which its schedules have acted. `hushed` are causes and incidents that nothing may sound for, the newest last.
    `proved` is when the gateway last proved itself, and in which kernel boot.
    """

    modes: dict[str, str] = {}
    latched: dict[str, str] = {}
    rings: list[Ring] = []
    acted: dict[str, int] = {}
    rung: dict[str, int] = {}
    bypassed: dict[str, str] = {}
    open: dict[str, str] = {}
    lamps: dict[str, str] = {}
    awaited: dict[str, tuple[str, int]] = {}
    again: list[str] = []
    unlatching: list[str] = []
    stood_down: list[str] = []
    expired_ms: int = 0
    periods: dict[str, Period] = {}
    stood: dict[str, str] = {}
    loops: dict[str, Tally] = {}
    loop_hours: int = 0
    calls: dict[str, tuple[str, int, bool]] = {}
    scheduled: dict[str, int] = {}
    hushed: list[str] = []
    proved: tuple[Stamp, str] | None = None
