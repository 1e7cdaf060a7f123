"""A registry written down again: as CSV files, or as a workbook with headings in English or Chinese."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from hub.core.registry import Registry, of_area
from hub.registry.contacts import ContactBook
from hub.registry.fields import FIELDS
from hub.registry.headings import SHEETS, TABLES, chinese
from hub.registry.rows import FILES

Row = tuple[Any, ...]


def rows(table: str, registry: Registry, contacts: ContactBook) -> Iterator[Row]:
    """Every row of a table in the order of its `FIELDS`, by area and then as loaded; "" where nothing need stand."""
    if table == "area":
        yield from ((area.id, area.town, area.county, area.name) for area in registry.areas.values())
    elif table == "contact":
        yield from ((one.id, one.area, one.of, one.name, one.phone) for one in contacts)
    elif table == "zone":
        for area in registry.areas:
            homes = of_area(registry.premises, area)
            for one in of_area(registry.zones, area).values():
                # said only where it is another than its premises': whoever moves the household moves its zones
                gateway = "" if homes[one.premises].gateway == one.gateway else one.gateway
                yield one.id, one.area, one.premises, gateway, one.kind
    else:
        entries: Any = getattr(registry, f"{table}s" if table != "premises" else table)
        for area in registry.areas:
            yield from map(_ROWS[table], of_area(entries, area).values())


def _group(one: Any) -> Row:
    near = [*one.adjacent, *(f"{area}/{group}" for area, group in one.beyond)]
    return one.id, one.area, one.station, " ".join(one.members), " ".join(near), one.head or "", _yes(one.any_size)


def _yes(value: bool) -> str:
    return "yes" if value else ""


_ROWS: dict[str, Callable[[Any], Row]] = {
    "station": lambda one: (one.id, one.area, one.name, one.households or ""),
    "gateway": lambda one: (one.id, one.area, one.profile_ms),
    "premises": lambda one: (one.id, one.area, one.kind.value, one.gateway, _yes(one.report_every)),
    "group": _group,
}


def to_csv(folder: Path, registry: Registry, contacts: ContactBook) -> None:
    """Write every table to a file of `folder`, which is there; contacts only where there are any."""
    for table in _tables(contacts):
        with (folder / FILES[table]).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(FIELDS[table])
            writer.writerows(rows(table, registry, contacts))


def to_workbook(path: Path, registry: Registry, contacts: ContactBook, *, in_chinese: bool) -> None:
    """Write every table to a sheet of its own, all cells as text, lest a spreadsheet takes them for something else."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for table in _tables(contacts):
        sheet = book.create_sheet(SHEETS[table][1 if in_chinese else 0])
        sheet.freeze_panes = "A2"
        sheet.append([chinese(table, key) if in_chinese else key for key in FIELDS[table]])
        for row in rows(table, registry, contacts):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=str(value) if value != "" else None)
                cell.number_format = "@"
                cells.append(cell)
            sheet.append(cells)
    book.save(path)


def _tables(contacts: ContactBook) -> Iterable[str]:
    return [table for table in TABLES if table != "contact" or len(contacts)]
