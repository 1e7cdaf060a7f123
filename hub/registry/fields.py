"""What each table's row may hold, and rows read accordingly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hub.core.registry import PremisesKind
from hub.registry.contacts import PHONE_ALLOWED, phone_of
from hub.registry.faults import Faults
from hub.registry.sheet import Sheet
from protocol.ids import ID_ALLOWED, is_id
from protocol.topics import RESERVED_AREAS, RESERVED_GATEWAYS

Value: TypeAlias = str | int | tuple[str, ...]
NAME_MAX = 120
FORMULA = "=+-@"
ID_MAX = 100
"""Characters of what may turn out to be an id, with blanks about it."""
HOUSEHOLDS_MAX = 1_000_000
PROFILE_MIN_MS, PROFILE_MAX_MS = 300, 3_600_000
KINDS: dict[object, str] = {
    **{kind.value: kind.value for kind in PremisesKind},
    "住户": PremisesKind.HOUSEHOLD.value,
    "单位": PremisesKind.SITE.value,
    "村站": PremisesKind.STATION.value,
}
YES: dict[object, int] = {True: 1, False: 0, "true": 1, "false": 0, "yes": 1, "no": 0, "是": 1, "否": 0}
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")


class NotAllowedHere(ValueError):
    """A value that may not be; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one key is read, and what stands for it when it is missing (None: it must be there)."""

    read: Callable[[object], Value]
    default: Value | None = None


class Reader:
    """Reads the cells of one sheet's rows, in the order of its table's `FIELDS`.

    `defaults` stand for what a row leaves out, beside the fields' own.
    """

    def __init__(self, sheet: Sheet, defaults: Mapping[str, Value], faults: Faults) -> None:
        self.sheet = sheet
        self.keys = tuple(FIELDS[sheet.table])
        self._faults = faults
        self._plan = [
            (sheet.head.index(key) if key in sheet.head else None, field.read, defaults.get(key, field.default))
            for key, field in FIELDS[sheet.table].items()
        ]
        self._unknown = [(at, key) for at, key in enumerate(sheet.head) if key not in FIELDS[sheet.table]]

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Number and values of every row of which each value may stand by itself; the faults of the others are told."""
        plan, unknown = self._plan, self._unknown
        for number, cells in self.sheet.lines():
            try:
                values = [default if column is None else read(cells[column]) for column, read, default in plan]
            except NotAllowedHere:
                values = [None]
            if (unknown or None in values) and (again := self._slowly(number, cells)) is not None:
                values = again
            if None not in values:
                yield number, values

    def _slowly(self, number: int, cells: Sequence[object]) -> list[Any] | None:
        """A row with something missing, left out or wrong, cell by cell; None, and all its faults told, when it may not
        stand."""
        if all(_empty(cell) for cell in cells):
            return None
        values: list[Any] | None = self._known_only(number, cells)
        for key, (column, read, default) in zip(self.keys, self._plan, strict=True):
            cell = None if column is None else cells[column]
            try:
                value = default if _empty(cell) else read(cell)
            except NotAllowedHere as reason:
                self._faults.tell(self.sheet.fault(number, key, _shown(self.sheet, key, cell), str(reason)))
                values = None
                continue
            if value is None:
                self._faults.tell(self.sheet.fault(number, key, "nothing", "this key is required"))
                values = None
            elif values is not None:
                values.append(value)
        return values

    def _known_only(self, number: int, cells: Sequence[object]) -> list[Any] | None:
        values: list[Any] | None = []
        for at, key in self._unknown:
            if not _empty(cells[at]):
                found = _shown(self.sheet, key, cells[at])
                allowed = f"no such key here; known: {', '.join(self.keys)}"
                self._faults.tell(self.sheet.fault(number, key, found, allowed))
                values = None
        return values


def _empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _shown(sheet: Sheet, key: str, value: object) -> object:
    """Faults may be logged, and what is personal never is."""
    return value if sheet.table != "contact" or key in ("id", "area", "of") else "a value not shown here"


def _bare(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _id(value: object) -> Value:
    if not isinstance(value, str):
        raise NotAllowedHere(ID_ALLOWED)
    if not is_id(value) and not is_id(value := value.strip()):
        raise NotAllowedHere(ID_ALLOWED)
    return value


def _ref(value: object) -> Value:
    """An id that must be known anyway: looking it up tells more than its form."""
    if not isinstance(value, str) or not 1 <= len(value) <= ID_MAX:
        raise NotAllowedHere(ID_ALLOWED)
    return value if value.isalnum() else value.strip()


def _unreserved(reserved: frozenset[str]) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        if (found := _id(value)) in reserved:
            raise NotAllowedHere(f"any id but the reserved {', '.join(sorted(reserved))}")
        return found

    return check


def _ids(value: object, is_good: Callable[[str], bool] = is_id, each: str = ID_ALLOWED) -> Value:
    items = re.split(r"[\s;,，；、]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and is_good(item) for item in items):
        raise NotAllowedHere(f"ids (in CSV apart by spaces or ';'), each {each}")
    if len(set(items)) < len(items):
        raise NotAllowedHere("each id once")
    return tuple(items)


def _groups(value: object) -> Value:
    def is_group(text: str) -> bool:
        area, slash, group = text.rpartition("/")
        return is_id(group) and (is_id(area) if slash else True)

    return _ids(value, is_group, f"{ID_ALLOWED}; area/group for one of another area")


def _name(value: object) -> Value:
    value = _bare(value)
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_MAX or not value.isprintable():
        raise NotAllowedHere(f"1 to {NAME_MAX} printable characters")
    if value[0] in FORMULA:
        raise NotAllowedHere(
            f"a name that begins with none of {' '.join(FORMULA)}: a spreadsheet makes formulas of these"
        )
    return value


def _phone(value: object) -> Value:
    phone = phone_of(value) if isinstance(value, str) else None
    if phone is None:
        raise NotAllowedHere(PHONE_ALLOWED)
    return phone


def _kind(value: object) -> Value:
    found = KINDS.get(value) or KINDS.get(_bare(value)) if isinstance(value, str) else None
    if found is None:
        raise NotAllowedHere(", ".join(PremisesKind))
    return found


def _number(low: int, high: int, allowed: str) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        value = _bare(value)
        number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise NotAllowedHere(f"{low} to {high} {allowed}")
        return number

    return check


def _yes(value: object) -> Value:
    value = _bare(value)
    found = YES.get(value.lower() if isinstance(value, str) else value) if isinstance(value, str | bool) else None
    if found is None:
        raise NotAllowedHere("true or false")
    return found


def _word(value: object) -> Value:
    value = _bare(value)
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise NotAllowedHere("a zone kind, as in the gateway's configuration (door, panic, smoke, nvr_online ...)")
    return value


ID = Field(_id)
REF = Field(_ref)
OPTIONAL = Field(_ref, "")
FIELDS: dict[str, dict[str, Field]] = {
    "area": {
        "id": Field(_unreserved(RESERVED_AREAS)),
        "town": ID,
        "county": ID,
        "name": Field(_name, ""),
    },
    "station": {
        "id": ID,
        "area": REF,
        "name": Field(_name, ""),
        "households": Field(_number(0, HOUSEHOLDS_MAX, "households in the village"), 0),
    },
    "gateway": {
        "id": Field(_unreserved(RESERVED_GATEWAYS)),
        "area": REF,
        "profile_ms": Field(_number(PROFILE_MIN_MS, PROFILE_MAX_MS, "ms (profiles: 20000, 90000, 180000)"), 90_000),
    },
    "group": {
        "id": ID,
        "area": REF,
        "station": REF,
        "members": Field(_ids),
        "adjacent": Field(_groups, ()),
        "head": OPTIONAL,
        "any_size": Field(_yes, 0),
    },
    "premises": {
        "id": ID,
        "area": REF,
        "kind": Field(_kind, "household"),
        "gateway": REF,
        "report_every": Field(_yes, 0),
    },
    "zone": {"id": ID, "area": REF, "premises": REF, "gateway": OPTIONAL, "kind": Field(_word)},
    "contact": {"id": ID, "area": REF, "of": REF, "name": Field(_name), "phone": Field(_phone)},
}
