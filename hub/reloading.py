"""The registry read again while the hub runs: made ready beside it, put in force at one step, or left as it was.

What is put in force is in the journal first, in one batch for all areas, so that after a crash a start finds the old
state or the new, and nothing between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator

import msgspec
import structlog

from hub import reading
from hub.core.abroad import key_of
from hub.core.desk import Desk
from hub.core.incident import UNRESOLVED
from hub.core.io import Input
from hub.core.registry import Key, Registry
from hub.core.reloaded import Cause, Changes, Reloaded
from hub.erasable import Erasable
from hub.inbox import Item
from hub.journal import Note
from hub.metrics import Metrics
from hub.notify.people import People
from hub.past import JournalError
from hub.registry import Loaded
from hub.registry.diff import What
from hub.registry.guard import needed, open_at
from hub.rounds import Rounds, StoreDown, Swap
from hub.settings import Settings
from hub.sites import Sites
from hub.troubles import REGISTRY, Troubles
from hub.workings import Workings
from protocol.faults import Fault, Refused

NOTES = "registry"
"""Under what the reasons of reloads are kept."""
AGAIN_S = 5.0
"""When a reload asked for by a signal is tried again that the journal did not take."""
FAULTS_LOGGED = 20
GIVE_WAY_S = 0.0005
LOOK_S = 0.005
"""How often it is looked whether anything holds up the hub while a registry is read."""


class Busy(Exception):
    """Another reload is under way."""


class Attempt(msgspec.Struct, frozen=True):
    """What a reload came to. `taken`: another registry, or other people, are in force by it; `faults` are why it was
    refused (the one before stays in force). `took_ms` from its beginning, `held_ms` the longest time the hub did
    nothing else meanwhile. `at_ms` is hub wall ms."""

    at_ms: int
    cause: Cause
    taken: bool
    before: str
    digest: str
    changes: Changes
    warnings: int
    faults: list[Fault]
    state: int | None
    took_ms: int
    held_ms: float


class Reloading:
    """One reload at a time. `last` is the newest attempt, `loaded` what is in force; `followers` are told of another in
    the same step as the desk."""

    def __init__(
        self,
        settings: Settings,
        loaded: Loaded,
        desk: Desk,
        rounds: Rounds,
        inside: Workings,
        sites: Sites,
        people: People,
        erasable: Erasable,
        troubles: Troubles,
        metrics: Metrics,
    ) -> None:
        self.loaded = loaded
        self.last: Attempt | None = None
        self.followers: list[Callable[[Registry], None]] = []
        self._settings, self._desk, self._rounds, self._inside = settings, desk, rounds, inside
        self._sites, self._people, self._erasable = sites, people, erasable
        self._troubles, self._metrics = troubles, metrics
        self._clock = rounds.clock
        self._busy = asyncio.Lock()
        self._asked = asyncio.Event()
        self._log = structlog.get_logger("hub.registry")

    def ask(self) -> None:
        """Somebody sent a signal."""
        self._asked.set()

    async def run(self) -> None:
        """Keep what the hub started with, then reload whenever asked to, for ever."""
        try:
            with self._yielding():
                await asyncio.to_thread(reading.keep_first, self._settings, self._desk.registry)
            await self._tell_start()
        except (Refused, OSError, StoreDown, JournalError) as cause:
            self._log.error("the registry in force cannot be kept: a replay may miss it", why=str(cause))
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self.reload()
            except Refused:
                pass  # it is said, and stands as trouble until one is good
            except Busy:
                self._asked.set()
                async with self._busy:
                    pass
            except (StoreDown, JournalError) as cause:
                self._log.error("the registry waits: the journal takes nothing", why=str(cause))
                await asyncio.sleep(AGAIN_S)
                self._asked.set()

    async def reload(self, by: str | None = None, why: str = "", *, force: bool = False) -> Attempt:
        """Read the registry and put it in force. `by` and `why` are of a person who asked; without, it is a signal's.

        Raises Refused with every fault (what was in force stays), Busy, StoreDown, JournalError.
        """
        if self._busy.locked():
            raise Busy("another reload is under way")
        async with self._busy:
            began_ms = self._clock.exact_ms()
            with self._yielding(), self._watched() as held:
                try:
                    taken = await self._taken(by, why, force)
                except (Refused, OSError) as cause:
                    refused = cause if isinstance(cause, Refused) else Refused([_unreadable(cause)])
                    self._told(self._refused(by, refused, began_ms, held))
                    raise refused from cause
                finally:
                    self._metrics.reload_held.set(max(held) / 1000)
            attempt = self._attempt(by, *taken, began_ms, held)
            self._told(attempt)
            return attempt

    async def _taken(self, by: str | None, why: str, force: bool) -> tuple[reading.Ready, str]:
        old, before = self._desk.registry, self.loaded
        ready = await asyncio.to_thread(reading.ready, self._settings, old, before.contacts, self._sites.based)
        if not (force or ready.vetted):
            reading.doubtful(old, ready.diff, needed(old, ready.diff, open_at(self._desk)))
        digest = old.digest
        if ready.diff:
            if ready.loaded.registry.digest != digest:
                ready = await asyncio.to_thread(reading.keep, self._settings, ready)
            await self._put(ready, by, why)
            owned = [before]
            del before, old
            await asyncio.to_thread(reading.let_go, owned)
        return ready, digest

    async def _put(self, ready: reading.Ready, by: str | None, why: str) -> None:
        """Into the journal, and in force: in one batch."""
        inputs, note = await self._inputs(ready, by, why)
        if self._rounds.down is not None:
            raise StoreDown(self._rounds.down)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(cause: Exception | None) -> None:
            if not answer.done():
                answer.set_result(None) if cause is None else answer.set_exception(cause)

        def done() -> None:
            self._in_force(ready)

        at = (self._clock.now_ms(), self._clock.exact_ms())
        items = [Item(one, *at, note=note if n == 0 else None, answer=told) for n, one in enumerate(inputs)]
        self._rounds.swap(Swap(ready.loaded.registry, items, done))
        await answer

    async def _inputs(self, ready: reading.Ready, by: str | None, why: str) -> tuple[list[Input], Note | None]:
        """One for each area: of all where the registry is another, of those whose people changed where it is not."""
        new, old, state = ready.loaded.registry, self._desk.registry, ready.state
        cause = Cause.REQUEST if by is not None else ready.cause
        if cause is Cause.IMPORT and state is not None:
            by, why = state.by, f"import of {state.source}"
        areas = sorted({*old.areas, *new.areas} if new.digest != old.digest else ready.diff.areas)
        note = Note(areas[0], NOTES, why) if why else None
        if note is not None:
            self._erasable.keep(note)
        who = await self._erasable.alias(by) if by is not None else "signal"
        gone: dict[str, list[str]] = {}
        for (area, gateway), what in ready.diff.gateways.items():
            if what is What.GONE:
                gone.setdefault(area, []).append(gateway)
        digests, said = (old.digest, new.digest), note.hash if note is not None else ""
        number = state.n if state is not None else 0
        changes = ready.diff.summary
        inputs = [Reloaded(one, cause, who, said, *digests, changes(one), gone.get(one, []), number) for one in areas]
        return list[Input](inputs), note

    def _in_force(self, ready: reading.Ready) -> None:
        """The journal has it: everything else judges by it from this moment."""
        self.loaded = ready.loaded
        self._inside.under(ready.gate, ready.gateways)
        self._people.become(ready.people, self._called())
        gone = [key for key, entry in ready.gateways.items() if entry is None]
        self._sites.under(ready.loaded.registry, ready.based, gone)
        for follower in self.followers:
            follower(ready.loaded.registry)

    def _called(self) -> set[Key]:
        """Members called for what is still open: they hear its end, wherever they live by then."""
        return {key_of(one.area, member) for one in self._desk.incidents(states=UNRESOLVED) for member in one.calls}

    async def _tell_start(self) -> None:
        """The registry was changed while the hub was down: the journal says so of each area that knew another."""
        new = self._desk.registry
        known = {area: self._desk.in_force(area) for area in new.areas}
        other = {area: was for area, was in known.items() if was is not None and was.digest != new.digest}
        for area, was in sorted(other.items()):
            gone = [gateway for of, gateway in self._desk.linked() if of == area and (of, gateway) not in new.gateways]
            told = Reloaded(area, Cause.START, "hub", "", was.digest, new.digest, {}, gone)
            self._rounds.inbox.put(Item(told, self._clock.now_ms(), self._clock.exact_ms()))

    @contextlib.contextmanager
    def _yielding(self) -> Iterator[None]:
        """The reading thread gives way ten times as often: at each step the loop waits for it once."""
        before_s = sys.getswitchinterval()
        sys.setswitchinterval(GIVE_WAY_S)
        try:
            yield
        finally:
            sys.setswitchinterval(before_s)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[list[float]]:
        """How long the loop did nothing else, ms: the longest is what a press would have waited."""
        held = [0.0]

        async def look() -> None:
            while True:
                before_ms = self._clock.exact_ms()
                await asyncio.sleep(LOOK_S)
                held[0] = max(held[0], self._clock.exact_ms() - before_ms - 1000 * LOOK_S)

        looking = asyncio.create_task(look(), name="held")
        try:
            yield held
        finally:
            looking.cancel()

    def _attempt(
        self, by: str | None, ready: reading.Ready, before: str, began_ms: float, held: list[float]
    ) -> Attempt:
        cause = Cause.REQUEST if by is not None else ready.cause
        diff, digest, state = ready.diff, ready.loaded.registry.digest, ready.state.n if ready.state else None
        came = (bool(diff), before, digest, diff.summary(), len(ready.loaded.warnings), list[Fault](), state)
        return Attempt(self._clock.now_ms(), cause, *came, int(self._clock.exact_ms() - began_ms), round(max(held), 1))

    def _refused(self, by: str | None, refused: Refused, began_ms: float, held: list[float]) -> Attempt:
        cause = Cause.REQUEST if by is not None else Cause.SIGNAL
        digest, took = self._desk.registry.digest, (int(self._clock.exact_ms() - began_ms), round(max(held), 1))
        return Attempt(self._clock.now_ms(), cause, False, digest, digest, {}, 0, list(refused.faults), None, *took)

    def _told(self, attempt: Attempt) -> None:
        """Say it: a refusal stands as the hub's trouble until a registry is good again."""
        self.last = attempt
        words = {"cause": attempt.cause.value, "digest": attempt.digest[:16], "took_ms": attempt.took_ms}
        outcome = "refused" if attempt.faults else "taken" if attempt.taken else "same"
        self._metrics.reloads.labels(outcome).inc()
        if attempt.faults:
            shown = [str(fault) for fault in attempt.faults[:FAULTS_LOGGED]]
            self._log.error("registry refused: the one before stays in force", faults=shown, **words)
            self._troubles.tell(REGISTRY, f"refused, {len(attempt.faults)} fault(s); first: {attempt.faults[0]}")
            return
        self._log.info(f"registry {outcome}", changes=attempt.changes, held_ms=attempt.held_ms, **words)
        self._troubles.tell(REGISTRY, None)


def _unreadable(cause: OSError) -> Fault:
    return Fault("hub", "hub.registry", str(cause), "places that can be read and written to")
