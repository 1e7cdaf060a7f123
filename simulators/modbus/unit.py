"""One Modbus unit made from a profile: set what its sensors see, look at what was written to it, break it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from edge.modbus import values
from edge.port import Value
from edge.profiles import Profile, Table
from simulators.modbus import pdu
from simulators.modbus.bell import LIMIT_S, Bell
from simulators.modbus.faults import Fault, Refuse, Silent, Slow, Wrong


class SimUnit:
    """Put it on a server. `fault` may change at any time.

    `requests` counts what was asked, answered or not; `reads` the completed reads of each table and `read_ns` when the
    last one was (monotonic); `writes` lists what was written over the wire as (point, value), oldest first.
    """

    def __init__(self, profile: Profile, unit: int = 1, *, refresh: Callable[[], None] | None = None) -> None:
        """`refresh` is called before every read, for a model whose values move by themselves."""
        self.profile, self.unit = profile, unit
        self.fault: Fault | None = None
        self.requests = 0
        self.reads: Counter[Table] = Counter()
        self.read_ns: dict[Table, int] = {}
        self.writes: list[tuple[str, Value]] = []
        self._refresh = refresh
        self._words: dict[Table, dict[int, int]] = {}
        self._point_reads: Counter[str] = Counter()
        self._bell = Bell()
        for point in profile.points.values():
            table = self._words.setdefault(point.table, {})
            table.update(dict.fromkeys(range(point.address, point.address + point.words), 0))
        for table in self._words.values():  # the unused addresses a profile allows to read along exist too, and hold 0
            table.update({a: table.get(a, 0) for a in range(min(table), max(table) + 1) if self._near(table, a)})

    def set(self, point: str, value: Value) -> None:
        """What the sensor sees from now on, in the point's unit. Raises KeyError, ValueError."""
        found = self.profile.points[point]
        table = self._words[found.table]
        for place, word in enumerate(values.encode(found, value)):
            kept = 0 if found.bit is None else table[found.address] & ~(1 << found.bit)
            table[found.address + place] = word | kept

    def get(self, point: str) -> Value:
        """What a point holds, for instance the output that was written. Raises KeyError."""
        found = self.profile.points[point]
        table = self._words[found.table]
        return values.decode(found, [table[found.address + place] for place in range(found.words)])

    async def polled(self, times: int = 2, *, limit_s: float = LIMIT_S) -> None:
        """Wait until every point was read completely so often from now. Raises TimeoutError."""
        goal = {point: self._point_reads[point] + times for point in self.profile.points}
        done = self._point_reads
        await self._bell.until(
            lambda: all(done[point] >= goal[point] for point in goal), f"{times} polls of unit {self.unit}", limit_s
        )

    async def asked(self, times: int = 1, *, limit_s: float = LIMIT_S) -> None:
        """Wait until so many more requests came, answered or not. Raises TimeoutError."""
        goal = self.requests + times
        await self._bell.until(lambda: self.requests >= goal, f"{times} requests to unit {self.unit}", limit_s)

    async def written(self, point: str, value: Value, *, limit_s: float = LIMIT_S) -> None:
        """Wait until an output holds a value. Raises TimeoutError."""
        await self._bell.until(
            lambda: self.get(point) == value,
            f"{point} = {value!r} on unit {self.unit}, not {self.get(point)!r}",
            limit_s,
        )

    async def answer(self, request: bytes) -> bytes | None:
        """The response PDU to a request PDU under the present fault, or None for silence."""
        self.requests += 1
        self._bell.ring()
        match self.fault:
            case Silent():
                return None
            case Slow(delay_ms):
                await asyncio.sleep(delay_ms / 1000)
            case Refuse(code, table) if table in (None, pdu.table_of(request)):
                return pdu.exception(request, code)
        return pdu.answer(self, request)

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """The wire reads. Raises LookupError for addresses the device does not have."""
        if self._refresh is not None:
            self._refresh()
        words = self._words.get(table, {})
        found = [words[place] for place in range(address, address + count)]
        if isinstance(self.fault, Wrong):
            return found  # it will not arrive as an answer, so it is no completed read
        self.reads[table] += 1
        self.read_ns[table] = time.monotonic_ns()
        for name, point in self.profile.points.items():
            if point.table == table and address <= point.address and point.address + point.words <= address + count:
                self._point_reads[name] += 1
        self._bell.ring()
        return found

    def write(self, table: Table, address: int, words: Sequence[int]) -> None:
        """The wire writes; all of it or nothing. Raises LookupError where there is no output."""
        there = range(address, address + len(words))
        outputs = {
            name: point
            for name, point in self.profile.points.items()
            if point.writable and point.table == table and point.address in there
        }
        if sum(point.words for point in outputs.values()) != len(words):
            raise LookupError(f"{table} {address}")
        self._words[table].update(zip(there, words, strict=True))
        self.writes += [(name, self.get(name)) for name in outputs]
        self._bell.ring()

    def _near(self, table: dict[int, int], address: int) -> bool:
        """Whether an unused address lies in a gap that the profile says can be read along."""
        before = max(used for used in table if used <= address)
        after = min(used for used in table if used >= address)
        return after - before - 1 <= self.profile.max_gap
