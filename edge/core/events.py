"""The scribe: numbers records, names their causes, keeps what is open, and collects one step's effects.

Times are monotonic ns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edge.core.bounds import NS_PER_MS, Detail, fits, fitting, stamp_at, text
from edge.core.io import Drive, Effect, Emit, Memory, Report
from edge.core.site import Output, Premises, Site
from protocol.kinds import CODES, Kind, Qualifier
from protocol.records import Event, Stamp

GATEWAY_IN_KEY = 36
"""Characters of the gateway's id in a cause key, so that the key stays an id whatever its number."""
INSTANCE_IN_KEY = 12
"""Characters of the instance in a cause key: 48 random bits. A boot number would come back with an old card, and a
neighbour that has rung for a cause of that name would ring for no other."""


class Where(NamedTuple):
    """What a record speaks of."""

    premises: str | None = None
    zone: str | None = None
    detail: Detail | None = None


NOWHERE = Where()


class Scribe:
    """Sequence numbers run from 1 for the life of this process; cause keys carry the instance, so none comes back."""

    def __init__(self, site: Site, memory: Memory, instance: str, now: Stamp) -> None:
        self.now = now
        self.open = dict(memory.open)
        self.outputs: dict[str, bool] = {}
        self.changed = False
        self._premises: dict[str, Premises] = {premises.id: premises for premises in site.premises}
        self._prefix = f"{site.gateway[:GATEWAY_IN_KEY]}-{instance[-INSTANCE_IN_KEY:]}"
        self._join_ns = site.limits.press_join_ms * NS_PER_MS
        self._effects: list[Effect] = []
        self._seq = 0
        self._causes = 0
        self._joins: dict[tuple[str, Kind], tuple[str, int]] = {}

    def take(self) -> list[Effect]:
        """The effects since the last take."""
        effects, self._effects = self._effects, []
        return effects

    def new_key(self) -> str:
        """Name a new cause."""
        self._causes += 1
        return f"{self._prefix}-{self._causes}"

    def joined_key(self, premises: str, kind: Kind, at_ns: int) -> str:
        """The cause of this kind at this premises while its joining time runs from the first record, else a new one."""
        known = self._joins.get((premises, kind))
        if known is not None and at_ns - known[1] <= self._join_ns:
            return known[0]
        key = self.new_key()
        self._joins[premises, kind] = (key, at_ns)
        return key

    def recall(self, premises: str, kind: Kind, key: str, at_ns: int) -> None:
        """Take over a cause of the process before, first seen at `at_ns` (which may lie before this kernel boot)."""
        self._joins[premises, kind] = (key, at_ns)

    def part(self, keys: Iterable[str], premises: str) -> None:
        """These causes are over: the next record of `premises` begins a new one."""
        over = set(keys)
        self._joins = {of: known for of, known in self._joins.items() if of[0] != premises or known[0] not in over}

    def emit(
        self, kind: Kind, qualifier: Qualifier, key: str, at_ns: int, where: Where = NOWHERE, drill: bool = False
    ) -> Event:
        """Make a record of what was true at `at_ns`; its group is the first of the premises'.

        A premises that the site does not have is a KeyError.
        """
        self._seq += 1
        groups = self._premises[where.premises].groups if where.premises is not None else ()
        event = Event(
            seq=self._seq,
            kind=kind,
            qualifier=qualifier,
            priority=CODES[kind].priority,
            at=stamp_at(self.now, at_ns),
            key=key,
            premises=where.premises,
            zone=where.zone,
            group=groups[0] if groups else None,
            drill=drill,
            detail=fitting(where.detail or {}),
        )
        self._effects.append(Emit(event))
        return event

    def begin(self, facet: str, kind: Kind, at_ns: int, where: Where = NOWHERE) -> None:
        """Record that `facet` has gone wrong under a new cause; one that is open already says nothing again."""
        if facet not in self.open:
            key = self.hold(facet, self.new_key())
            self.emit(kind, Qualifier.NEW, key, at_ns, where)

    def end(self, facet: str, kind: Kind, at_ns: int, where: Where = NOWHERE) -> None:
        """Record that `facet` is well again; one that is not open says nothing."""
        key = self.drop(facet)
        if key is not None:
            self.emit(kind, Qualifier.RESTORE, key, at_ns, where)

    def hold(self, facet: str, key: str) -> str:
        """Keep `facet` as open under `key`, across restarts."""
        if self.open.get(facet) != key:
            self.open[facet] = key
            self.changed = True
        return key

    def drop(self, facet: str) -> str | None:
        """`facet` is open no more; gives its key."""
        key = self.open.pop(facet, None)
        self.changed |= key is not None
        return key

    def report(self, point: str, value: bool | int | float | str, at_ns: int) -> None:
        """Make a telemetry reading, true at `at_ns`; a number that cannot be told is left out."""
        if isinstance(value, str):
            self._effects.append(Report(point, text(value), at_ns))
        elif fits(value):
            self._effects.append(Report(point, value, at_ns))

    def drive(self, output: Output, on: bool, again: bool = False) -> None:
        """Set an output; saying what it already shows is left out unless `again`."""
        if again or self.outputs.get(output.id, False) != on:
            self.outputs[output.id] = on
            self._effects.append(Drive(output.id, output.target, on))

    def add(self, effect: Effect) -> None:
        """Add an effect made elsewhere."""
        self._effects.append(effect)
