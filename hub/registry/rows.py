"""Rows of the registry's tables as they stand in the files, read one by one, each with where it stands."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path

from hub.registry.faults import Faults
from hub.registry.headings import TABLES
from hub.registry.sheet import Line, Sheet, headed
from protocol.faults import Fault, shown

FILES = {
    table: f"{name}.csv"
    for table, name in zip(
        TABLES, ("areas", "stations", "gateways", "premises", "groups", "zones", "contacts"), strict=True
    )
}
REQUIRED = ("area", "gateway", "premises")
TOML_MAX = 64 * 1024 * 1024
CSV_MAX = 1024 * 1024 * 1024
"""Bytes of one file. A TOML file is held in memory as a whole, a CSV file is read line by line."""


def sheets_of(path: Path, faults: Faults) -> list[Sheet]:
    """The tables of a TOML file, an XLSX workbook or a folder of CSV files, in the order of `TABLES`; what cannot be
    read is in `faults`, now or when the lines are read."""
    if path.suffix.lower() == ".xlsx":
        from hub.registry.workbook import sheets  # its library is slow to load, and a hub at its start needs none

        found = sheets(path, faults)
    else:
        found = list(_from_csv(path, faults) if path.is_dir() else _from_toml(path, faults))
    return sorted(found, key=lambda sheet: TABLES.index(sheet.table))


def _from_toml(path: Path, faults: Faults) -> Iterator[Sheet]:
    try:
        if not _small(path, TOML_MAX, faults):
            return
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as cause:
        faults.tell(Fault(path.name, "the file", str(cause), "TOML 1.0"))
        return
    except (OSError, UnicodeDecodeError, RecursionError) as cause:
        faults.tell(_unreadable(path.name, cause))
        return
    for table, rows in tables.items():
        if table not in TABLES or not isinstance(rows, list):
            faults.tell(Fault(path.name, table, shown(rows, 40), f"[[table]] of {', '.join(TABLES)}"))
            continue
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                faults.tell(Fault(path.name, f"{table}[{number}]", shown(row), f"a table [[{table}]]"))
        good = [(number, row) for number, row in enumerate(rows) if isinstance(row, dict)]
        keys = tuple(dict.fromkeys(key for _, row in good for key in row))
        cells: list[Line] = [(number, [row.get(key) for key in keys]) for number, row in good]
        yield Sheet(table, path.name, f"{table}[{{}}].", keys, keys, cells.__iter__)


def _from_csv(folder: Path, faults: Faults) -> Iterator[Sheet]:
    for other in sorted(folder.glob("*.csv")):
        if other.name not in FILES.values():
            faults.tell(Fault(other.name, "the file", other.name, f"one of {', '.join(FILES.values())}"))
    for table, name in FILES.items():
        path = folder / name
        if (path.exists() or table in REQUIRED) and (sheet := _csv_sheet(table, path, faults)) is not None:
            yield sheet


def _csv_sheet(table: str, path: Path, faults: Faults) -> Sheet | None:
    try:
        if not _small(path, CSV_MAX, faults):
            return None
        with path.open(encoding="utf-8-sig", newline="") as file:
            titles = [title.strip() for title in next(csv.reader(file, strict=True), [])]
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        faults.tell(_unreadable(path.name, cause))
        return None

    def lines() -> Iterator[Line]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                next(reader)
                for cells in reader:
                    if len(cells) == len(titles):
                        yield reader.line_num, cells
                    elif any(cell.strip() for cell in cells):
                        where, found = f"{path.name}:{reader.line_num}", f"{len(cells)} cells"
                        faults.tell(Fault(where, "the line", found, f"{len(titles)}: {','.join(titles)}"))
            except csv.Error as cause:
                where = f"{path.name}:{reader.line_num}"
                faults.tell(Fault(where, "the line", str(cause), "CSV as RFC 4180 has it"))
            except UnicodeDecodeError as cause:
                faults.tell(Fault(f"{path.name}:{reader.line_num + 1}", "the line", str(cause), "UTF-8 text"))

    return headed(table, f"{path.name}:{{}}", "", titles, lines, faults)


def _small(path: Path, most: int, faults: Faults) -> bool:
    if (size := path.stat().st_size) > most:
        faults.tell(Fault(path.name, "the file", f"{size} bytes", f"at most {most} bytes"))
    return size <= most


def _unreadable(name: str, cause: Exception) -> Fault:
    if isinstance(cause, FileNotFoundError):
        return Fault(name, "the file", "nothing", "a TOML file, or a folder of CSV files with this one")
    return Fault(name, "the file", str(cause), "a readable file in UTF-8")
