"""Every state the registry had: who made it, when, and what it changed. Ids and places; people are in none of it."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec
import structlog

from hub.core.defaults import Defaults
from hub.core.desk import config_digest
from hub.core.registry import Registry
from hub.registry import Loaded, load
from hub.registry.contacts import ContactBook
from hub.registry.diff import Diff
from hub.registry.export import to_csv
from hub.registry.files import synced
from protocol.faults import Fault, Refused

FOLDER = "registry-history"
"""Its folder, in the folder of the hub's data."""


class State(msgspec.Struct, frozen=True):
    """One state: `n` counts from 1, `changes` are how many by table and kind, `first` those told one by one."""

    n: int
    at_ms: int
    by: str
    source: str
    digest: str
    before: str | None
    changes: dict[str, dict[str, int]]
    first: list[str]


class History:
    """The states kept in a folder: a line of JSON and a packed registry each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def states(self) -> list[State]:
        """Every state, oldest first. Raises Refused for a file that is none."""
        found = []
        for path in sorted(self.folder.glob("[0-9]*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=State))
            except (OSError, msgspec.DecodeError) as cause:
                raise Refused([Fault(str(path), "the file", str(cause), "a state of the registry")]) from cause
        return found

    def keep(self, registry: Registry, diff: Diff, *, by: str, source: str, at_ms: int) -> State:
        """Keep a state. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        last = self.states()[-1:]
        state = State(
            n=last[0].n + 1 if last else 1,
            at_ms=at_ms,
            by=by,
            source=source,
            digest=registry.digest,
            before=last[0].digest if last else None,
            changes=diff.summary(),
            first=diff.first,
        )
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as name:
            tables, packed, told = Path(name) / "tables", Path(name) / "packed.zip", Path(name) / "state.json"
            tables.mkdir()
            to_csv(tables, registry, ContactBook())
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(tables.iterdir()):
                    archive.write(path, path.name)
            told.write_bytes(msgspec.json.encode(state))
            synced(packed).replace(self.folder / f"{state.n:06}.zip")
            synced(told).replace(self.folder / f"{state.n:06}.json")
        return state

    def formerly(self, defaults: Defaults) -> Callable[[str], Registry | None]:
        """The registry kept for a desk's configuration with these limits, by its digest; None where none was kept or
        it cannot be read any more. The last one stays at hand."""

        @lru_cache(maxsize=1)
        def found(config: str) -> Registry | None:
            try:
                kept = [one.n for one in self.states() if config_digest(one.digest, defaults) == config]
                return self.registry(kept[-1]).registry if kept else None
            except Refused as refused:
                structlog.get_logger("hub.registry").error("a kept registry cannot be read", why=str(refused))
                return None

        return found

    def registry(self, n: int) -> Loaded:
        """The registry as it was in state `n`. Raises Refused."""
        state = next((state for state in self.states() if state.n == n), None)
        if state is None:
            known = ", ".join(str(state.n) for state in self.states()) or "none"
            raise Refused([Fault(str(self.folder), "state", str(n), f"one of {known}")])
        packed = self.folder / f"{n:06}.zip"
        with tempfile.TemporaryDirectory(prefix="lf-registry-") as name:
            try:
                with zipfile.ZipFile(packed) as archive:
                    for part in archive.namelist():
                        with archive.open(part) as source, (Path(name) / Path(part).name).open("wb") as target:
                            shutil.copyfileobj(source, target)
            except (OSError, zipfile.BadZipFile) as cause:
                raise Refused([Fault(str(packed), "the file", str(cause), "a packed registry")]) from cause
            loaded = load(Path(name))
        if loaded.registry.digest != state.digest:
            raise Refused([Fault(str(packed), "digest", loaded.registry.digest, state.digest)])
        return loaded
