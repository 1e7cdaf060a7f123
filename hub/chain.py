"""The hash chain of a journal: pure functions over an entry's canonical bytes.

Each area has its own chain, so that areas can be sharded and one area's journal handed over and checked alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

GENESIS = bytes(32)
"""What the first entry of an area names as the one before it."""


class Entry(msgspec.Struct, frozen=True):
    """One committed input. `n` counts in the whole journal, `area_n` in the area, both from 1; `at_ms` hub wall."""

    n: int
    area: str
    area_n: int
    prev_hash: bytes
    hash: bytes
    at_ms: int
    kind: str
    body: bytes
    config: str
    rules: str


def hash_of(entry: Entry) -> bytes:
    """SHA-256 over the hash before and the entry's canonical bytes; the `hash` in the entry is not looked at."""
    head = [entry.n, entry.area, entry.area_n, entry.at_ms, entry.kind, entry.config, entry.rules]
    digest = hashlib.sha256(b"lf/journal/1\x00" + entry.prev_hash)
    digest.update(msgspec.json.encode(head) + b"\x00")
    digest.update(entry.body)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not as it was written, and how that shows."""

    n: int
    area: str
    area_n: int
    why: str

    def __str__(self) -> str:
        return f"entry {self.n} (area {self.area}, {self.area_n}): {self.why}"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an area's chain; written down elsewhere it also proves that no entry was cut off the end."""

    area: str
    area_n: int
    hash: bytes


def link(
    heads: dict[str, Head], n: int, area: str, at_ms: int, kind: str, body: bytes, config: str, rules: str
) -> Entry:
    """Make entry `n` of the journal and move the area's head to it."""
    head = heads.get(area, Head(area, 0, GENESIS))
    blank = Entry(n, area, head.area_n + 1, head.hash, b"", at_ms, kind, body, config, rules)
    entry = msgspec.structs.replace(blank, hash=hash_of(blank))
    heads[area] = Head(area, entry.area_n, entry.hash)
    return entry


def followed(
    entries: Iterable[Entry], after: int = 0, heads: dict[str, Head] | None = None
) -> Iterator[tuple[Entry, Broken | None]]:
    """Entries in order of `n` from after entry `after`, each with what is wrong with it, given the one before.

    `heads` are the ends of the chains at `after`, and are moved along.
    """
    heads = {} if heads is None else heads
    for count, entry in enumerate(entries, after + 1):
        why = _wrong(entry, heads.get(entry.area, Head(entry.area, 0, GENESIS)), count)
        heads[entry.area] = Head(entry.area, entry.area_n, entry.hash)
        yield entry, Broken(entry.n, entry.area, entry.area_n, why) if why else None


def walk(entries: Iterable[Entry]) -> Iterator[Broken | Head]:
    """Check entries in order of `n`. Yields the first broken one and stops, or else the heads of all areas."""
    heads: dict[str, Head] = {}
    for entry, broken in followed(entries):
        if broken is not None:
            yield broken
            return
        heads[entry.area] = Head(entry.area, entry.area_n, entry.hash)
    yield from heads.values()


def _wrong(entry: Entry, head: Head, count: int) -> str:
    if entry.n != count:
        return f"entry {count} is missing before it"
    if entry.area_n != head.area_n + 1:
        return f"entry {head.area_n + 1} of the area is missing before it"
    if entry.prev_hash != head.hash:
        return "does not follow from the entry before it"
    try:
        same = entry.hash == hash_of(entry)
    except TypeError:  # somebody put in what is no bytes
        same = False
    return "" if same else "its bytes are not those that were committed"
