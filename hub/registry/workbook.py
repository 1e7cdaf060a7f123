"""A registry as a workbook: one sheet a table, headings in Chinese or English. Read row by row, within bounds."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from hub.registry.faults import Faults
from hub.registry.headings import SHEETS, table_of
from hub.registry.sheet import Line, Sheet, headed
from protocol.faults import Fault

FILE_MAX = 256 * 1024 * 1024
UNPACKED_MAX = 4 * 1024 * 1024 * 1024
"""Bytes of the file, and of what is packed in it."""
ROWS_MAX = 1_048_576
COLUMNS_MAX = 64
CELL_MAX = 2_000
"""Characters of one cell."""


class _Cell(ValueError):
    """What a cell may not hold; the text says what is allowed."""


def sheets(path: Path, faults: Faults) -> list[Sheet]:
    """The tables of a workbook, each with its head line. What cannot be read is in `faults`."""
    try:
        if not _fits(path, faults):
            return []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which are none of ours
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except FileNotFoundError:
        faults.tell(Fault(path.name, "the file", "nothing", "an XLSX workbook"))
        return []
    except (OSError, InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError) as cause:
        faults.tell(Fault(path.name, "the file", f"{type(cause).__name__}: {cause}"[:200], "an XLSX workbook"))
        return []
    found: list[Sheet] = []
    known = ", ".join(f"{english} ({chinese})" for english, chinese in SHEETS.values())
    seen: dict[str, str] = {}
    for name in book.sheetnames:
        table = table_of(name)
        if table is None:
            faults.tell(Fault(path.name, "the sheet", name[:80], f"one of {known}"))
        elif table in seen:
            faults.tell(
                Fault(path.name, "the sheet", name[:80], f"each table once; sheet {seen[table]} is {table} too")
            )
        else:
            seen[table] = name
            if (sheet := _sheet(path.name, table, book[name], faults)) is not None:
                found.append(sheet)
    return found


def _fits(path: Path, faults: Faults) -> bool:
    if (size := path.stat().st_size) > FILE_MAX:
        faults.tell(Fault(path.name, "the file", f"{size} bytes", f"at most {FILE_MAX} bytes"))
        return False
    with zipfile.ZipFile(path) as packed:
        unpacked = sum(part.file_size for part in packed.infolist())
    if unpacked > UNPACKED_MAX:
        faults.tell(Fault(path.name, "the file", f"{unpacked} bytes unpacked", f"at most {UNPACKED_MAX} bytes"))
        return False
    return True


def _sheet(file: str, table: str, sheet: Any, faults: Faults) -> Sheet | None:
    where = f"{file}, sheet {sheet.title}, row {{}}"
    first = next(sheet.iter_rows(min_row=1, max_row=1, max_col=COLUMNS_MAX + 1), ())
    titles = [str(cell.value).strip() if cell.value is not None else "" for cell in first]
    while titles and not titles[-1]:
        titles.pop()
    if len(titles) > COLUMNS_MAX:
        faults.tell(Fault(where.replace("{}", "1"), "the head line", "more columns", f"at most {COLUMNS_MAX}"))
        return None

    def lines() -> Iterator[Line]:
        for number, row in enumerate(sheet.iter_rows(min_row=2, max_col=len(titles)), 2):
            if number > ROWS_MAX:
                faults.tell(Fault(where.replace("{}", str(number)), "the sheet", "more rows", f"at most {ROWS_MAX}"))
                return
            cells: list[object] = []
            for at, cell in enumerate(row):
                try:
                    cells.append(_text(cell))
                except _Cell as reason:
                    here, found = where.replace("{}", str(number)), "a value not shown here"
                    if table != "contact":
                        found = str(cell.value)[:80]
                    faults.tell(Fault(here, titles[at], found, str(reason)))
                    break
            else:
                yield number, cells + [None] * (len(titles) - len(cells))

    return headed(table, where, "", titles, lines, faults)


def _text(cell: Any) -> object:
    """A cell as text, as CSV would have it; None for an empty one. A formula is refused: what it shows is not in it."""
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "f" or (isinstance(value, str) and value.startswith("=")):
        raise _Cell("a value, no formula; copy it and paste values only")
    if cell.data_type == "e":
        raise _Cell("a value; this cell shows an error")
    if isinstance(value, datetime | date | time):
        raise _Cell("text or a number; the spreadsheet took this for a date: format the column as text")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 1e15 else value
    text = str(value)
    if len(text) > CELL_MAX:
        raise _Cell(f"at most {CELL_MAX} characters")
    return text
