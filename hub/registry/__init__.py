"""The registry: loaded from one TOML file or a folder of CSV files; every fault of it reported at once.

What the desk sees holds ids alone. Names and phone numbers of people are in the contact book, apart from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.core.registry import Registry
from hub.registry.checks import built
from hub.registry.contacts import Contact, ContactBook
from hub.registry.fields import read
from hub.registry.rows import rows_of
from protocol.faults import Fault, Refused


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry that may be used. `warnings` are worth a look and stop nothing."""

    registry: Registry
    contacts: ContactBook
    warnings: tuple[Fault, ...]


def load(path: Path) -> Loaded:
    """Load a TOML file, or a folder of CSV files (areas, stations, groups, premises, gateways, zones, contacts).

    Raises Refused with every fault: the file (and line), the key or column, what was found, what is allowed.
    """
    faults: list[Fault] = []
    entries = [entry for row in rows_of(path, faults) if (entry := read(row, faults)) is not None]
    registry, contacts, warnings = built(entries, faults)
    if faults:
        raise Refused(faults)
    return Loaded(registry, contacts, tuple(warnings))


__all__ = ["Contact", "ContactBook", "Loaded", "load"]
