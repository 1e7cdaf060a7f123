"""Folders of a hub's data as one part of a backup each: the installers' site files, and the registry's history.

Both hold files that are put there whole and then never changed, so they can be copied while the hub works. Nothing is
written by a name that a pack brings along unless it is one of those a hub makes.
"""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

from hub.backup.manifest import HISTORY, SITES
from protocol.faults import Fault, Refused, shown

_ID = "[a-z0-9][a-z0-9-]{0,62}"
NAMES = {
    SITES: re.compile(rf"{_ID}/{_ID}\.toml"),
    HISTORY: re.compile(r"[0-9]{6,9}\.(json|zip)"),
}
"""What may be in each."""
STATED = ".json"
"""A state of the history counts once this file of it is there; it is written last, and packed first."""


def pack(name: str, folder: Path, to: Path) -> None:
    """Pack the files of a folder that belong to it; one that is not there gives an empty pack. Raises OSError."""
    found = [(one, str(one.relative_to(folder))) for one in folder.rglob("*") if one.is_file()]
    ours = sorted((at, one) for one, at in found if NAMES[name].fullmatch(at))
    stated = {at.removesuffix(STATED) for at, _ in ours if at.endswith(STATED)}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as packed:
        for at, one in ours:
            if name != HISTORY or at.partition(".")[0] in stated:
                packed.write(one, at)


def faults(name: str, packed: Path, where: str) -> list[Fault]:
    """Everything in a pack that is not of a hub's making."""
    try:
        with zipfile.ZipFile(packed) as archive:
            names = archive.namelist()
            wrong = [one for one in names if not NAMES[name].fullmatch(one) or names.count(one) > 1]
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError) as cause:
        return [Fault(where, name, str(cause), "a pack that can be read")]
    wrong += [broken] if broken is not None else []
    return [Fault(where, name, shown(one), "a file of this folder, once and whole") for one in wrong]


def expand(name: str, packed: Path, folder: Path) -> None:
    """Write the files of a pack into a new folder, for their owner alone, synced. Raises Refused."""
    if wrong := faults(name, packed, packed.name):
        raise Refused(wrong)
    try:
        folder.mkdir(mode=0o700)
        with zipfile.ZipFile(packed) as archive:
            for one in archive.namelist():
                target = folder / one
                target.parent.mkdir(mode=0o700, exist_ok=True)
                handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(archive.read(one))
                    file.flush()
                    os.fsync(file.fileno())
    except OSError as cause:
        raise Refused([Fault(str(folder), "the folder", str(cause.strerror), "a place that takes it")]) from cause
