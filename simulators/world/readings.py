"""The telemetry store in memory, with the rules of the embedded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub.core import ledger
from hub.store.port import Loss, Placed, Sample, Source, StoreError
from hub.store.settling import settle
from protocol.ranges import Ranges

if TYPE_CHECKING:
    from simulators.world.world import World


class Readings:
    """What is settled of every process, and the newest reading of each point."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.down = False
        self.newest: dict[tuple[str, str, str], Sample] = {}
        self._books: dict[Source, ledger.Book] = {}

    def write(
        self,
        samples: Sequence[Sample],
        settled: Mapping[Source, Ranges],
        boots: Mapping[Source, int],
        losses: Sequence[Loss] = (),
    ) -> int:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        for source, boot in boots.items():
            self._books.setdefault(source, ledger.Book(source[2], boot))
        fresh = settle(self._books, samples, settled, losses)
        for one in fresh:
            self._keep(one)
        return len(fresh)

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """As the port says."""
        return {book.instance: book.known() for book in self.books(area, gateway)}

    def books(self, area: str, gateway: str) -> list[ledger.Book]:
        """As the port says."""
        if self.down:
            raise StoreError("no answer")
        mine = [book for source, book in self._books.items() if source[:2] == (area, gateway)]
        return sorted(mine, key=lambda book: book.boot or 0)

    def _keep(self, one: Sample) -> None:
        self.world.witness.recorded(one)
        key = (one.area, one.gateway, one.point)
        latest = self.newest.get(key)
        better = latest is None or (one.placed is Placed.AGE or latest.placed is not Placed.AGE)
        if better and (latest is None or one.at_ms >= latest.at_ms):
            self.newest[key] = one
