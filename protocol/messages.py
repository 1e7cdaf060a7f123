"""Messages: what one MQTT publication carries. Every message states its version first."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protocol.faults import Fault
from protocol.kinds import Kind
from protocol.records import AgeMs, Condition, Gap, Id, Lane, Name, NonNegative, Reading, Seq, Stamp, Text, WallMs

VERSION = 1
VERSIONS_READ = frozenset({1})
"""The hub reads version N and N-1; there is no 0."""

Instance = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="128 random bits, minted at process start")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256")]
KernelBoot = Annotated[str, Meta(pattern=r"^[0-9a-f-]{32,36}$(?!\n)")]
Range = tuple[Seq, Seq]


class ZoneBorn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A zone as the gateway knows it at birth; `condition` only where privacy lets it leave the house."""

    id: Id
    premises: Id
    kind: Name
    health: Literal["online", "fault", "unknown"]
    condition: Condition | None = None


class Birth(msgspec.Struct, frozen=True):
    """Retained: who this gateway process is. `boot` orders instances; `config` is the digest of what it runs."""

    v: int
    instance: Instance
    boot: NonNegative
    kboot: KernelBoot
    software: Text
    config: Digest
    heartbeat_ms: Annotated[int, Meta(ge=100, le=86_400_000)]
    profile_ms: Annotated[int, Meta(ge=300, le=86_400_000)]
    at: Stamp
    zones: list[ZoneBorn]


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained heartbeat, and the Will with `online` false. An older (boot, connection) pair is ignored.

    `queued` is what waits at the gateway for receipt, by lane.
    """

    v: int
    instance: Instance
    boot: NonNegative
    connection: NonNegative
    online: bool
    beat: NonNegative = 0
    at: Stamp | None = None
    queued: dict[Lane, NonNegative] = {}


class AlarmItem(msgspec.Struct, frozen=True, array_like=True):
    """One event with its age when sent, in ms by the gateway's monotonic clock; None where that is unknown.

    `event` keeps the very bytes, so that the same identity with other bytes shows as a conflict.
    """

    age_ms: AgeMs | None
    event: msgspec.Raw


class Alarms(msgspec.Struct, frozen=True, omit_defaults=True):
    """The alarm lane: events of one instance. `boot` and `kboot` are those of the instance that made them."""

    v: int
    instance: Instance
    boot: NonNegative
    kboot: KernelBoot
    items: list[AlarmItem]
    gaps: list[Gap] = []


class TelemetryItem(msgspec.Struct, frozen=True, array_like=True):
    """One reading with its age when sent, as in `AlarmItem`."""

    age_ms: AgeMs | None
    reading: Reading


class Telemetry(msgspec.Struct, frozen=True, omit_defaults=True):
    """The telemetry lane, batched: readings of one instance."""

    v: int
    instance: Instance
    boot: NonNegative
    kboot: KernelBoot
    items: list[TelemetryItem]
    gaps: list[Gap] = []


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the hub has on disk: committed sequence ranges per instance, credit in records (0 means hold), hub time.

    `boot` is the highest boot number the hub knows of this gateway: a process that is behind it leads it from then on.
    """

    v: int
    hub: Id
    lane: Lane
    committed: dict[Instance, list[Range]]
    credit: NonNegative
    hub_ms: WallMs
    boot: NonNegative = 0

    def __post_init__(self) -> None:
        for spans in self.committed.values():
            for first, last in spans:
                if first > last:
                    raise ValueError(f"a committed range runs upwards, not from {first} to {last}")


class Action(StrEnum):
    """What a command asks for."""

    SIREN = "siren"
    SILENCE = "silence"
    STAND_DOWN = "stand_down"
    COMING = "coming"
    ARM = "arm"
    DISARM = "disarm"
    RESET = "reset"
    BYPASS = "bypass"
    TEST = "test"
    REFRESH = "refresh"


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """The signed part of a command. `id` acts once; after `expires_ms` (hub wall time) it does nothing.

    `keys` are the causes of the incident, so that a gateway which already rang for one of them joins.
    `premises` are the households and sites it is for; `pressed` the household that called, told by lamp or pattern.
    `instance` is the process it is for, where the hub knows one: another, of a copied card, does not act on it.
    With `force` zones that hinder arming are left out of the armed period, and named in the reply.
    """

    id: Id
    area: Id
    gateway: Id
    action: Action
    issued_ms: WallMs
    expires_ms: WallMs
    premises: list[Id] = []
    zone: Id | None = None
    incident: Id | None = None
    keys: list[Id] = []
    pressed: Id | None = None
    kind: Kind | None = None
    mode: Literal["armed_home", "armed_away"] | None = None
    duration_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    drill: bool = False
    instance: Instance | None = None
    force: bool = False


class Command(msgspec.Struct, frozen=True):
    """An order's very bytes with their Ed25519 signature (64 bytes in base64), made by the hub key named `key`."""

    v: int
    key: Id
    order: msgspec.Raw
    signature: bytes


class Outcome(StrEnum):
    """What became of a command at one household or site. `joined`: it was ringing (or had rung) for the same cause."""

    DONE = "done"
    JOINED = "joined"
    REFUSED = "refused"
    FAILED = "failed"


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome at one premises, with the reason for a refusal or failure."""

    premises: Id | None
    outcome: Outcome
    reason: Text = ""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to a command or a configuration (`faults` names everything wrong with a refused one).

    `meant` is the instance an order or configuration named, where that is another than this one: then the reply says
    nothing of what becomes of it.
    """

    v: int
    instance: Instance
    boot: NonNegative
    order: Text
    results: list[Result] = []
    faults: list[Fault] = []
    at: Stamp | None = None
    meant: Instance | None = None


class Config(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained desired site configuration, as TOML text, with its SHA-256.

    `instance` is the process it is for, while a second gateway is known under this name; any takes one without.
    """

    v: int
    sha256: Digest
    toml: str
    instance: Instance | None = None


class HubSession(msgspec.Struct, frozen=True):
    """Retained: a hub is there; the Will has `online` false. A new `session` makes gateways resend at once."""

    v: int
    hub: Id
    session: Instance
    online: bool
    hub_ms: WallMs


class Owner(msgspec.Struct, frozen=True):
    """Retained: which hub owns the area, with its fencing token."""

    v: int
    hub: Id
    session: Instance
    token: NonNegative
