"""The desk's state: tables of immutable values with an overlay, so that a batch can be taken back to the last byte."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

import msgspec

from hub.core.clocks import KernelBoot
from hub.core.drill import Drill
from hub.core.hold import Hold
from hub.core.incident import Incident
from hub.core.instruction import Instruction
from hub.core.io import Send
from hub.core.ledger import Account, Tally
from hub.core.load import Hour, Watch
from hub.core.plan import Plan
from hub.core.proof import Proof
from hub.core.reloaded import InForce
from hub.core.rules.base import Mark
from protocol.ranges import Ranges

K = TypeVar("K", bound=tuple[str, ...])
V = TypeVar("V")


class Table(Generic[K, V]):
    """Keyed immutable values. `get` sees the open batch, `committed` does not; a batch costs what it touches."""

    __slots__ = ("_base", "_over")

    def __init__(self) -> None:
        self._base: dict[K, V] = {}
        self._over: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        """The value as the open batch sees it."""
        return self._over[key] if key in self._over else self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        """Set or, with None, remove a value in the open batch."""
        self._over[key] = value

    def committed(self, key: K) -> V | None:
        """The value before the open batch."""
        return self._base.get(key)

    def items(self) -> Iterator[tuple[K, V]]:
        """Every committed key and value, in no promised order."""
        return iter(self._base.items())

    def entries(self) -> Iterator[tuple[K, V]]:
        """Every key and value as the open batch sees them, in no promised order."""
        yield from ((key, value) for key, value in self._base.items() if key not in self._over)
        yield from ((key, value) for key, value in self._over.items() if value is not None)

    def changed(self) -> Iterator[tuple[K, V | None]]:
        """What the open batch did."""
        return iter(self._over.items())

    def replace(self, entries: Iterable[tuple[K, V]]) -> None:
        """Put these in place of everything."""
        self._base = dict(entries)
        self._over = {}

    def commit(self) -> None:
        """Take the open batch over."""
        for key, value in self._over.items():
            if value is None:
                self._base.pop(key, None)
            else:
                self._base[key] = value
        self._over.clear()

    def rollback(self) -> None:
        """Forget the open batch."""
        self._over.clear()


class Timers(Table[tuple[str, str], int]):
    """(area, name) to hub wall ms. A heap over the table finds the next; its stale entries are skipped, and
    swept out when they outnumber the live ones."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[int, str, str]] = []

    def commit(self) -> None:
        """Take the open batch over."""
        for (area, name), due_ms in self._over.items():
            if due_ms is not None and self._base.get((area, name)) != due_ms:
                heapq.heappush(self._heap, (due_ms, area, name))
        super().commit()
        if len(self._heap) > 2 * len(self._base) + 64:
            self._sweep()

    def replace(self, entries: Iterable[tuple[tuple[str, str], int]]) -> None:
        """Put these in place of everything."""
        super().replace(entries)
        self._sweep()

    def _sweep(self) -> None:
        self._heap = [(due_ms, area, name) for (area, name), due_ms in self._base.items()]
        heapq.heapify(self._heap)

    def next_ms(self) -> int | None:
        """When the earliest committed timer comes."""
        while self._heap and self._stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def come(self, at_ms: int) -> list[tuple[int, str, str]]:
        """Every committed timer due by `at_ms` as (due_ms, area, name), earliest first; they stay until removed."""
        found: list[tuple[int, str, str]] = []
        while self._heap and self._heap[0][0] <= at_ms:
            entry = heapq.heappop(self._heap)
            if not self._stale(entry) and (not found or found[-1] != entry):
                found.append(entry)
        for entry in found:
            heapq.heappush(self._heap, entry)
        return found

    def _stale(self, entry: tuple[int, str, str]) -> bool:
        due_ms, area, name = entry
        return self._base.get((area, name)) != due_ms


class Dossier(msgspec.Struct, frozen=True):
    """What the desk keeps of an incident besides what is shown: its marks, where it stands, whom it called.

    `listed` is where it is found while it is unresolved: as the registry was then, whoever moves away since. `races`
    are the limits that run until it is accepted, each with when it began; the level divides them, the soonest counts.
    `ladder` is how far its neighbours' ladder has come.
    """

    scope: str
    opened_by: str
    marks: tuple[Mark, ...]
    drill: bool
    called: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    races: tuple[tuple[int, int], ...] = ()
    ladder: int = 0


class Pending(msgspec.Struct, frozen=True):
    """An order and who of its premises has not answered; `tries` so far. Settled when nobody is waiting."""

    send: Send
    waiting: tuple[str, ...]
    tries: int = 1


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A beginning or an end: when, by which record, in which process of its gateway; `earliest_ms` and `latest_ms`
    where that time is not sure."""

    at_ms: int
    by: str = ""
    boot: int = 0
    earliest_ms: int | None = None
    latest_ms: int | None = None


class Live(msgspec.Struct, frozen=True):
    """A zone's newest beginning and newest end of one kind. It is live unless the end is newer."""

    began: Told | None = None
    ended: Told | None = None

    @property
    def live(self) -> bool:
        return self.began is not None and (self.ended is None or after(self.began, self.ended))


def after(one: Told, other: Told) -> bool:
    """Whether a record ("gateway/instance/seq") happened after another. Of two of one process their numbers decide,
    since a message that was long under way stands later on the hub's axis than it happened; where times are not sure
    enough to tell, the order of their gateway's processes."""
    (source, _, seq), (other_source, _, other_seq) = one.by.rpartition("/"), other.by.rpartition("/")
    if source and source == other_source and seq.isdecimal() and other_seq.isdecimal():
        return int(seq) > int(other_seq)
    unsure = _earliest_ms(one) <= _latest_ms(other) and _earliest_ms(other) <= _latest_ms(one)
    unsure &= one.latest_ms is not None or other.latest_ms is not None
    if unsure and source.split("/")[0] == other_source.split("/")[0] and one.boot != other.boot:
        return one.boot > other.boot
    return one.at_ms > other.at_ms


def _earliest_ms(told: Told) -> int:
    return told.at_ms if told.latest_ms is None else told.earliest_ms or 0


def _latest_ms(told: Told) -> int:
    return told.at_ms if told.latest_ms is None else told.latest_ms


class Twins(msgspec.Struct, frozen=True):
    """Processes of two gateways under one name: the one that is obeyed, and those that are not."""

    rightful: str
    seconds: tuple[str, ...]


class Link(msgspec.Struct, frozen=True):
    """A gateway's link as last told."""

    up: bool
    since_ms: int
    heard_ms: int


class Blame(msgspec.Struct, frozen=True, array_like=True):
    """One false alarm of a zone: when it was resolved so (hub wall ms), its cause, and the incident."""

    at_ms: int
    cause: str
    incident: str


Two: TypeAlias = tuple[str, str]
Three: TypeAlias = tuple[str, str, str]


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table as it stands in a snapshot."""

    seen: list[tuple[Three, list[tuple[int, int]]]]
    gaps: list[tuple[Three, list[tuple[int, int]]]]
    accounts: list[tuple[Three, Account]]
    tallies: list[tuple[tuple[str], Tally]]
    instances: list[tuple[Two, tuple[tuple[int, str], ...]]]
    conflicts: list[tuple[Three, tuple[str, ...]]]
    links: list[tuple[Two, Link]]
    zones: list[tuple[Two, dict[str, Live]]]
    cancels: list[tuple[Two, tuple[Mark, ...]]]
    incidents: list[tuple[Two, Incident]]
    dossiers: list[tuple[Two, Dossier]]
    open: list[tuple[Two, tuple[str, ...]]]
    causes: list[tuple[Three, str]]
    orders: list[tuple[Two, Pending]]
    waiting: list[tuple[Two, tuple[str, ...]]]
    timers: list[tuple[Two, int]]
    kboots: list[tuple[Two, tuple[tuple[int, str], ...]]]
    clocks: list[tuple[Three, KernelBoot]]
    twins: list[tuple[Two, Twins]] = []
    instructions: list[tuple[Two, Instruction]] = []
    instructed: list[tuple[Two, tuple[str, ...]]] = []
    blamed: list[tuple[Two, tuple[Blame, ...]]] = []
    arming: list[tuple[Two, dict[str, tuple[Mark, ...]]]] = []
    levels: list[tuple[tuple[str], Plan]] = []
    holds: list[tuple[Two, tuple[Hold, ...]]] = []
    suppressed: list[tuple[Two, tuple[str, ...]]] = []
    hours: list[tuple[Two, Hour]] = []
    kept_hours: list[tuple[tuple[str], tuple[int, ...]]] = []
    watch: list[tuple[tuple[str], Watch]] = []
    proofs: list[tuple[Two, Proof]] = []
    drills: list[tuple[Two, Drill]] = []
    drilled: list[tuple[tuple[str], tuple[str, ...]]] = []
    drilling: list[tuple[tuple[str], tuple[str, ...]]] = []
    registries: list[tuple[tuple[str], InForce]] = []


class Tables:
    """All tables. Keys begin with the area; nothing in a step walks a whole table."""

    def __init__(self) -> None:
        self.seen: Table[tuple[str, str, str], Ranges] = Table()
        self.gaps: Table[tuple[str, str, str], Ranges] = Table()
        self.accounts: Table[tuple[str, str, str], Account] = Table()
        self.tallies: Table[tuple[str], Tally] = Table()
        self.instances: Table[tuple[str, str], tuple[tuple[int, str], ...]] = Table()
        self.conflicts: Table[tuple[str, str, str], tuple[str, ...]] = Table()
        self.links: Table[tuple[str, str], Link] = Table()
        self.zones: Table[tuple[str, str], dict[str, Live]] = Table()
        self.cancels: Table[tuple[str, str], tuple[Mark, ...]] = Table()
        self.incidents: Table[tuple[str, str], Incident] = Table()
        self.dossiers: Table[tuple[str, str], Dossier] = Table()
        self.open: Table[tuple[str, str], tuple[str, ...]] = Table()
        self.causes: Table[tuple[str, str, str], str] = Table()
        self.orders: Table[tuple[str, str], Pending] = Table()
        self.waiting: Table[tuple[str, str], tuple[str, ...]] = Table()
        self.timers = Timers()
        self.kboots: Table[tuple[str, str], tuple[tuple[int, str], ...]] = Table()
        self.clocks: Table[tuple[str, str, str], KernelBoot] = Table()
        self.twins: Table[tuple[str, str], Twins] = Table()
        self.instructions: Table[tuple[str, str], Instruction] = Table()
        self.instructed: Table[tuple[str, str], tuple[str, ...]] = Table()
        self.blamed: Table[tuple[str, str], tuple[Blame, ...]] = Table()
        self.arming: Table[tuple[str, str], dict[str, tuple[Mark, ...]]] = Table()
        self.levels: Table[tuple[str], Plan] = Table()
        self.holds: Table[tuple[str, str], tuple[Hold, ...]] = Table()
        self.suppressed: Table[tuple[str, str], tuple[str, ...]] = Table()
        self.hours: Table[tuple[str, str], Hour] = Table()
        self.kept_hours: Table[tuple[str], tuple[int, ...]] = Table()
        self.watch: Table[tuple[str], Watch] = Table()
        self.proofs: Table[tuple[str, str], Proof] = Table()
        self.drills: Table[tuple[str, str], Drill] = Table()
        self.drilled: Table[tuple[str], tuple[str, ...]] = Table()
        self.drilling: Table[tuple[str], tuple[str, ...]] = Table()
        self.registries: Table[tuple[str], InForce] = Table()

    def all(self) -> dict[str, Table[tuple[str, ...], object]]:
        """Every table by name."""
        return vars(self)

    def commit(self) -> None:
        """Take the open batch over."""
        for table in self.all().values():
            table.commit()

    def rollback(self) -> None:
        """Forget the open batch."""
        for table in self.all().values():
            table.rollback()

    def load(self, data: bytes) -> None:
        """Take over a snapshot in place of the committed state. Raises msgspec.ValidationError and changes nothing."""
        state = msgspec.json.decode(data, type=Snapshot)
        for name, table in self.all().items():
            entries = getattr(state, name)
            whole = ((key, Ranges(value)) for key, value in entries) if name in ("seen", "gaps") else entries
            table.replace(whole)

    def snapshot(self) -> bytes:
        """The committed state as canonical JSON."""
        state = {
            name: [[key, _plain(value)] for key, value in sorted(table.items(), key=lambda entry: entry[0])]
            for name, table in sorted(self.all().items())
        }
        return msgspec.json.encode(state, order="sorted")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Ranges) else value
