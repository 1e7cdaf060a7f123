"""Which records that set a zone off the hub does not have yet: told by its receipts, also after a restart."""

from __future__ import annotations

from collections.abc import Collection, Container

from edge.core.events import Scribe
from edge.core.io import Memory


class Awaited:
    """The last record of each zone that was set off, (instance, seq), until its receipt.

    `again` are the zones whose last record was not the first of its cause: that the hub knows the cause says nothing
    of that record.
    """

    def __init__(self, zones: Container[str], memory: Memory, instance: str, scribe: Scribe) -> None:
        self.records = {zone: record for zone, record in memory.awaited.items() if zone in zones}
        self.again = {zone for zone in memory.again if zone in zones}
        self.instance = instance
        self._scribe = scribe

    def __contains__(self, zone: str) -> bool:
        return zone in self.records

    def made(self, zone: str, seq: int, *, again: bool) -> None:
        """A zone was set off, as record `seq` of this process says; `again` for a cause that stood already."""
        self.records[zone] = (self.instance, seq)
        (self.again.add if again else self.again.discard)(zone)
        self._scribe.changed = True

    def among(self, instance: str, seqs: Collection[int]) -> list[str]:
        """The zones whose last record is one of these."""
        return [zone for zone, (by, seq) in self.records.items() if by == instance and seq in seqs]

    def receipted(self, instance: str, seqs: Collection[int]) -> list[str]:
        """The hub has these records; the zones whose last record was one of them."""
        found = self.among(instance, seqs)
        for zone in found:
            del self.records[zone]
        self._scribe.changed |= bool(found)
        return found
