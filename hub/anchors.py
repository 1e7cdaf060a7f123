"""Ends of the journal's chains, written down elsewhere: what a later walk must still find in the journal.

A line is what `lianfang journal head` prints: area, number of the entry in its area, its hash. A file may hold those
of many days; empty lines and what follows a "#" say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hub.chain import Entry, Head
from protocol.faults import Fault, Refused, shown
from protocol.ids import is_id

FORM = "area, number, hash: for instance hengjie 1234 and 64 hex digits"
HASH_CHARS = 64


def text(head: Head) -> str:
    """The line to be written down."""
    return f"{head.area} {head.area_n} {head.hash.hex()}"


def read(path: Path) -> list[Head]:
    """The anchors in a file. Raises Refused with every line that is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise Refused([Fault(str(path), "file", str(cause), "a readable file in UTF-8")]) from cause
    found, faults = [], []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if words and (head := _head(words)) is not None:
            found.append(head)
        elif words:
            faults.append(Fault(path.name, f"line {number}", shown(line), FORM))
    if not found and not faults:
        faults.append(Fault(path.name, "file", "no line", FORM))
    if faults:
        raise Refused(faults)
    return found


class Anchored:
    """Looks at entries as they pass, and says afterwards which anchors do not hold."""

    def __init__(self, anchors: Iterable[Head]) -> None:
        self._left = {(head.area, head.area_n, head.hash) for head in anchors}
        self._others: dict[tuple[str, int], bytes] = {}
        self._places = {(area, n) for area, n, _ in self._left}

    def passing(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The same entries."""
        for entry in entries:
            if (entry.area, entry.area_n) in self._places:
                self._left.discard((entry.area, entry.area_n, entry.hash))
                self._others[entry.area, entry.area_n] = entry.hash
            yield entry

    def missing(self) -> list[str]:
        """What was written down and is not in the journal, in words."""
        return [
            f"{area}: entry {n} "
            + (f"is {now.hex()}, not {wanted.hex()}" if (now := self._others.get((area, n))) else "is not there")
            for area, n, wanted in sorted(self._left)
        ]


def _head(words: list[str]) -> Head | None:
    if len(words) != 3 or not is_id(words[0]) or len(words[2]) != HASH_CHARS:
        return None
    area, number, digest = words
    if not (number.isascii() and number.isdecimal() and len(number) < 19 and int(number) > 0):
        return None
    try:
        return Head(area, int(number), bytes.fromhex(digest))
    except ValueError:
        return None
