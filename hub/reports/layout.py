"""What a report is laid out of, without a word of any language: tables, charts, remarks by the names of their texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import TypeAlias

import msgspec

Value: TypeAlias = int | float | str | date | None
"""None is "not known", and is never shown as nothing or as zero."""


class As(StrEnum):
    """How a value is read: a number of things, a share from 0 to 1, a span in ms, a time in hub wall ms, a day, an
    hour of the day, a number with a decimal, an id that stands as it is, a word of the catalogue; a column of `any`
    leaves it to its cells."""

    COUNT = "count"
    SHARE = "share"
    SPAN = "span"
    TIME = "time"
    DAY = "day"
    HOUR = "hour"
    NUMBER = "number"
    NAME = "name"
    WORD = "word"
    ANY = "any"


class Cell(msgspec.Struct, frozen=True):
    """A value and how it is read."""

    shown: As
    value: Value


class Column(msgspec.Struct, frozen=True):
    """A column by its name, which is the heading in CSV."""

    key: str
    shown: As


class Table(msgspec.Struct, frozen=True):
    """Rows of values, as their columns are read, or as a cell says itself. `more` rows were left out."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value | Cell, ...], ...]
    more: int = 0

    def cells(self) -> list[list[Cell]]:
        """Every row with how each value is read."""
        pairs = [zip(self.columns, row, strict=True) for row in self.rows]
        return [[v if isinstance(v, Cell) else Cell(column.shown, v) for column, v in row] for row in pairs]


class Series(msgspec.Struct, frozen=True):
    """One colour of a chart; None where nothing is known. `key` is a word."""

    key: str
    values: tuple[int | float | None, ...]


class Chart(msgspec.Struct, frozen=True):
    """Bars over `labels`, stacked where there are several series and they add up; `across`: lying, for long labels.

    `unknown` marks where the hub did not know all; the figures stand in the table beside it.
    """

    name: str
    labels: tuple[Cell, ...]
    series: tuple[Series, ...]
    shown: As
    stacked: bool = False
    across: bool = False
    unknown: tuple[bool, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for one in self.series for value in one.values) and not any(self.unknown)


class Remark(msgspec.Struct, frozen=True):
    """A sentence, with the values it speaks of; `grave` ones must not be overlooked."""

    key: str
    cells: dict[str, Cell] = {}
    grave: bool = False


class Section(msgspec.Struct, frozen=True):
    """One section of a report."""

    name: str
    remarks: tuple[Remark, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


def table(name: str, columns: Sequence[tuple[str, As]], rows: Sequence[Sequence[Value | Cell]], most: int = 0) -> Table:
    """A table; of more than `most` rows (0: all) the first, and how many more there are."""
    shown = rows[:most] if most else rows
    return Table(name, tuple(Column(*one) for one in columns), tuple(map(tuple, shown)), len(rows) - len(shown))


def count(value: int | None) -> Cell:
    """A number of things."""
    return Cell(As.COUNT, value)


def share(value: float | None) -> Cell:
    """A share from 0 to 1."""
    return Cell(As.SHARE, value)


def span(value_ms: int | None) -> Cell:
    """A length of time, ms."""
    return Cell(As.SPAN, value_ms)


def time(at_ms: int | None) -> Cell:
    """A time, hub wall ms."""
    return Cell(As.TIME, at_ms)


def word(key: str | None) -> Cell:
    """A word of the catalogue."""
    return Cell(As.WORD, key)


def name(text: str | None) -> Cell:
    """An id, or a village's name."""
    return Cell(As.NAME, text)


def or_none(shown: As, value: Value) -> Cell:
    """What was measured; where there was nothing to measure that is said, and is another thing than not known."""
    return word("none") if value is None else Cell(shown, value)
