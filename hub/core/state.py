"""The desk's state: what its tables hold, and the snapshot of them."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from hub.core.clocks import KernelBoot
from hub.core.drill import Drill
from hub.core.effects import Send
from hub.core.hold import Hold
from hub.core.incident import Incident
from hub.core.instruction import Instruction
from hub.core.ledger import Account, Tally
from hub.core.lives import Live
from hub.core.load import Hour, Watch
from hub.core.plan import Plan
from hub.core.proof import Proof
from hub.core.reloaded import InForce
from hub.core.rules.base import Mark
from hub.core.tables import Table, Timers
from protocol.ranges import Ranges


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


One: TypeAlias = tuple[str]
Two: TypeAlias = tuple[str, str]
Three: TypeAlias = tuple[str, str, str]


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table as it stands in a snapshot."""

    seen: list[tuple[Three, list[tuple[int, int]]]]
    gaps: list[tuple[Three, list[tuple[int, int]]]]
    accounts: list[tuple[Three, Account]]
    tallies: list[tuple[One, Tally]]
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
    levels: list[tuple[One, Plan]] = []
    holds: list[tuple[Two, tuple[Hold, ...]]] = []
    suppressed: list[tuple[Two, tuple[str, ...]]] = []
    hours: list[tuple[Two, Hour]] = []
    kept_hours: list[tuple[One, tuple[int, ...]]] = []
    watch: list[tuple[One, Watch]] = []
    proofs: list[tuple[Two, Proof]] = []
    drills: list[tuple[Two, Drill]] = []
    drilled: list[tuple[One, tuple[str, ...]]] = []
    drilling: list[tuple[One, tuple[str, ...]]] = []
    registries: list[tuple[One, InForce]] = []


class Tables:
    """All tables. Keys begin with the area; nothing in a step walks a whole table."""

    def __init__(self) -> None:
        self.seen: Table[Three, Ranges] = Table()
        self.gaps: Table[Three, Ranges] = Table()
        self.accounts: Table[Three, Account] = Table()
        self.tallies: Table[One, Tally] = Table()
        self.instances: Table[Two, tuple[tuple[int, str], ...]] = Table()
        self.conflicts: Table[Three, tuple[str, ...]] = Table()
        self.links: Table[Two, Link] = Table()
        self.zones: Table[Two, dict[str, Live]] = Table()
        self.cancels: Table[Two, tuple[Mark, ...]] = Table()
        self.incidents: Table[Two, Incident] = Table()
        self.dossiers: Table[Two, Dossier] = Table()
        self.open: Table[Two, tuple[str, ...]] = Table()
        self.causes: Table[Three, str] = Table()
        self.orders: Table[Two, Pending] = Table()
        self.waiting: Table[Two, tuple[str, ...]] = Table()
        self.timers = Timers()
        self.kboots: Table[Two, tuple[tuple[int, str], ...]] = Table()
        self.clocks: Table[Three, KernelBoot] = Table()
        self.twins: Table[Two, Twins] = Table()
        self.instructions: Table[Two, Instruction] = Table()
        self.instructed: Table[Two, tuple[str, ...]] = Table()
        self.blamed: Table[Two, tuple[Blame, ...]] = Table()
        self.arming: Table[Two, dict[str, tuple[Mark, ...]]] = Table()
        self.levels: Table[One, Plan] = Table()
        self.holds: Table[Two, tuple[Hold, ...]] = Table()
        self.suppressed: Table[Two, tuple[str, ...]] = Table()
        self.hours: Table[Two, Hour] = Table()
        self.kept_hours: Table[One, tuple[int, ...]] = Table()
        self.watch: Table[One, Watch] = Table()
        self.proofs: Table[Two, Proof] = Table()
        self.drills: Table[Two, Drill] = Table()
        self.drilled: Table[One, tuple[str, ...]] = Table()
        self.drilling: Table[One, tuple[str, ...]] = Table()
        self.registries: Table[One, InForce] = Table()

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
