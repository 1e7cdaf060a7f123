"""A registry put in the place of another: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hub.core.registry import Registry
from hub.registry.contacts import ContactBook
from hub.registry.export import to_csv
from protocol.faults import Fault, Refused

BEFORE = ".before"


def synced(path: Path) -> Path:
    """The file, once it is surely on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path


def settle(path: Path) -> None:
    """Finish what an import that was killed began: where the folder is not there, the one before it is put back. Both
    are whole at any time. Raises OSError."""
    before = path.with_name(f"{path.name}{BEFORE}")
    if not path.exists() and before.is_dir():
        before.rename(path)


def writable(path: Path) -> None:
    """Raises Refused where no registry can be put by a program."""
    if path.suffix.lower() in (".toml", ".xlsx") or (path.exists() and not path.is_dir()):
        allowed = (
            "a folder of CSV files: a TOML file is yours to edit, with its remarks; "
            "export it to a folder and name that in hub.toml"
        )
        raise Refused([Fault("hub", "hub.registry", str(path), allowed)])


def put(path: Path, registry: Registry, contacts: ContactBook) -> None:
    """Write CSV files in place of the folder `path`, which stands beside it as `NAME.before`. Raises OSError."""
    mode = 0o700  # names and telephone numbers are in it
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as name:
        fresh = Path(name) / path.name
        fresh.mkdir(mode=mode)
        if path.is_dir():
            fresh.chmod(path.stat().st_mode & 0o777)
        to_csv(fresh, registry, contacts)
        for file in fresh.iterdir():
            if path.is_dir():
                old = path / file.name
                file.chmod(old.stat().st_mode & 0o777 if old.exists() else 0o600)
            synced(file)
        before = path.with_name(f"{path.name}{BEFORE}")
        if path.exists():
            if before.exists():
                shutil.rmtree(before)
            path.rename(before)
        fresh.rename(path)
        if before.exists():  # what people were in it is gone with them; the history has the rest
            (before / "contacts.csv").unlink(missing_ok=True)
