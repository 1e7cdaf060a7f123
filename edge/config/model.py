"""The site file's tables and keys. Each table is checked by itself; what they say of each other is checked after."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.core.events import GATEWAY_IN_KEY
from edge.core.site import Arming, Mode, Role, ZoneKind
from protocol.ids import ID_ALLOWED
from protocol.topics import RESERVED_AREAS, RESERVED_GATEWAYS

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
GATEWAY_PATTERN = rf"^[a-z0-9][a-z0-9-]{{0,{GATEWAY_IN_KEY - 1}}}$"
POINT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}/[a-z][a-z0-9_]{0,62}$"
PATH_PATTERN = r"^[^\x00]+$"
Id: TypeAlias = Annotated[str, Field(pattern=ID_PATTERN, description=ID_ALLOWED)]
PointRef: TypeAlias = Annotated[str, Field(pattern=POINT_PATTERN, description="device/point; GPIO: bus/line")]
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
HOUR_MS = 3_600_000


class Table(BaseModel):
    """Base of every table: an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewayTable(Table):
    """[gateway]"""

    id: Annotated[str, Field(pattern=GATEWAY_PATTERN)]
    area: Id = Field(description="township code")
    profile: Literal["20s", "90s", "3min"] = Field(
        "90s", description="reporting-time profile: link loss told within it"
    )
    timezone: str = Field("Asia/Shanghai", max_length=64, description="of the schedules, as the IANA names it")
    data_dir: str = Field("/var/lib/lianfang", pattern=PATH_PATTERN, description="relative to this file's folder")

    @model_validator(mode="after")
    def _not_reserved(self) -> GatewayTable:
        if self.id in RESERVED_GATEWAYS:
            raise ValueError(f"a gateway id other than {', '.join(sorted(RESERVED_GATEWAYS))} (reserved)")
        if self.area in RESERVED_AREAS:
            raise ValueError(f"an area other than {', '.join(sorted(RESERVED_AREAS))} (reserved)")
        return self


class TlsTable(Table):
    """[mqtt.tls]: all three, or no table. Paths are relative to this file's folder."""

    ca: str = Field(min_length=1)
    cert: str = Field(min_length=1)
    key: str = Field(min_length=1)


class MqttTable(Table):
    """[mqtt]"""

    host: str = Field(min_length=1)
    port: int = Field(1883, ge=1, le=65535)
    username: str | None = Field(None, min_length=1)
    password_file: str | None = Field(None, min_length=1)
    tls: TlsTable | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> MqttTable:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file together, or neither")
        return self


class BusTable(BaseModel):
    """[[bus]]: the other keys are the driver's own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Id
    driver: str = Field(min_length=1, description="a file of edge/drivers/, without .py")

    @property
    def own(self) -> dict[str, Any]:
        """The driver's own keys."""
        return dict(self.__pydantic_extra__ or {})


class DeviceTable(Table):
    """[[device]]: one unit on a Modbus bus."""

    id: Id
    bus: Id
    unit: int = Field(1, ge=1, le=247)
    profile: str = Field(min_length=1, description="a file of firmware_configs/profiles/, without .toml")
    poll_ms: int = Field(100, ge=10, le=60_000)


class PremisesTable(Table):
    """[[premises]]: a household or enterprise site. `report_arming` is false at home and true at a site by default."""

    id: Id
    kind: Literal["household", "site"]
    groups: list[Id] = Field(default=[], max_length=8)
    mode: Mode = Field(Mode.DISARMED, description="before anybody has armed or disarmed it")
    entry_s: int = Field(30, ge=0, le=300)
    exit_s: int = Field(60, ge=0, le=300)
    report_arming: bool | None = None


class GroupTable(Table):
    """[[group]]: all its members, also those of other gateways."""

    id: Id
    members: list[Id] = Field(min_length=2, max_length=64)


class BandTable(Table):
    """A measured value from `low` up to, but not including, `high` means `condition`."""

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    condition: Literal["normal", "alarm", "tamper", "fault"]

    @model_validator(mode="after")
    def _upwards(self) -> BandTable:
        if not self.low < self.high:
            raise ValueError("low below high")
        return self


class LoopTable(Table):
    """[zone.loop]: a loop with end-of-line resistors. Resistances in ohm; `tolerance` and `hysteresis` are shares.

    Around `normal_ohm` and `alarm_ohm` the tolerance is normal and alarm, far below both is a tamper short, far above
    a tamper open, between is a fault.
    """

    normal_ohm: float = Field(gt=0, le=1_000_000, description="of the loop at rest, by its resistors")
    alarm_ohm: float = Field(gt=0, le=1_000_000, description="of the loop with its contact moved")
    measured_ohm: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="at rest, measured at commissioning (lianfang edge walk); scales all bands",
    )
    tolerance: float = Field(0.25, ge=0.02, le=0.45)
    hysteresis: float = Field(0.03, ge=0, le=0.2, description="how far beyond a band's edge a value still counts in it")
    feed_ohm: float | None = Field(None, gt=0, le=1_000_000, description="the resistor that feeds the loop")
    feed_volt: float | None = Field(None, gt=0, le=60, description="the voltage that feeds the loop")


class ZoneTable(Table):
    """[[zone]]. What its value means: `normal` or `active` for a contact, `bands` or `above`/`below` for a number,
    `loop` for one with end-of-line resistors."""

    id: Id
    premises: Id
    kind: ZoneKind
    source: PointRef
    normal: Literal["open", "closed"] | None = Field(
        None, description="the contact when all is well; closed reads true"
    )
    active: bool | None = Field(None, description="the value that means alarm")
    bands: list[BandTable] | None = Field(None, min_length=2, max_length=16)
    above: float | None = Field(None, allow_inf_nan=False, description="a greater value means alarm")
    below: float | None = Field(None, allow_inf_nan=False, description="a lesser value means alarm")
    hysteresis: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="how far beyond its band's edge a value still counts in it"
    )
    loop: LoopTable | None = None
    arming: Arming | None = None
    on_ms: int | None = Field(None, ge=0, le=HOUR_MS, description="how long an alarm must hold")
    off_ms: int | None = Field(None, ge=0, le=HOUR_MS, description="how long normal must hold")
    latch: bool | None = None
    entry_route: bool = False
    report: Literal["alarm", "every"] | None = None
    swinger_trips: int = Field(2, ge=1, le=6)
    arms: Literal["armed_home", "armed_away"] | None = Field(None, description="keyswitch, arm_button: what it arms")
    force: bool | None = Field(None, description="keyswitch, arm_button: leave out what is open, and arm all the same")
    hold_s: float | None = Field(None, ge=1, le=30, description="arm_button: held for so long it disarms")
    disarms: bool | None = Field(None, description="duress: looks like a disarm, and is one")
    lamp: PointRef | None = Field(None, description="the output that shows how far a press has come")
    answer: Literal["going", "on_scene", "cannot"] | None = Field(
        None, description="what an answer button says; without it a press is going, and held for 3 s on_scene"
    )


class OutputTable(Table):
    """[[output]]: a siren of a premises, or the lamp of a zone. A siren's `pulses` count which neighbour called."""

    id: Id
    premises: Id
    role: Role
    target: PointRef
    zone: Id | None = None
    pattern: Literal["steady", "pulses"] | None = Field(None, description="of a siren whose group calls; else steady")


class ScheduleTable(Table):
    """[[schedule]]: arms premises at a time of day, disarms them at another, or both. Times as "HH:MM", local.

    On a holiday it acts `as_usual`, arms but does not disarm (`closed`), does nothing (`skip`), or it acts on holidays
    alone (`only`).
    """

    id: Id
    premises: list[Id] = Field(min_length=1, max_length=128)
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], min_length=1, max_length=7
    )
    arm_at: str | None = Field(None, pattern=TIME_PATTERN)
    disarm_at: str | None = Field(None, pattern=TIME_PATTERN)
    mode: Literal["armed_home", "armed_away"] = "armed_away"
    holidays: Literal["as_usual", "closed", "skip", "only"] = "as_usual"
    warn_s: int = Field(60, ge=0, le=600, description="the siren chirps so long before it arms; 0: without warning")
    postpone_min: int = Field(30, ge=1, le=240, description="what a press or a turn after the chirp puts it off by")
    postpone_max: int = Field(3, ge=0, le=10)
    force: bool = Field(True, description="leave out what is open; false: refuse, and chirp")

    @model_validator(mode="after")
    def _acts(self) -> ScheduleTable:
        if self.arm_at is None and self.disarm_at is None:
            raise ValueError("arm_at, disarm_at, or both")
        if self.arm_at == self.disarm_at:
            raise ValueError("arm_at and disarm_at at different times")
        return self


class HolidayTable(Table):
    """[[holiday]]: days as "YYYY-MM-DD"; without `last` it is one day."""

    id: Id
    first: str = Field(pattern=DATE_PATTERN)
    last: str | None = Field(None, pattern=DATE_PATTERN)


class ProofTable(Table):
    """[proof]: when the gateway proves every night that what it says arrives. Local time, as "HH:MM"."""

    at: str = Field("02:00", pattern=TIME_PATTERN)
    within_min: int = Field(180, ge=0, le=720, description="each gateway at its own moment within so long after `at`")


class LimitsTable(Table):
    """[limits]: where a site needs other times than the defaults; ms."""

    siren_house_ms: int = Field(180_000, ge=1_000, le=HOUR_MS)
    siren_group_ms: int = Field(300_000, ge=1_000, le=HOUR_MS)
    abort_ms: int = Field(30_000, ge=0, le=300_000)
    press_join_ms: int = Field(300_000, ge=1_000, le=HOUR_MS)
    device_lost_ms: int = Field(10_000, ge=1_000, le=300_000, description="silence from here on is told to the centre")


class SiteFile(Table):
    """One gateway's configuration file."""

    gateway: GatewayTable
    mqtt: MqttTable
    hub_keys: dict[Id, str] = Field(
        default={}, description="hub key name to Ed25519 public key, in base64 or PEM; with none no order is obeyed"
    )
    limits: LimitsTable = LimitsTable.model_validate({})
    proof: ProofTable = ProofTable.model_validate({})
    bus: list[BusTable] = Field(min_length=1, max_length=16)
    device: list[DeviceTable] = Field(default=[], max_length=256)
    premises: list[PremisesTable] = Field(min_length=1, max_length=128)
    group: list[GroupTable] = Field(default=[], max_length=64)
    zone: list[ZoneTable] = Field(min_length=1, max_length=1_000)
    output: list[OutputTable] = Field(default=[], max_length=512)
    schedule: list[ScheduleTable] = Field(default=[], max_length=128)
    holiday: list[HolidayTable] = Field(default=[], max_length=366)


SINGLE: dict[str, type[Table]] = {
    "gateway": GatewayTable, "mqtt": MqttTable, "limits": LimitsTable, "proof": ProofTable,
}  # fmt: skip
LISTS: dict[str, type[BaseModel]] = {
    "bus": BusTable,
    "device": DeviceTable,
    "premises": PremisesTable,
    "group": GroupTable,
    "zone": ZoneTable,
    "output": OutputTable,
    "schedule": ScheduleTable,
    "holiday": HolidayTable,
}
