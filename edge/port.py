"""What a driver is: it reports readings of its devices and writes their outputs.

A *bus* is one thing that can be held by one reader at a time (a serial line, a TCP connection, a GPIO chip); it
carries *devices* (a Modbus unit; a GPIO bus is its own single device), and a device has named *points*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from edge.profiles import Profile

Value: TypeAlias = bool | int | float


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a device.

    `values` maps point to its scaled value; a point that could not be read is in `failed` with the reason instead.
    `at_ns` is the monotonic time of the answer; `since_ns` that of the last good answer before it (equal to `at_ns`
    where the kernel stamped the change itself), so a changed value changed in the interval (since_ns, at_ns].
    A device that does not answer at all yields a reading with every point in `failed`.
    """

    device: str
    at_ns: int
    since_ns: int
    values: Mapping[str, Value] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """Counters of one device since start, for telemetry: polls, failures by reason, last latency in ms."""

    device: str
    online: bool
    polls: int
    failures: Mapping[str, int]
    latency_ms: float | None


class DriverError(Exception):
    """A write that did not reach the device, or a point that cannot be written; says which and why."""


class Driver(Protocol):
    """One bus. `run` reads until cancelled and never ends by itself: trouble on the wire is a reading, not an error."""

    async def run(self, report: Callable[[Reading], None]) -> None: ...

    async def write(self, device: str, point: str, value: Value) -> None:
        """Write one output, ahead of queued polls. Raises DriverError."""

    def health(self) -> list[DeviceHealth]: ...


@dataclass(frozen=True, slots=True)
class Point:
    """What the configuration may do with a point: read a contact, read a number, write an output."""

    writable: bool
    kind: Literal["bool", "number"]
    unit: str = ""


class Settings(BaseModel):
    """Base of each driver's own keys in its `[[bus]]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a bus as configured. `unit` is the Modbus unit id (1 to 247)."""

    id: str
    unit: int
    profile: Profile
    poll_ms: int


class DriverModule(Protocol):
    """What every file in edge/drivers/ offers; the folder is the registry, the file's name is the driver's."""

    Settings: type[Settings]

    def points(self, bus: str, settings: Any, devices: Sequence[Device]) -> Mapping[str, Point]:
        """Every point of the bus as "device/point"."""

    def build(self, bus: str, settings: Any, devices: Sequence[Device]) -> Driver:
        """Make the driver; touches no wire yet."""
