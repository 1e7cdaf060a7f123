"""One process a data folder: two would send each other's records and switch each other's sirens."""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

NAME = "lock"


@dataclass(slots=True)
class Held:
    """A folder that is ours until `release`, or until this process ends, however it ends."""

    _handle: int | None

    def release(self) -> None:
        """Let others have it; a second time does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def take(folder: Path) -> Held | None:
    """Hold the folder; None while another does.

    A folder that takes no file (a card gone read-only) is no reason not to ring: then nobody holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return Held(None)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        return Held(None)
    with contextlib.suppress(OSError):  # a full card: whoever wants to tell us something does not find us
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    return Held(handle)


def holder(folder: Path) -> int | None:
    """The process that holds the folder just now; None where none does, or it does not say."""
    try:
        with (folder / NAME).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                said = file.read(20)
                return int(said) if said.isdigit() and int(said) > 1 else None
    except OSError:
        return None
    return None
