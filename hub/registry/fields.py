"""What each table's row may hold, and rows read accordingly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hub.core.registry import PremisesKind
from hub.registry.contacts import PHONE_ALLOWED, phone_of
from hub.registry.rows import Row
from protocol.faults import Fault
from protocol.ids import ID_ALLOWED, is_id
from protocol.topics import RESERVED_AREAS, RESERVED_GATEWAYS

Value: TypeAlias = str | int | tuple[str, ...]
NAME_MAX = 120
PROFILE_MIN_MS, PROFILE_MAX_MS = 300, 3_600_000


class NotAllowedHere(ValueError):
    """A value that may not be; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one key is read, and what stands for it when it is missing (None: it must be there)."""

    read: Callable[[object], Value]
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row whose every value may stand, taken for itself."""

    row: Row
    values: Mapping[str, Value]

    def text(self, key: str) -> str:
        """A value that is text."""
        value = self.values[key]
        assert isinstance(value, str), key
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A value that is a list."""
        value = self.values[key]
        assert isinstance(value, tuple), key
        return value

    def number(self, key: str) -> int:
        """A value that is a whole number."""
        value = self.values[key]
        assert isinstance(value, int), key
        return value


def read(row: Row, faults: list[Fault]) -> Entry | None:
    """The row's values; None, and its faults told, when any of them may not stand."""
    fields, values, before = FIELDS[row.table], {}, len(faults)
    for key in row.values:
        if key not in fields:
            faults.append(row.fault(key, _shown(row, key), f"no such key here; known: {', '.join(fields)}"))
    for key, field in fields.items():
        if key not in row.values:
            if field.default is None:
                faults.append(row.fault(key, "nothing", "this key is required"))
            else:
                values[key] = field.default
            continue
        try:
            values[key] = field.read(row.values[key])
        except NotAllowedHere as reason:
            faults.append(row.fault(key, _shown(row, key), str(reason)))
    return Entry(row, values) if len(faults) == before else None


def _shown(row: Row, key: str) -> object:
    """Faults may be logged, and what is personal never is."""
    return row.values[key] if row.table != "contact" or key in ("id", "area", "of") else "a value not shown here"


def _id(value: object) -> Value:
    if not isinstance(value, str) or not is_id(value):
        raise NotAllowedHere(ID_ALLOWED)
    return value


def _unreserved(reserved: frozenset[str]) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        if value in reserved:
            raise NotAllowedHere(f"any id but the reserved {', '.join(sorted(reserved))}")
        return _id(value)

    return check


def _ids(value: object) -> Value:
    items = re.split(r"[\s;]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and is_id(item) for item in items):
        raise NotAllowedHere(f"ids (in CSV apart by spaces or ';'), each {ID_ALLOWED}")
    if len(set(items)) < len(items):
        raise NotAllowedHere("each id once")
    return tuple(items)


def _name(value: object) -> Value:
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_MAX or not value.isprintable():
        raise NotAllowedHere(f"1 to {NAME_MAX} printable characters")
    return value


def _phone(value: object) -> Value:
    phone = phone_of(value) if isinstance(value, str) else None
    if phone is None:
        raise NotAllowedHere(PHONE_ALLOWED)
    return phone


def _kind(value: object) -> Value:
    if value not in list(PremisesKind):
        raise NotAllowedHere(", ".join(PremisesKind))
    return str(value)


def _profile(value: object) -> Value:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not PROFILE_MIN_MS <= number <= PROFILE_MAX_MS:
        raise NotAllowedHere(f"{PROFILE_MIN_MS} to {PROFILE_MAX_MS} ms (profiles: 20000, 90000, 180000)")
    return number


def _yes(value: object) -> Value:
    words = {True: 1, False: 0, "true": 1, "false": 0, "yes": 1, "no": 0}
    found = words.get(value.lower() if isinstance(value, str) else value) if isinstance(value, str | bool) else None
    if found is None:
        raise NotAllowedHere("true or false")
    return found


def _word(value: object) -> Value:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", value):
        raise NotAllowedHere("a zone kind, as in the gateway's configuration (door, panic, smoke, nvr_online ...)")
    return value


ID = Field(_id)
OPTIONAL = Field(_id, "")
FIELDS: dict[str, dict[str, Field]] = {
    "area": {
        "id": Field(_unreserved(RESERVED_AREAS)),
        "town": ID,
        "county": ID,
        "name": Field(_name, ""),
    },
    "station": {"id": ID, "area": ID, "name": Field(_name, "")},
    "gateway": {"id": Field(_unreserved(RESERVED_GATEWAYS)), "area": ID, "profile_ms": Field(_profile, 90_000)},
    "group": {
        "id": ID,
        "area": ID,
        "station": ID,
        "members": Field(_ids),
        "adjacent": Field(_ids, ()),
        "head": OPTIONAL,
    },
    "premises": {
        "id": ID,
        "area": ID,
        "kind": Field(_kind, "household"),
        "gateway": ID,
        "report_every": Field(_yes, 0),
    },
    "zone": {"id": ID, "area": ID, "premises": ID, "gateway": OPTIONAL, "kind": Field(_word)},
    "contact": {"id": ID, "area": ID, "of": ID, "name": Field(_name), "phone": Field(_phone)},
}
