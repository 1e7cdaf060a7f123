"""What a telemetry store is. Methods block and are called in the store's own thread, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

import msgspec

from hub.core.ledger import Book, Tally
from hub.measures.point import Point
from hub.store.levels import Kept, Level
from hub.store.refused import RefusedLines
from protocol.ranges import Ranges

Value: TypeAlias = int | float | str
Source: TypeAlias = tuple[str, str, str]
"""(area, gateway, instance): what sequences are counted in."""


class StoreError(Exception):
    """The store could not be opened, written or read; says why. Nothing of the batch was written."""


class Placed(StrEnum):
    """How a reading came onto the hub's time axis: by its age, by a clock record of its kernel boot or a
    clock that was synchronised, by a clock that was not, or where it arrived."""

    AGE = "age"
    CLOCK = "clock"
    WALL = "wall"
    ARRIVAL = "arrival"


class Sample(msgspec.Struct, frozen=True):
    """One reading. `at_ms` is hub wall (by age where stated); mono, wall and quality are the gateway's own stamp.

    A boolean is 0 or 1. `placed` says how far `at_ms` is to be trusted; only by `age` is a reading known to be fresh.
    """

    area: str
    gateway: str
    point: str
    value: Value
    at_ms: int
    placed: Placed
    mono_ns: int
    wall_ms: int
    quality: str
    instance: str
    seq: int


class Loss(msgspec.Struct, frozen=True):
    """Readings are lost: their gateway gave them up, or (`by_hub`) it holds nothing more of the holes up to `last`.

    `at_ms`: hub wall. What the hub closes is not settled, so a gateway that has it all the same goes on sending it.
    """

    source: Source
    first: int
    last: int
    reason: str
    at_ms: int
    by_hub: bool = False


class Aggregate(msgspec.Struct, frozen=True):
    """Numbers of a point in one window from `at_ms` (a multiple of its length) on: how many, mean, least and most."""

    at_ms: int
    count: int
    mean: float
    min: float
    max: float


class TelemetryStore(Protocol):
    """Every method raises StoreError when the disk or the server does not do its part."""

    @property
    def refused(self) -> RefusedLines:
        """What it would not have, and never will."""

    @property
    def kept(self) -> Kept:
        """How long what is kept."""

    def write(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> int:
        """Write in one durable transaction the samples not seen before, that all of `settled` is done with (it was
        refused), and what is lost. Gives how many were new."""

    def put(self, points: Sequence[Point]) -> None:
        """Keep points of the hub's own; one that is there already is the same point, with these fields over its own."""

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """Settled sequences per instance of a gateway, given up ones included, the newest boot last."""

    def books(self, area: str, gateway: str) -> list[Book]:
        """What came of each process of a gateway, and what is missing. The newest boot last."""

    @property
    def tally(self) -> Tally:
        """Missing readings, as last committed; read from any thread."""

    def latest(self, area: str, gateway: str, prefix: str = "") -> list[Sample]:
        """The newest reading of every point of a gateway whose name begins with `prefix`."""

    def range(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, limit: int, after_n: int = 0
    ) -> list[tuple[int, Sample]]:
        """Readings with from_ms <= at_ms < to_ms in the store's own order, each with a number n that grows."""

    def aggregate(
        self, area: str, gateway: str, point: str, from_ms: int, to_ms: int, every_ms: int, limit: int
    ) -> list[Aggregate]:
        """Numbers of a point with from_ms <= at_ms < to_ms by windows of `every_ms`, those without any left out."""

    def copied(
        self, area: str, gateway: str, point: str, level: Level, from_ms: int, to_ms: int, every_ms: int
    ) -> list[Aggregate]:
        """The same from a coarser copy: its windows that begin in [from_ms, to_ms), by windows of `every_ms`, a
        multiple of its own."""

    def raw_ms(self, now_ms: int) -> int:
        """Since when all readings are there that came, wall ms."""

    def count(self, area: str | None = None, gateway: str | None = None) -> int:
        """How many readings are kept."""

    def downsample(self, now_ms: int) -> int:
        """Bring coarser copies up to date, a few windows a call; says how many. 0 where there are none to make."""

    def prune(self, now_ms: int, bytes_max: int) -> int:
        """Drop what is kept no longer, then the oldest while the store is larger; says how many readings went."""

    def close(self) -> None: ...
