"""Taking a backup of a hub that runs: copied, verified, packed, read back, and only then called by its name."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from hub.backup import archive, databases, folders
from hub.backup.manifest import (
    CHANNELS,
    FORMAT,
    JOURNAL,
    NOTICES,
    PACKED,
    REGISTRY,
    REQUIRED,
    TELEMETRY,
    ChainEnd,
    Manifest,
    Part,
)
from hub.backup.places import places
from hub.registry.rows import FILES
from hub.settings import Settings
from protocol.faults import Fault, Refused

ROOM = 2
"""The copies and the packed file stand side by side for a while."""


def take(
    config: Path, settings: Settings, out: Path, *, with_telemetry: bool, now_ms: int, with_secrets: bool = False
) -> Manifest:
    """Make the backup `out` (mode 0600), whole or not at all; `with_secrets`: the files that channels name too. Raises
    Refused with everything that is in the way."""
    sources = _sources(config, settings, with_telemetry=with_telemetry, with_secrets=with_secrets)
    if wrong := [*_missing(sources), *_against(out, sources)]:
        raise Refused(wrong)
    stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        manifest = _manifest(settings, found := _copied(sources, stage), now_ms)
        archive.write(stage / "packed", manifest, found)
        archive.check(stage / "packed")
        (stage / "packed").rename(out)
        sync(out.parent)
    except OSError as cause:
        raise Refused([Fault(str(out), "--out", cause.strerror or str(cause), "a place that takes it")]) from cause
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return manifest


def sync(folder: Path) -> None:
    """Have the names in a folder on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sources(config: Path, settings: Settings, *, with_telemetry: bool, with_secrets: bool) -> dict[str, Path]:
    """Every part with the file it comes from; the registry file by file."""
    found: dict[str, Path] = {}
    for name, path in places(config, settings).items():
        if name == REGISTRY:
            found |= dict(_registry(path))
        elif (name != TELEMETRY or with_telemetry) and (not name.startswith(CHANNELS) or with_secrets):
            found[name] = path
    for name in (NOTICES, *PACKED):
        if not found[name].exists():  # nobody was ever told of anything, nothing was ever published or imported
            del found[name]
    return found


def _registry(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        yield f"{REGISTRY}.toml", path
        return
    for name in FILES.values():
        if (path / name).exists():
            yield f"{REGISTRY}/{name}", path / name


def _missing(sources: dict[str, Path]) -> Iterator[Fault]:
    """The hub must have run once: then all of it is there."""
    for name, path in sources.items():
        if not os.access(path, os.R_OK):
            what = "a file that can be read" + (" (has this hub ever run?)" if name in (*REQUIRED, TELEMETRY) else "")
            yield Fault(name, "file", f"{path}, which {'cannot be read' if path.exists() else 'is not there'}", what)


def _against(out: Path, sources: dict[str, Path]) -> Iterator[Fault]:
    if out.exists():
        yield Fault("--out", "file", f"{out}, which is there", "a name that is free: no backup is overwritten")
    if not out.parent.is_dir():
        yield Fault("--out", "folder", f"{out.parent}, which is not there", "a folder")
        return
    needed = ROOM * sum(_bytes(path) for path in sources.values())
    if (free := shutil.disk_usage(out.parent).free) < needed:
        text = f"{free // 2**20} MiB free in {out.parent}"
        yield Fault("--out", "room", text, f"{-(-needed // 2**20)} MiB, or --without-telemetry")


def _bytes(path: Path) -> int:
    """What a file or folder holds, a database's -wal with it."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    beside = path.with_name(f"{path.name}-wal")
    return sum(one.stat().st_size for one in (path, beside) if one.exists())


def _copied(sources: dict[str, Path], stage: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for at, (name, path) in enumerate(sources.items()):
        to = stage / str(at)
        try:
            if name in (JOURNAL, TELEMETRY, NOTICES):
                databases.copy(path, to)
            elif name in PACKED:
                folders.pack(name, path, to)
            else:
                shutil.copyfile(path, to)
        except sqlite3.Error as cause:
            raise Refused([Fault(name, "file", f"{path}: {cause}", "a database that can be copied")]) from cause
        found[name] = to
    return found


def _manifest(settings: Settings, found: dict[str, Path], now_ms: int) -> Manifest:
    """What the copies are. Raises Refused when the copied journal or telemetry is not whole."""
    journal = databases.journal(found[JOURNAL], "the journal")
    wrong = journal if isinstance(journal, list) else []
    if TELEMETRY in found:
        wrong = [*wrong, *databases.telemetry(found[TELEMETRY], "telemetry")]
    if wrong or isinstance(journal, list):
        raise Refused(wrong)
    return Manifest(
        format=FORMAT,
        software=version("lianfang"),
        hub=settings.hub.id,
        at_ms=now_ms,
        schema=journal.schema,
        entries=journal.entries,
        last_ms=journal.last_ms,
        heads=[ChainEnd(area, entries, digest) for area, (entries, digest) in sorted(journal.heads.items())],
        parts=[Part(name, path.stat().st_size, archive.digest(path)) for name, path in found.items()],
    )
