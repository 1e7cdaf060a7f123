"""The journal folded once more, by a desk of its own, and what a report needs kept on the way.

Memory holds what is not archived, as at the hub, and the incidents of the two periods that are compared; the journal is
read in batches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from hub.chain import Broken, Entry
from hub.core.defaults import Defaults
from hub.core.desk import Desk
from hub.core.effects import Changed, Effect, Page, Reached, Rung
from hub.core.heard import Linked
from hub.core.incident import State
from hub.core.io import Input
from hub.core.registry import Registry
from hub.rebuild import Formerly, Readable, Rebuilt, folded, forgotten
from hub.registry.coverage import villages
from hub.reports.case import Case, seen, told
from hub.reports.material import Standing
from hub.reports.places import Places
from hub.reports.trial import Presented, presented, trial

MINUTE_MS = 60_000
FREQUENT_MAX = 1_000
"""Different alarms looked at for the most frequent."""


class Folding:
    """Folds a journal for one area. `standings` are the area at each of the `cuts` (hub wall ms, in order), `pages`
    count what was told each rung by the minute since the first cut. Reads no further than the last cut."""

    def __init__(
        self, registry: Registry, defaults: Defaults, area: str, cuts: Sequence[int], formerly: Formerly = forgotten
    ) -> None:
        self.standings: list[Standing] = []
        self.pages: defaultdict[Rung, Counter[int]] = defaultdict(Counter)
        self.found = Rebuilt()
        self.refused: Counter[str] = Counter()
        self._desk = _Observed(registry, defaults)
        self._area = area
        self._cuts = list(cuts)
        self._first_ms = cuts[0]
        self._formerly = formerly
        self._cases: dict[str, Case] = {}
        self._heard: dict[str, list[tuple[int, int | None]]] = {}
        self._places = (registry, Places(registry, area))
        self._config: str | None = None

    @property
    def broken(self) -> Broken | None:
        """The first entry that does not follow in its chain."""
        return self.found.broken

    def run(self, journal: Readable) -> None:
        """Read and fold. Raises JournalError."""
        cut = _Cut(journal, self._cuts, self._stand)
        for entry, _ in folded(self._desk, cut, self.found, self._formerly):
            if entry.area == self._area:
                self._look(entry)
            self._config = entry.config
        while cut.left:
            self._stand(cut.left.pop(0))

    def _look(self, entry: Entry) -> None:
        for item, effects in self._desk.taken():
            if isinstance(item, Linked):
                self._linked(item, entry.at_ms)
            changed = [one.incident for one in effects if isinstance(one, Changed)]
            for name in dict.fromkeys(changed):
                self._changed(name, entry.at_ms)
            for effect in effects:
                if isinstance(effect, Page | Reached) and effect.incident in self._cases:
                    self._cases[effect.incident] = told(self._cases[effect.incident], effect, entry.at_ms)
                    if isinstance(effect, Page) and entry.at_ms >= self._first_ms:
                        self.pages[effect.rung][entry.at_ms // MINUTE_MS * MINUTE_MS] += 1

    def _changed(self, name: str, at_ms: int) -> None:
        incident = self._desk.incident(self._area, name)
        if incident is None or incident.drill:
            return
        parent = self._desk.incident(self._area, incident.parent) if incident.parent is not None else None
        self._cases[name] = seen(incident, parent, self._cases.get(name), self._now(), at_ms)

    def _linked(self, item: Linked, at_ms: int) -> None:
        spells = self._heard.setdefault(item.gateway, [])
        open_since = spells[-1][0] if spells and spells[-1][1] is None else None
        if item.up and open_since is None:
            spells.append((at_ms, None))
        elif not item.up and open_since is not None:
            spells[-1] = (open_since, max(open_since, item.heard_ms))

    def _now(self) -> Places:
        """The places as the registry has them that the desk judges by."""
        if self._places[0] is not self._desk.registry:
            self._places = (self._desk.registry, Places(self._desk.registry, self._area))
        return self._places[1]

    def _stand(self, at_ms: int) -> None:
        """The area as it is just now; what nobody will ask for any more is forgotten."""
        since_ms = self._first_ms
        self._cases = {
            name: one
            for name, one in self._cases.items()
            if one.state is not State.ARCHIVED or one.raised_ms >= since_ms or max((*one.resolves, 0)) >= since_ms
        }
        for gateway, spells in self._heard.items():
            self._heard[gateway] = [one for one in spells if one[1] is None or one[1] >= since_ms]
        registry = self._desk.registry
        kept = self._config is None or self._config == self._desk.config_digest
        self.standings.append(
            Standing(
                at_ms=at_ms,
                cases=dict(self._cases),
                heard={name: tuple(spells) for name, spells in self._heard.items()},
                tally=self._desk.tally([self._area]),
                places=self._now(),
                villages=tuple(villages(registry, self._area)),
                kept=kept,
                trials=tuple(trial(one, self._now()) for one in self._desk.drills(self._area, at_ms)),
                proofs=tuple(self._desk.proofs(self._area, at_ms)),
                presented=self._presented(at_ms),
            )
        )

    def _presented(self, at_ms: int) -> Presented | None:
        """The alarms since the cut before; nobody asks for those before the first."""
        if not self.standings:
            return None
        figures = self._desk.alarms.figures(self._area, self.standings[-1].at_ms, at_ms, at_ms, FREQUENT_MAX)
        return presented(figures, self._now())


class _Observed(Desk):
    """A desk that remembers what its last steps took and asked for."""

    def __init__(self, registry: Registry, defaults: Defaults) -> None:
        super().__init__(registry, defaults)
        self._taken: list[tuple[Input, list[Effect]]] = []

    def step(self, item: Input, at_ms: int, *, replayed: bool = False) -> list[Effect]:
        """As the desk does, and remembered."""
        self._taken.clear()
        effects = super().step(item, at_ms, replayed=replayed)
        self._taken.append((item, effects))
        return effects

    def taken(self) -> list[tuple[Input, list[Effect]]]:
        """The last step, if it was one: a refused move took nothing."""
        return self._taken


class _Cut:
    """A journal that is read up to the last of the times it is cut at, and says when each of them comes."""

    def __init__(self, journal: Readable, cuts: Sequence[int], came: Callable[[int], None]) -> None:
        self.left = list(cuts)
        self._journal = journal
        self._came = came

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after` and before the last cut, in order. Raises JournalError."""
        for entry in self._journal.entries(after):
            while self.left and entry.at_ms >= self.left[0]:
                self._came(self.left.pop(0))
            if not self.left:
                return
            yield entry

    def hash_at(self, n: int) -> bytes | None:
        """The hash of entry `n`; None where there is none. Raises JournalError."""
        return self._journal.hash_at(n)
