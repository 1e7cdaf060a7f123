"""Charts as SVG inside the page: text stays text, the same figures give the same bytes, nothing is loaded."""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, MultipleLocator

from hub.reports.layout import As, Cell, Chart
from hub.reports.words import Words

WIDTH_IN = 7.2
STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 432_000)
STEPS_MS = tuple(1_000 * step for step in STEPS_S)
COLOURS = ("#b3261e", "#e08a00", "#2f6f9f", "#8a8f98")
STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 9.0,
    "axes.edgecolor": "#8a8f98",
    "hatch.color": "#c4c8ce",
    "hatch.linewidth": 0.6,
}
_ID = re.compile(r'\bid="([^"]+)"')
_USED = re.compile(r'(url\(#|xlink:href="#)([^")]+)')


def svg(chart: Chart, words: Words) -> str:
    """The chart with its title and, in words, what it shows; the table beside it has every figure."""
    title = words.text(f"chart.{chart.name}")
    with mpl.rc_context(STYLE | {"svg.hashsalt": chart.name}), warnings.catch_warnings():
        # Characters are drawn by whoever reads the page; the font at hand here only guesses how wide they are.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn = _drawn(chart, words)
    return _inlined(drawn, chart.name, title, words.text("report.chart_says", title=title))


def _drawn(chart: Chart, words: Words) -> str:
    height_in = max(1.4, 0.34 * len(chart.labels) + 0.9) if chart.across else 2.5
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    canvas = FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    (_across if chart.across else _upright)(axes, chart, words)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(chart.series) > 1:
        figure.legend(loc="outside upper right", ncols=len(chart.series), frameon=False)
    with io.StringIO() as out:
        canvas.print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})  # type: ignore[no-untyped-call]
        return out.getvalue()


def _upright(axes: Axes, chart: Chart, words: Words) -> None:
    at = range(len(chart.labels))
    for place, unknown in enumerate(chart.unknown):
        if unknown:
            axes.axvspan(place - 0.5, place + 0.5, facecolor="#f1f2f4", edgecolor="#c4c8ce", hatch="///", linewidth=0)
    below = [0.0] * len(chart.labels)
    width = 0.8 if chart.stacked else 0.8 / len(chart.series)
    for number, series in enumerate(chart.series):
        values = [float(value or 0) for value in series.values]
        left = [place if chart.stacked else place + (number + 0.5) * width - 0.4 for place in at]
        axes.bar(left, values, width, bottom=below, color=_colour(chart, number), label=words.word(series.key))
        if chart.stacked:
            below = [low + value for low, value in zip(below, values, strict=True)]
    every = max(1, -(-len(chart.labels) // 16))
    axes.set_xticks(list(at)[::every], [_short(one, words) for one in chart.labels[::every]])
    axes.set_xlim(-0.6, len(chart.labels) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=chart.shown is As.COUNT))
    axes.yaxis.set_major_formatter(_formatter(chart, words))
    axes.set_ylim(0, 1.0 if chart.shown is As.SHARE else max(1.0, axes.get_ylim()[1]))


def _across(axes: Axes, chart: Chart, words: Words) -> None:
    begin = [0.0] * len(chart.labels)
    height = 0.7 if chart.stacked else 0.7 / len(chart.series)
    for number, series in enumerate(chart.series):
        values = [float(value or 0) for value in series.values]
        places = [p if chart.stacked else p + (number + 0.5) * height - 0.35 for p in range(len(values))]
        bars = axes.barh(places, values, height, left=begin, color=_colour(chart, number), label=words.word(series.key))
        if chart.stacked:
            begin = [low + value for low, value in zip(begin, values, strict=True)]
        else:
            says = ["" if value is None else words.cell(Cell(chart.shown, value)) for value in series.values]
            axes.bar_label(bars, says, padding=3)
    axes.set_yticks(range(len(chart.labels)), [words.cell(one) for one in chart.labels])
    axes.invert_yaxis()
    most = max((float(v or 0) for one in chart.series for v in one.values), default=0.0)
    high = max(max(begin) if chart.stacked else most * 1.15, 0.01 if chart.shown is As.SHARE else 1.0)
    axes.set_xlim(0, high)
    axes.xaxis.set_major_locator(_locator(chart, high))
    axes.xaxis.set_major_formatter(_formatter(chart, words))


def _locator(chart: Chart, high: float) -> Locator:
    """Steps people count in: of time whole minutes, hours or days."""
    if chart.shown is As.SPAN:
        return MultipleLocator(next((step for step in STEPS_MS if high <= 6 * step), high))
    return MaxNLocator(5, integer=chart.shown is As.COUNT)


def _formatter(chart: Chart, words: Words) -> FuncFormatter:
    def written(value: float, _place: int) -> str:
        return words.cell(Cell(chart.shown, value))

    return FuncFormatter(written)


def _colour(chart: Chart, number: int) -> str:
    return COLOURS[number % len(COLOURS)] if len(chart.series) > 1 else COLOURS[2]


def _short(label: Cell, words: Words) -> str:
    return f"{label.value:%m-%d}" if label.shown is As.DAY else words.cell(label)


def _inlined(drawn: str, name: str, title: str, description: str) -> str:
    """The drawing alone, with ids of its own, a title and a description."""
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _ID.sub(rf'id="{name}-\1"', body)
    body = _USED.sub(rf"\1{name}-\2", body)
    head, inner = body.split(">", 1)
    view = re.search(r'viewBox="[^"]+"', head)
    assert view is not None, "a drawing has its measures"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {view[0]} role="img"'
    told = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    return f'{head} aria-labelledby="{name}-title {name}-desc">{told}{inner.rstrip()}'
