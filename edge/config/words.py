"""Faults of a site file in an installer's words: which keys there are, what an id may be, which table is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from edge.config.model import DATE_PATTERN, GATEWAY_PATTERN, ID_PATTERN, PATH_PATTERN, POINT_PATTERN, TIME_PATTERN
from edge.core.events import GATEWAY_IN_KEY
from edge.gpio.lines import LINE_PATTERN
from protocol.faults import Fault, from_pydantic
from protocol.ids import ID_ALLOWED

PATTERNS = {
    ID_PATTERN: ID_ALLOWED,
    GATEWAY_PATTERN: ID_ALLOWED.replace("63", str(GATEWAY_IN_KEY)),
    POINT_PATTERN: "device/point, such as doors/di1, or of a GPIO bus bus/line",
    TIME_PATTERN: 'a time of day in quotes, "00:00" to "23:59"',
    DATE_PATTERN: 'a date in quotes, such as "2026-10-01"',
    PATH_PATTERN: "a path, without NUL",
    LINE_PATTERN: "names of a-z, 0-9 and '_', a letter first",
}
_TABLE = re.compile(r"(\w+)\[(\d+)\]")
_NUMBER = re.compile(r"(\d+)")


def faults_of(error: ValidationError, where: str, key: str, known: Iterable[str]) -> list[Fault]:
    """What is wrong with one table at `key`; `known` are the keys it may have."""
    found = error.errors()
    faults = from_pydantic(found, where, (key,))
    return [_reworded(fault, one, known) for fault, one in zip(faults, found, strict=True)]


def _reworded(fault: Fault, error: Mapping[str, Any], known: Iterable[str]) -> Fault:
    allowed = fault.allowed
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        allowed = f"no such key here; known: {', '.join(known)}"
    elif error["type"] == "string_pattern_mismatch":
        allowed = PATTERNS.get(error["ctx"]["pattern"], allowed)
    return Fault(fault.where, fault.key, fault.value, allowed)


def ordered(faults: Iterable[Fault]) -> list[Fault]:
    """Each once, by section and then in the order of the file."""
    return sorted(set(faults), key=lambda fault: (fault.where, _natural(fault.key), fault))


def _natural(key: str) -> list[tuple[int, str]]:
    """So that zone[2] comes before zone[10]."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in _NUMBER.split(key)]


def told(fault: Fault, raw: Mapping[str, Any]) -> str:
    """One line for a person: a table of a list is also named by its id, for nobody counts tables from 0."""
    found = _TABLE.match(fault.key)
    tables: Any = raw.get(found[1]) if found is not None else None
    if found is not None and isinstance(tables, Sequence) and int(found[2]) < len(tables):
        table = tables[int(found[2])]
        name = table.get("id") if isinstance(table, Mapping) else None
        if isinstance(name, str):
            return str(Fault(fault.where, f"{fault.key} (id {name!r})", fault.value, fault.allowed))
    return str(fault)
