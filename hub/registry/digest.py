"""The digest of a registry: the same for the same content, whatever files it came from and in whatever order."""

from __future__ import annotations

from hashlib import sha256
from itertools import islice

import msgspec

from hub.core.registry import Registry, of_area

CHUNK = 4_096


def digest_of(registry: Registry) -> str:
    """SHA-256 over every entry, by table, area and id; people are not in it."""
    whole, encoder = sha256(), msgspec.json.Encoder()
    whole.update(encoder.encode([registry.areas[area] for area in sorted(registry.areas)]))
    tables = (registry.stations, registry.groups, registry.premises, registry.gateways, registry.zones)
    for area in sorted(registry.areas):
        for table in tables:
            entries = of_area(table, area)
            ordered = iter(sorted(entries))
            while some := list(islice(ordered, CHUNK)):
                whole.update(encoder.encode([entries[one] for one in some]))
            whole.update(b"\n")
    return whole.hexdigest()
