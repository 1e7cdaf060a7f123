"""Rows of the registry's tables as they stand in the files, each with where it stands."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.faults import Fault, shown

TABLES = ("area", "station", "gateway", "group", "premises", "zone", "contact")
FILES = {
    table: f"{name}.csv"
    for table, name in zip(
        TABLES, ("areas", "stations", "gateways", "groups", "premises", "zones", "contacts"), strict=True
    )
}
REQUIRED = ("area", "gateway", "premises")
SIZE_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """`values` as read (text from CSV). `where` is the file and, in CSV, its line; `at` goes before a key."""

    table: str
    where: str
    at: str
    values: dict[str, object]

    def fault(self, key: str, value: object, allowed: str) -> Fault:
        """A fault of this row."""
        return Fault(self.where, f"{self.at}{key}", value if isinstance(value, str) else shown(value), allowed)


def rows_of(path: Path, faults: list[Fault]) -> list[Row]:
    """All rows of a TOML file or a folder of CSV files; what cannot be read is in `faults`.

    Where there is one area only, rows need not name it.
    """
    rows = list(_from_csv(path, faults) if path.is_dir() else _from_toml(path, faults))
    areas = [row.values.get("id") for row in rows if row.table == "area"]
    if len(areas) == 1:
        for row in rows:
            if row.table != "area":
                row.values.setdefault("area", areas[0])
    return rows


def _from_toml(path: Path, faults: list[Fault]) -> Iterator[Row]:
    text = _text(path, faults)
    if text is None:
        return
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        faults.append(Fault(path.name, "the file", str(cause), "TOML 1.0"))
        return
    for table, rows in tables.items():
        if table not in TABLES or not isinstance(rows, list):
            faults.append(Fault(path.name, table, shown(rows, 40), f"[[table]] of {', '.join(TABLES)}"))
            continue
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield Row(table, path.name, f"{table}[{number}].", row)
            else:
                faults.append(Fault(path.name, f"{table}[{number}]", shown(row), f"a table [[{table}]]"))


def _from_csv(folder: Path, faults: list[Fault]) -> Iterator[Row]:
    for other in sorted(folder.glob("*.csv")):
        if other.name not in FILES.values():
            faults.append(Fault(other.name, "the file", other.name, f"one of {', '.join(FILES.values())}"))
    for table, name in FILES.items():
        path = folder / name
        if not path.exists() and table not in REQUIRED:
            continue
        text = _text(path, faults)
        if text is not None:
            yield from _lines(table, name, text, faults)


def _lines(table: str, name: str, text: str, faults: list[Fault]) -> Iterator[Row]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        head = [column.strip() for column in next(reader, [])]
        if not head or len(set(head)) < len(head):
            faults.append(Fault(f"{name}:1", "the head line", ",".join(head) or "nothing", "each column named once"))
            return
        for cells in reader:
            where = f"{name}:{reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                faults.append(Fault(where, "the line", f"{len(cells)} cells", f"{len(head)}: {','.join(head)}"))
                continue
            values = {column: cell.strip() for column, cell in zip(head, cells, strict=True)}
            yield Row(table, where, "", {column: cell for column, cell in values.items() if cell})
    except csv.Error as cause:
        faults.append(Fault(f"{name}:{reader.line_num}", "the line", str(cause), "CSV as RFC 4180 has it"))


def _text(path: Path, faults: list[Fault]) -> str | None:
    try:
        if path.stat().st_size > SIZE_MAX:
            faults.append(Fault(path.name, "the file", f"{path.stat().st_size} bytes", f"at most {SIZE_MAX} bytes"))
            return None
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        faults.append(Fault(path.name, "the file", "nothing", "a TOML file, or a folder of CSV files with this one"))
    except (OSError, UnicodeDecodeError) as cause:
        faults.append(Fault(path.name, "the file", str(cause), "a readable file in UTF-8"))
    return None
