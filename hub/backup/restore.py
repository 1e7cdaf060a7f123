"""Putting a backup back: everything is checked, then everything is staged, and only then is anything put in place.

What stands where a part belongs is kept aside under another name, when that was asked for, and never deleted.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hub.backup import archive, databases, folders
from hub.backup import manifest as said
from hub.backup.manifest import CONFIG, JOURNAL, NOTICES, PACKED, TELEMETRY, Manifest
from hub.backup.notices import settle
from hub.backup.places import inside, led, places, slot
from hub.backup.take import sync
from hub.beginning import SIDE_FILES, put_aside
from hub.settings import Settings
from hub.settings_file import of_text
from protocol import lock
from protocol.faults import Fault, Refused


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: parts by name with where they are now, what stood there with where that is now, and what was
    left, because it is the same as in the backup."""

    manifest: Manifest
    config: Path
    put: dict[str, Path]
    aside: dict[Path, Path]
    same: list[Path]


@dataclass(slots=True)
class _Plan:
    """Where the parts go (`slots`: a file each, the registry as one), and the configuration as it will stand."""

    manifest: Manifest
    config: Path
    data_dir: Path
    slots: dict[str, Path]
    text: bytes
    same: list[Path] = field(default_factory=list)
    staged: dict[str, Path] = field(default_factory=dict)

    def target(self, name: str) -> Path:
        """Where one part will be."""
        to = self.slots[slot(name)]
        return to / Path(name).name if name.startswith(f"{said.REGISTRY}/") else to


def restore_into(file: Path, folder: Path, *, replace: bool = False) -> Restored:
    """Put everything into one folder, with the configuration led to it. Raises Refused; then nothing was changed."""
    folder = folder.absolute()

    def plan(manifest: Manifest, text: bytes) -> _Plan:
        slots = inside(folder, (part.name for part in manifest.parts))
        config = folder / CONFIG
        text = led(text.decode(), folder, slots).encode()
        settings = of_text(text, folder, f"{file.name}: {CONFIG}")
        wrong = [name for name, path in places(config, settings).items() if path != slots.get(name, path)]
        if wrong:
            found, allowed = f"{', '.join(wrong)}, named in a way that cannot be led elsewhere", "--config instead"
            raise Refused([Fault(f"{file.name}: {CONFIG}", "paths", found, allowed)])
        return _Plan(manifest, config, settings.hub.data_dir, slots, text)

    return _restore(file, plan, replace=replace)


def restore_to(file: Path, config: Path, *, replace: bool = False, data_only: bool = False) -> Restored:
    """Put everything where it belongs, by the configuration in the backup that will stand at `config`.

    With `data_only`: what is in the data folder alone, by the configuration that stands there. Raises Refused.
    """
    config = config.absolute()

    def plan(manifest: Manifest, text: bytes) -> _Plan:
        if data_only:
            try:
                text = config.read_bytes()
            except OSError as cause:
                fault = Fault("--config", "file", f"{config} ({cause.strerror})", "the hub's file, for --data-only")
                raise Refused([fault]) from cause
        settings: Settings = of_text(text, config.parent, config.name)
        parts = {slot(part.name) for part in manifest.parts if not data_only or part.name.startswith("data/")}
        slots = {name: path for name, path in places(config, settings).items() if name in parts}
        same = [path for name, path in slots.items() if _same(manifest, name, path)]
        slots = {name: path for name, path in slots.items() if path not in same}
        return _Plan(manifest, config, settings.hub.data_dir, slots, text, same)

    return _restore(file, plan, replace=replace)


def _restore(file: Path, planned: Callable[[Manifest, bytes], _Plan], *, replace: bool) -> Restored:
    manifest = archive.check(file)
    plan = planned(manifest, archive.text(file, CONFIG))
    made = _folders(plan)
    try:
        with contextlib.ExitStack() as stack:
            held = lock.take(plan.data_dir) if plan.data_dir.exists() else None
            wrong = list(_against(plan, replace=replace, held=held is not None or not plan.data_dir.exists()))
            if held is not None:
                stack.callback(held.release)
            if wrong:
                raise Refused(wrong)
            stack.callback(_unstage, plan)
            made.make()
            if held is None and (held := lock.take(plan.data_dir)) is not None:
                stack.callback(held.release)
            _stage(file, plan)
            aside = _put(plan)
    except BaseException:
        made.unmake()
        raise
    put = {part.name: plan.target(part.name) for part in manifest.parts if slot(part.name) in plan.slots}
    return Restored(manifest, plan.config, put, aside, plan.same)


def _same(manifest: Manifest, name: str, path: Path) -> bool:
    """Whether what is there is what the backup holds; a database is always put back, with its -wal in mind."""
    if name in (JOURNAL, TELEMETRY, NOTICES, *PACKED):
        return False
    sums = {part.name: part.sha256 for part in manifest.parts if slot(part.name) == name}
    if path.is_dir():
        there = {f"{name}/{one.name}": one for one in path.iterdir()}
    else:
        there = {one: path for one in sums if path.is_file()}
    return there.keys() == sums.keys() and all(archive.digest(one) == sums[part] for part, one in there.items())


class _Made:
    """Folders that were made for this, to be taken away again when nothing comes of it."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders, self._made = folders, list[Path]()

    def make(self) -> None:
        """Make those that are not there, for their owner alone."""
        for folder in self._folders:
            for one in reversed([folder, *folder.parents]):
                if not one.exists():
                    try:
                        one.mkdir(mode=0o700)
                    except OSError as cause:
                        fault = Fault(str(one), "folder", str(cause.strerror), "a folder that can be made")
                        raise Refused([fault]) from cause
                    self._made.append(one)
                    _owned(one)

    def unmake(self) -> None:
        """Take away those that were made and are empty but for the lock."""
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                (folder / lock.NAME).unlink(missing_ok=True)
                folder.rmdir()


def _folders(plan: _Plan) -> _Made:
    return _Made(list(dict.fromkeys([plan.data_dir, *(path.parent for path in plan.slots.values())])))


def _against(plan: _Plan, *, replace: bool, held: bool) -> Iterator[Fault]:
    """What stands in the way, all of it."""
    if not held:
        yield Fault("hub", "data_dir", f"{plan.data_dir}, on which a hub runs", "a hub that was stopped")
    if not replace:
        for name, path in plan.slots.items():
            for there in _there(path):
                allowed = "a place where nothing is, or --replace, which keeps aside what is there"
                yield Fault(name, "file", f"{there}, which is there", allowed)
    needed: dict[Path, int] = {}
    for part in plan.manifest.parts:
        if slot(part.name) in plan.slots:
            near = next(one for one in plan.target(part.name).parents if one.exists())
            needed[near] = needed.get(near, 0) + part.bytes
    for folder, size in needed.items():
        if (free := shutil.disk_usage(folder).free) < size:
            yield Fault(str(folder), "room", f"{free // 2**20} MiB free", f"{-(-size // 2**20)} MiB")


def _there(path: Path) -> Iterator[Path]:
    """A file, or what was left beside a database that is gone: it would be taken for a part of the restored one."""
    yield from (one for suffix in ("", *SIDE_FILES) if (one := path.with_name(path.name + suffix)).exists())


def _stage(file: Path, plan: _Plan) -> None:
    """Everything beside its place under another name, looked through again. Raises Refused."""
    token = secrets.token_hex(4)
    plan.staged = {name: path.with_name(f".{path.name}.restoring-{token}") for name, path in plan.slots.items()}
    to: dict[str, Path] = {}
    for part in plan.manifest.parts:
        if (beside := plan.staged.get(slot(part.name))) is None:
            continue
        if part.name.startswith(f"{said.REGISTRY}/"):
            beside.mkdir(mode=0o700, exist_ok=True)
            _owned(beside)
            beside = beside / Path(part.name).name
        to[part.name] = beside
    packed = {name: to[name].with_name(f"{to[name].name}.packed") for name in PACKED if name in to}
    try:
        archive.unpack(file, to | packed)
        for name, pack in packed.items():
            folders.expand(name, pack, to.pop(name))
    finally:
        for pack in packed.values():
            pack.unlink(missing_ok=True)
    if CONFIG in to:
        to[CONFIG].write_bytes(plan.text)
    wrong: list[Fault] = []
    found = databases.journal(to[JOURNAL], file.name)
    if isinstance(found, list):
        wrong += found
    else:
        wrong += said.other_ends(plan.manifest, found.heads, file.name)
    if TELEMETRY in to:
        wrong += databases.telemetry(to[TELEMETRY], file.name)
    if NOTICES in to:
        wrong += databases.notices(to[NOTICES], file.name)
    if wrong:
        raise Refused(wrong)
    try:
        settle(to[JOURNAL], to.get(NOTICES))
    except (sqlite3.Error, msgspec.MsgspecError) as cause:
        raise Refused([Fault(file.name, NOTICES, str(cause), "notices that can be read")]) from cause
    for path in to.values():
        _owned(path)
    for name in packed:
        for path in (plan.staged[name], *plan.staged[name].rglob("*")):
            _owned(path)


def _put(plan: _Plan) -> dict[Path, Path]:
    """Put what is there aside and what is staged in its place; all of it, or the old state again."""
    undo: list[tuple[Path, Path]] = []
    aside: dict[Path, Path] = {}
    try:
        for name, path in plan.slots.items():
            if any(_there(path)):
                kept = put_aside(path, "before-restore")
                aside[path] = kept
                undo += [
                    (kept.with_name(kept.name + end), path.with_name(path.name + end)) for end in ("", *SIDE_FILES)
                ]
            plan.staged[name].rename(path)
            undo.append((path, plan.staged[name]))
        for folder in {path.parent for path in plan.slots.values()}:
            sync(folder)
    except OSError as cause:
        for now, before in reversed(undo):
            with contextlib.suppress(OSError):
                now.rename(before)
        raise Refused([Fault(str(cause.filename), "file", str(cause.strerror), "a place that takes it")]) from cause
    return aside


def _unstage(plan: _Plan) -> None:
    for path in plan.staged.values():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _owned(path: Path) -> None:
    """Made by root, a file belongs to whom its folder belongs: the hub runs as somebody else."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
