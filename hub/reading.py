"""Another registry made ready while the hub goes on: read, checked in full, compared and kept; nothing is changed yet.

All of it blocks, for half a minute with a county's, and runs in a thread of its own.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hub.core.registry import ByArea, GatewayEntry, Key, Registry
from hub.core.reloaded import Cause
from hub.gate import Gate
from hub.notify.people import People
from hub.notify.telling import people_of
from hub.registry import Loaded, load
from hub.registry.contacts import ContactBook
from hub.registry.diff import Diff, What, between
from hub.registry.files import settle
from hub.registry.guard import too_many
from hub.registry.history import FOLDER, History, State
from hub.settings import Settings
from hub.settings_file import strange_areas
from protocol import lock
from protocol.faults import Fault, Refused

IMPORT_WAIT_S = 30.0
"""How long an import may be at it before a reload gives up: it writes what it has checked before."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A registry that may be put in force. `state` is that of the history (None: the registry is the same, people are
    others, or nothing is, or it is not kept yet)."""

    loaded: Loaded
    diff: Diff
    gate: Gate
    gateways: dict[Key, GatewayEntry | None]
    people: People
    based: list[Key]
    state: State | None

    @property
    def vetted(self) -> bool:
        """Whether an import put it there: it has asked whoever made it about what is doubtful."""
        return self.state is not None and bool(self.state.by)

    @property
    def cause(self) -> Cause:
        """By import, where one put this registry there."""
        return Cause.IMPORT if self.vetted else Cause.SIGNAL


def ready(settings: Settings, old: Registry, people: ContactBook, based: Callable[[Iterable[str]], list[Key]]) -> Ready:
    """Read the registry the settings name, to be put in place of `old` and its `people`. Raises Refused with every
    fault; OSError where its state cannot be kept."""
    with _Alone(settings):
        path = settings.hub.registry
        settle(path)
        collecting = gc.isenabled()
        gc.disable()  # as in `load`; and what comes stays, so that it need not be looked through ever
        try:
            loaded = load(path)
            new = loaded.registry
            routes, faults = people_of(settings, loaded)
            faults += strange_areas(settings, new.areas, "hub")
            if faults:
                raise Refused(faults)
            diff = between(old, new, (people, loaded.contacts))
            gateways = _gateways(new, diff)
            gate = Gate(new)
            gc.freeze()
        finally:
            if collecting:
                gc.enable()
        states = History(settings.hub.data_dir / FOLDER).states()
        state = states[-1] if states and states[-1].digest == new.digest else None
        return Ready(loaded, diff, gate, gateways, routes, based(sorted(diff.areas)), state)


def doubtful(old: Registry, diff: Diff, more: Iterable[str]) -> None:
    """Raises Refused for what looks like a mistake; whoever means it forces it."""
    allowed = "what is meant: import it (lianfang registry import --yes), or force it"
    faults = [Fault("registry", "premises", words, allowed) for words in (*too_many(old, diff), *more)]
    if faults:
        raise Refused(faults)


def keep(settings: Settings, ready: Ready) -> Ready:
    """The same with its state of the history, made where there is none: a replay needs it. Raises OSError, Refused."""
    if ready.state is not None:
        return ready
    history, source = History(settings.hub.data_dir / FOLDER), f"reloaded: {settings.hub.registry.name}"
    with _Alone(settings):
        state = history.keep(ready.loaded.registry, ready.diff, by="", source=source, at_ms=_now())
    return replace(ready, state=state)


def keep_first(settings: Settings, registry: Registry) -> None:
    """A hub that starts keeps what it judges by, where the last state kept is another: a replay needs it."""
    history = History(settings.hub.data_dir / FOLDER)
    with _Alone(settings):
        states = history.states()
        if not states or states[-1].digest != registry.digest:
            source = f"as found: {settings.hub.registry.name}"
            diff = between(Registry(), registry) if not states else Diff()
            history.keep(registry, diff, by="", source=source, at_ms=_now())


def let_go(owned: list[Loaded]) -> None:
    """Free what was in force piece by piece: at one stroke, a county's would hold up everything for a second. The list
    is emptied, and should be the last that has them. Blocks."""
    pieces = [piece for one in owned for piece in _pieces(one)]
    owned.clear()
    while pieces:
        pieces.pop()


def _pieces(loaded: Loaded) -> Iterator[object]:
    """Tables by area and people by premises, each to be let go by itself."""
    known = loaded.registry
    for table in (known.stations, known.groups, known.premises, known.gateways, known.zones):
        if isinstance(table, ByArea):
            yield from (table.of(area) for area in known.areas)
    yield from loaded.contacts.lists()


def _gateways(new: Registry, diff: Diff) -> dict[Key, GatewayEntry | None]:
    return {key: None if what is What.GONE else new.gateways[key] for key, what in diff.gateways.items()}


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Alone:
    """No import writes while the registry is read."""

    def __init__(self, settings: Settings) -> None:
        self._folder: Path = settings.hub.data_dir / FOLDER

    def __enter__(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        until_s = time.monotonic() + IMPORT_WAIT_S
        while (held := lock.take(self._folder)) is None:
            if time.monotonic() > until_s:
                raise Refused([Fault(str(self._folder), "the history", "an import is at it", "one at a time")])
            time.sleep(0.05)
        self._held = held

    def __exit__(self, *error: object) -> None:
        self._held.release()
