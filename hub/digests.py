"""What committed records looked like, to tell a resend from another record under its name."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from hub.core.heard import Recorded

DIGESTS_MAX = 100_000
"""Records whose bytes are remembered; an older one that comes again with other bytes counts as a resend."""

Name: TypeAlias = tuple[str, str, str, int]
"""A record's identity: area, gateway, instance, sequence."""


class Digests:
    """Bounded; the record committed longest ago is forgotten first."""

    def __init__(self, known: Mapping[Name, bytes] | None = None) -> None:
        self._known: OrderedDict[Name, bytes] = OrderedDict(known or {})

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, digests: Mapping[Name, bytes]) -> None:
        """Keep what these committed records look like."""
        self._known.update(digests)
        while len(self._known) > DIGESTS_MAX:
            self._known.popitem(last=False)

    def items(self) -> list[tuple[Name, bytes]]:
        """All of them, in order of their commits."""
        return list(self._known.items())

    def get(self, name: Name) -> bytes | None:
        """What the record under this name looked like, if that is known."""
        return self._known.get(name)


def digest_of(event: msgspec.Struct) -> bytes:
    """What an event looks like; the same after a restart."""
    return hashlib.sha256(msgspec.json.encode(event)).digest()[:12]


def name_of(taken: Recorded) -> Name:
    """The identity of a record."""
    return taken.area, taken.gateway, taken.instance, taken.event.seq
