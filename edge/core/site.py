"""What a gateway is configured to watch and drive: zones, premises, groups, outputs, and the limits they obey."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from edge.core.calendar import UTC, Calendar, Nightly, Schedule
from edge.core.modes import Mode as Mode
from protocol.kinds import Kind
from protocol.records import Condition


class Arming(StrEnum):
    """When a zone is live: always, in both armed modes, or only when everybody is away."""

    ALWAYS = "24h"
    PERIMETER = "perimeter"
    INTERIOR = "interior"


class ZoneKind(StrEnum):
    """What a zone's sensor is."""

    DOOR = "door"
    WINDOW = "window"
    MOTION = "motion"
    GLASS_BREAK = "glass_break"
    SMOKE = "smoke"
    GAS = "gas"
    WATER = "water"
    PANIC = "panic"
    DURESS = "duress"
    SILENT_HOLDUP = "silent_holdup"
    TAMPER = "tamper"
    MAINS = "mains"
    BATTERY = "battery"
    NVR_ONLINE = "nvr_online"
    NVR_DISK = "nvr_disk"
    NVR_CHANNELS = "nvr_channels"
    NVR_RECORDING = "nvr_recording"
    KEYSWITCH = "keyswitch"
    ARM_BUTTON = "arm_button"
    ANSWER = "answer"
    METER = "meter"


class Nature(NamedTuple):
    """What follows from a zone's kind unless the configuration says otherwise."""

    raises: Kind | None
    arming: Arming
    latches: bool = False
    rings_group: bool = False
    silent: bool = False


NATURES: dict[ZoneKind, Nature] = {
    ZoneKind.DOOR: Nature(Kind.INTRUSION, Arming.PERIMETER),
    ZoneKind.WINDOW: Nature(Kind.INTRUSION, Arming.PERIMETER),
    ZoneKind.GLASS_BREAK: Nature(Kind.INTRUSION, Arming.PERIMETER),
    ZoneKind.MOTION: Nature(Kind.INTRUSION, Arming.INTERIOR),
    ZoneKind.SMOKE: Nature(Kind.FIRE, Arming.ALWAYS, latches=True, rings_group=True),
    ZoneKind.GAS: Nature(Kind.GAS, Arming.ALWAYS, latches=True, rings_group=True),
    ZoneKind.WATER: Nature(Kind.WATER, Arming.ALWAYS),
    ZoneKind.PANIC: Nature(Kind.PANIC, Arming.ALWAYS, latches=True, rings_group=True),
    ZoneKind.DURESS: Nature(Kind.DURESS, Arming.ALWAYS, silent=True),
    ZoneKind.SILENT_HOLDUP: Nature(Kind.SILENT_HOLDUP, Arming.ALWAYS, silent=True),
    ZoneKind.TAMPER: Nature(Kind.TAMPER, Arming.ALWAYS),
    ZoneKind.MAINS: Nature(Kind.MAINS_LOST, Arming.ALWAYS),
    ZoneKind.BATTERY: Nature(Kind.BATTERY_LOW, Arming.ALWAYS),
    ZoneKind.NVR_ONLINE: Nature(Kind.NVR_OFFLINE, Arming.ALWAYS),
    ZoneKind.NVR_DISK: Nature(Kind.NVR_DISK, Arming.ALWAYS),
    ZoneKind.NVR_CHANNELS: Nature(Kind.VIDEO_LOSS, Arming.ALWAYS),
    ZoneKind.NVR_RECORDING: Nature(Kind.RECORDING_STALE, Arming.ALWAYS),
    ZoneKind.KEYSWITCH: Nature(None, Arming.ALWAYS),
    ZoneKind.ARM_BUTTON: Nature(None, Arming.ALWAYS),
    ZoneKind.ANSWER: Nature(None, Arming.ALWAYS),
    ZoneKind.METER: Nature(None, Arming.ALWAYS),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Two states: `alarm` is the value that means alarm."""

    alarm: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A measured value in [low, high) means `condition`; outside every band it means fault.

    Once in the band a value stays in it within [keep_low, keep_high), so that one at its edge does not chatter; None:
    the edge itself. `says` tells two bands of one condition apart.
    """

    low: float
    high: float
    condition: Condition
    keep_low: float | None = None
    keep_high: float | None = None
    says: str = ""

    def keeps(self, value: float) -> bool:
        """Whether a value that was in the band still is."""
        low = self.low if self.keep_low is None else self.keep_low
        return low <= value < (self.high if self.keep_high is None else self.keep_high)


@dataclass(frozen=True, slots=True)
class Feed:
    """A loop measured as the voltage across it, fed with `volt` through `ohm`."""

    ohm: float
    volt: float


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop with end-of-line resistors: its bands are in ohm. Without a `feed` the value is the resistance."""

    bands: tuple[Band, ...]
    feed: Feed | None = None


Judge: TypeAlias = Contact | tuple[Band, ...] | Loop


@dataclass(frozen=True, slots=True)
class Hand:
    """What turning or pressing a zone does to its partition: a keyswitch, an arm button, a duress position.

    It arms `mode`, leaving out what is in the way where it is to `force`. A button held for `hold_ms` disarms; with 0
    it never does.
    """

    mode: Mode = Mode.ARMED_AWAY
    force: bool = False
    hold_ms: int = 0


@dataclass(frozen=True, slots=True)
class Zone:
    """One supervised input. `source` is "device/point"; times in ms.

    `report` is "every" where each change of condition may leave the premises (stations, enterprise sites, and
    households that opted in); such a record raises nothing by itself. A duress zone that `disarms` is the position of a
    key, or the code, that looks like a disarm. `answer` is what an answer button says; None: "going" when it is
    pressed, and "on_scene" too when it is held.
    """

    id: str
    premises: str
    kind: ZoneKind
    source: str
    judge: Judge
    arming: Arming
    fresh_ms: int
    on_ms: int = 30
    off_ms: int = 30
    latches: bool = False
    entry_route: bool = False
    report: str = "alarm"
    swinger_trips: int = 2
    hand: Hand = Hand()
    disarms: bool = False
    answer: Literal["going", "on_scene", "cannot"] | None = None


class Role(StrEnum):
    """What an output is for."""

    SIREN = "siren"
    LAMP = "lamp"


@dataclass(frozen=True, slots=True)
class Output:
    """A siren of a premises, or the lamp of a panic button (`zone`). `target` is "device/point".

    A siren that `pulses` says which neighbour called; others sound steady.
    """

    id: str
    premises: str
    role: Role
    target: str
    zone: str | None = None
    pulses: bool = False


@dataclass(frozen=True, slots=True)
class Premises:
    """One household or enterprise site: one partition, with its groups. Times in ms."""

    id: str
    household: bool
    groups: tuple[str, ...] = ()
    mode: Mode = Mode.DISARMED
    entry_ms: int = 30_000
    exit_ms: int = 60_000
    report_arming: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The defaults of the design that the gateway obeys; ms unless said.

    A zone is unknown from its freshness deadline on; a silence becomes a record once it has lasted `device_lost_ms`.
    """

    siren_house_ms: int = 180_000
    siren_group_ms: int = 300_000
    abort_ms: int = 30_000
    chirp_ms: int = 500
    press_join_ms: int = 300_000
    rung_memory_ms: int = 24 * 3_600_000
    swinger_quiet_ms: int = 8 * 3_600_000
    chatter_transitions: int = 10
    chatter_window_ms: int = 60_000
    device_lost_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class Site:
    """Everything one gateway serves. `groups` maps a group to all its members, local and remote.

    `fresh` maps each device to the ms after its last answer when it counts as silent; a device that only carries
    sirens is watched too, because a siren that cannot ring must not go unnoticed. A site without `proof` does not prove
    itself; one that was read from a file always does.
    """

    area: str
    gateway: str
    zones: tuple[Zone, ...]
    premises: tuple[Premises, ...]
    outputs: tuple[Output, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Limits = Limits()
    digest: str = "0" * 64
    fresh: dict[str, int] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    calendar: Calendar = UTC
    proof: Nightly | None = None
