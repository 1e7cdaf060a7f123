"""What a panel is: one question somebody at a control room has, its queries, its unit and its limits.

Unknown is never normal: a panel without an answer says so in words and in grey, and what stands for *now* asks for the
last minutes alone, so that the last word of a hub that fell silent does not stand there as if it were of now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dashboards.making.words import NOTHING, UNKNOWN, Text

LATELY = "2m"
"""How far back what stands for now may be: twelve snapshots of the hub."""


class Look(StrEnum):
    """How a panel shows its answer."""

    NUMBER = "stat"
    GRAPH = "timeseries"
    TABLE = "table"
    STATES = "state-timeline"
    BARS = "bargauge"
    MAP = "geomap"


class Colour(StrEnum):
    """What colours mean, on every board alike."""

    GOOD = "green"
    NOTE = "yellow"
    WARN = "orange"
    BAD = "red"
    PLAIN = "blue"
    UNKNOWN = "#808080"


@dataclass(frozen=True, slots=True)
class Ask:
    """One query. `alias` names its series (`$tag_village`, or words)."""

    query: str
    alias: Text | str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `key` is its name within the board, never changed; `about` is the question it answers.

    `limits` are (from this value on, colour); below the first of them, and without an answer, it is grey. `words` stand
    in place of values, with their colours. `columns` name columns of a table, and their units. `quiet`: no answer is an
    answer too (nothing is open); `nothing` says it then. `within`: the values that can be true, for the proof.
    """

    key: str
    look: Look
    title: Text
    about: Text
    asks: tuple[Ask, ...]
    unit: str = "short"
    limits: tuple[tuple[float, Colour], ...] = ()
    words: dict[str, tuple[Text, Colour]] = field(default_factory=dict)
    columns: dict[str, tuple[Text, str]] = field(default_factory=dict)
    lately: str = ""
    quiet: bool = False
    nothing: Text = NOTHING
    within: tuple[float, float] | None = None
    width: int = 6
    height: int = 6
    bars: bool = False
    stacked: bool = False

    @property
    def no_value(self) -> Text:
        """What stands there without an answer."""
        return self.nothing if self.quiet else UNKNOWN

    @property
    def plausible(self) -> tuple[float, float]:
        """The least and the most that a number of it can be."""
        return self.within if self.within is not None else RANGES.get(self.unit, RANGES["short"])


MOST = 2.0**53
RANGES: dict[str, tuple[float, float]] = {
    "short": (0, MOST),
    "percent": (0, 100),
    "percentunit": (0, 1),
    "celsius": (-50, 120),
    "ms": (0, 366 * 86_400_000.0),
    "s": (0, 10 * 366 * 86_400.0),
    "ohm": (0, 1e7),
    "bool": (0, 1),
    "cps": (0, 1e9),
    "cpm": (0, 1e9),
}
"""What a number can be by its unit, unless the panel says otherwise."""


def number(key: str, title: Text, about: Text, query: str, **more: object) -> Panel:
    """One number as it is now, as large as it may be."""
    return _made(key, Look.NUMBER, title, about, (Ask(query),), {"lately": LATELY, "width": 4, "height": 4} | more)


def graph(key: str, title: Text, about: Text, *asks: Ask, **more: object) -> Panel:
    """How it went."""
    return _made(key, Look.GRAPH, title, about, asks, {"width": 12, "height": 8} | more)


def table(key: str, title: Text, about: Text, query: str, **more: object) -> Panel:
    """Rows."""
    return _made(key, Look.TABLE, title, about, (Ask(query),), {"width": 12, "height": 8} | more)


def states(key: str, title: Text, about: Text, *asks: Ask, **more: object) -> Panel:
    """Which state each was in, and when."""
    return _made(key, Look.STATES, title, about, asks, {"width": 12, "height": 8} | more)


def bars(key: str, title: Text, about: Text, *asks: Ask, **more: object) -> Panel:
    """One bar for each, side by side."""
    return _made(key, Look.BARS, title, about, asks, {"width": 8, "height": 8} | more)


def _made(key: str, look: Look, title: Text, about: Text, asks: tuple[Ask, ...], more: dict[str, object]) -> Panel:
    return Panel(key, look, title, about, asks, **more)  # type: ignore[arg-type]  # checked by the dataclass's own names


FROM_ONE_BAD = ((0, Colour.GOOD), (1, Colour.BAD))
FROM_ONE_WARN = ((0, Colour.GOOD), (1, Colour.WARN))
PLAIN = ((0, Colour.PLAIN),)
YES_NO = {"0": (Text("no", "否"), Colour.GOOD), "1": (Text("yes", "是"), Colour.BAD)}
UP_DOWN = {"0": (Text("lost", "失联"), Colour.BAD), "1": (Text("up", "在线"), Colour.GOOD)}
