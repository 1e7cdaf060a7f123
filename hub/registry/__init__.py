"""The registry: a TOML file, a workbook or a folder of CSV files; every fault of it reported at once.

What the desk sees holds ids alone. Names and phone numbers of people are in the contact book, apart from it.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path

from hub.core.registry import Registry
from hub.registry.checks import Builder
from hub.registry.contacts import Contact, ContactBook
from hub.registry.digest import digest_of
from hub.registry.faults import Faults
from hub.registry.rows import sheets_of
from protocol.faults import Fault, Refused


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry that may be used. `warnings` are worth a look and stop nothing; `has_contacts`: a table of them was
    there, if an empty one."""

    registry: Registry
    contacts: ContactBook
    warnings: tuple[Fault, ...]
    has_contacts: bool = False


def load(path: Path) -> Loaded:
    """Load a TOML file, an XLSX workbook, or a folder of CSV files (areas, stations, groups, premises, gateways,
    zones, contacts).

    Raises Refused with every fault: the file (and line), the key or column, what was found, what is allowed; of very
    many the first thousand and the count of the rest.
    """
    faults = Faults()
    builder = Builder(faults)
    collecting = gc.isenabled()
    gc.disable()  # millions of entries come and nothing goes: the collector would look through them again and again
    try:
        sheets = sheets_of(path, faults)
        builder.take(sheets)
    finally:
        if collecting:
            gc.enable()
    if faults:
        raise Refused(faults.all(path.name))
    registry = replace(builder.registry, digest=digest_of(builder.registry))
    has_contacts = any(sheet.table == "contact" for sheet in sheets)
    return Loaded(registry, builder.contacts, builder.warnings.all(path.name), has_contacts)


__all__ = ["Contact", "ContactBook", "Loaded", "load"]
