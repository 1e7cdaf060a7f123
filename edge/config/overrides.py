"""Values set from outside the file: `bus.lan.port=15020`, a list's entry named by its id, a table's key by its name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from edge.config.model import LISTS
from protocol.faults import Fault, Refused, shown

WHERE = "--set"


def parse_set(items: Iterable[str]) -> dict[str, Any]:
    """Read `key=value` words of a command line: the value as TOML where it is TOML, else as text. Raises Refused."""
    read: dict[str, Any] = {}
    faults = []
    for item in items:
        key, equals, text = item.partition("=")
        if not equals or not key:
            faults.append(Fault(WHERE, key or "key", shown(item), "key=value, such as bus.lan.port=15020"))
            continue
        try:
            read[key] = tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
        except tomllib.TOMLDecodeError:
            read[key] = text
    if faults:
        raise Refused(faults)
    return read


def apply(raw: dict[str, Any], overrides: Mapping[str, Any]) -> list[Fault]:
    """Set each value in `raw`; gives a fault for each key that leads nowhere. What a value may be is checked later."""
    return [fault for key, value in overrides.items() if (fault := _set(raw, key, value)) is not None]


def _set(raw: dict[str, Any], key: str, value: Any) -> Fault | None:
    parts = key.split(".")
    table: Any = raw
    if parts[0] in LISTS:
        if len(parts) < 3:
            return Fault(WHERE, key, shown(value), f"{parts[0]}.ID.KEY")
        entries = raw.get(parts[0], [])
        known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        found = [entry for entry in known if entry.get("id") == parts[1]]
        if not found:
            ids = ", ".join(str(entry.get("id")) for entry in known) or "none"
            return Fault(WHERE, key, shown(parts[1]), f"one of the file's {parts[0]} ids: {ids}"[:400])
        table, parts = found[0], parts[2:]
    elif len(parts) < 2:
        return Fault(WHERE, key, shown(value), "TABLE.KEY or LIST.ID.KEY")
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return Fault(WHERE, key, shown(value), f"a key inside a table; {part!r} is none")
    table[parts[-1]] = value
    return None
