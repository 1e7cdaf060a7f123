"""A report's tables for spreadsheets: UTF-8 with a byte order mark, headings that never change, and no formulas."""

from __future__ import annotations

import csv
import io
from datetime import date

from hub.reports.layout import As, Cell, Column, Table
from hub.reports.words import Words

BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
UNITS = {As.SPAN: "s", As.SHARE: "share", As.COUNT: "count", As.NUMBER: "number"}


def headings(column: Column) -> list[str]:
    """The headings of a column: spans in seconds; what may be anything has its unit beside it."""
    if column.shown is As.SPAN:
        return [f"{column.key}_s"]
    return [column.key, f"{column.key}_unit"] if column.shown is As.ANY else [column.key]


def written(table: Table, words: Words) -> bytes:
    """The file of one table. What is not known is an empty field."""
    with io.StringIO(newline="") as out:
        writer = csv.writer(out)
        writer.writerow([heading for column in table.columns for heading in headings(column)])
        for row in table.cells():
            pairs = zip(table.columns, row, strict=True)
            writer.writerow([field for column, cell in pairs for field in _fields(column, cell, words)])
        return out.getvalue().encode("utf-8-sig")


def _fields(column: Column, cell: Cell, words: Words) -> list[str]:
    field = _field(cell, words)
    return [field, UNITS.get(cell.shown, "text")] if column.shown is As.ANY else [field]


def _field(cell: Cell, words: Words) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        text = words.cell(cell)
        return f"'{text}" if text.startswith(BEGINS_FORMULA) else text
    if isinstance(value, date):
        return value.isoformat()
    if cell.shown is As.TIME:
        return words.iso(value)
    if cell.shown is As.SPAN:
        return f"{value / 1000:.3f}"
    if cell.shown is As.SHARE:
        return f"{value:.4f}"
    return f"{value:.2f}" if isinstance(value, float) else f"{value:02d}" if cell.shown is As.HOUR else str(value)
