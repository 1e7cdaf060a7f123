"""How far a journal was written, noted beside it: a file cut short, put back by hand or without its -wal shows."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

SUFFIX = "-mark"
_FORM = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")


class Mark:
    """The number and hash of the last entry known to be committed.

    It is written after each commit and not synced: after a loss of power it may lag behind, and is never ahead.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = journal.with_name(journal.name + SUFFIX)
        self._handle: int | None = None

    def read(self) -> tuple[int, bytes] | None:
        """(n, hash) as noted; None where nothing was, or nothing that can be read."""
        try:
            found = _FORM.fullmatch(self._path.read_bytes())
        except OSError:
            return None
        return (int(found[1]), bytes.fromhex(found[2].decode())) if found else None

    def missing(self) -> str:
        """What is wrong when entries were committed and there is no file with them, in words; else nothing."""
        n, _ = self.read() or (0, b"")
        if not n or (self._journal.exists() and self._journal.stat().st_size):
            return ""
        return f"{n} entries were committed here, and the file is {'empty' if self._journal.exists() else 'gone'}"

    def note(self, n: int, digest: bytes) -> None:
        """Note a committed entry. A note that fails leaves the one before, which says less and nothing wrong."""
        with contextlib.suppress(OSError):
            if self._handle is None:
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._handle, b"%020d %s\n" % (n, digest.hex().encode()), 0)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
