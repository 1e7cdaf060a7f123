"""One process a data folder: two would send each other's records and switch each other's sirens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def take(folder: Path) -> bool:
    """Hold the folder until this process ends, however it ends; False while another does.

    A folder that takes no file (a card gone read-only) is no reason not to ring: then nobody holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return False
    except OSError:
        return True
    return True
