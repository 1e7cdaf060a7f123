"""A report as one page that needs nothing else: no script, nothing from elsewhere, readable on paper and on a phone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from hub.reports.layout import As, Cell, Chart, Column
from hub.reports.plots import svg
from hub.reports.report import Report
from hub.reports.words import Words

FIGURES = frozenset({As.COUNT, As.SHARE, As.SPAN, As.NUMBER, As.ANY})
"""Set to the right, so that digits stand below one another."""


def page(report: Report, words: Words) -> str:
    """The whole page."""

    def drawn(chart: Chart) -> Markup:
        return Markup(svg(chart, words))  # made here; every text in it is escaped

    return _template().render(report=report, words=words, drawn=drawn, kind_of=_kind_of, figures=FIGURES)


def _kind_of(column: Column, cell: Cell) -> str:
    """How a cell is set: figures to the right, times unbroken, long ids broken where they must."""
    kinds = {As.TIME: "when", As.DAY: "when", As.NAME: "id"}
    set_as = "figure" if column.shown in FIGURES else kinds.get(column.shown, "word")
    return f"{set_as} unknown" if cell.value is None else set_as


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("report.html.j2")
