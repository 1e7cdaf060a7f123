"""What the engine needs of a chip's lines, and the keys both drivers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from edge import port
from edge.port import Device, Point

LINE_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
LineName: TypeAlias = Annotated[str, Field(pattern=LINE_PATTERN)]


class Line(BaseModel):
    """One line. `active_low` lines read true at 0 V; `debounce_ms` is the kernel's and delays every press by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: int = Field(ge=0, le=1023)
    direction: Literal["in", "out"] = "in"
    pull: Literal["up", "down", "none"] = "none"
    active_low: bool = False
    debounce_ms: int = Field(5, ge=0, le=10)


class LineSettings(port.Settings):
    """Keys of a GPIO bus, whatever is behind it."""

    lines: dict[LineName, Line] = Field(min_length=1, max_length=64)
    alive_ms: int = Field(1_000, ge=50, le=60_000, description="every line is read again this often, edges or not")

    @field_validator("lines")
    @classmethod
    def _own_offsets(cls, lines: dict[str, Line]) -> dict[str, Line]:
        seen: dict[int, str] = {}
        for name, line in lines.items():
            if (other := seen.setdefault(line.offset, name)) != name:
                raise ValueError(f"line {name}: an offset of its own; {other} has {line.offset}")
        return lines

    def named(self, direction: str) -> list[str]:
        """The lines of one direction."""
        return [name for name, line in self.lines.items() if line.direction == direction]


class Edge(NamedTuple):
    """A line became `active` or not at monotonic `at_ns`; `seqno` counts this line's edges from 1 without holes."""

    line: str
    active: bool
    at_ns: int
    seqno: int


class LinesLost(Exception):
    """The chip or its server is not there (any more); says why."""


class Lines(Protocol):
    """Lines requested from one chip. `open` may be called again after the lines were lost."""

    async def open(
        self, outputs: Mapping[str, bool], on_edges: Callable[[Sequence[Edge]], None], on_lost: Callable[[str], None]
    ) -> None:
        """Request the lines, outputs at these values. `on_edges` gets edges in order. Raises LinesLost."""

    async def read(self) -> Mapping[str, bool]:
        """Every input now; edges that came before have been given to `on_edges`. Raises LinesLost."""
        ...

    async def write(self, line: str, active: bool) -> None:
        """Set an output. Raises LinesLost."""

    def close(self) -> None:
        """Give the lines back."""


def points(bus: str, settings: LineSettings, devices: Sequence[Device]) -> Mapping[str, Point]:
    """A chip is its own single device, so its points are "bus/line"."""
    return {f"{bus}/{name}": Point(line.direction == "out", "bool") for name, line in settings.lines.items()}
