"""What a board is: its panels in rows, and the variables that its queries ask for."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from functools import cache

import dashboards
from dashboards.making.panel import Panel
from dashboards.making.select import PLACES, values
from dashboards.making.words import Text

_VARIABLE = re.compile(r"\$\{(\w+):regex\}")
ALL = ".*"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: Text
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. `uid` is its address for ever; `since` how far it looks back when opened."""

    uid: str
    title: Text
    about: Text
    rows: tuple[Row, ...]
    since: str = "24h"
    refresh: str = "10s"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them."""
        return tuple(panel for row in self.rows for panel in row.panels)


@dataclass(frozen=True, slots=True)
class Variable:
    """One choice at a board's head; what was chosen before it narrows it down."""

    name: str
    title: Text
    query: str


AREA = Variable("area", Text("area", "乡镇"), values("area", "desk"))
VILLAGE = Variable("village", Text("village", "村"), values("village", "village", ("area",)))
GROUP = Variable("group", Text("group", "联防组"), values("group", "group", ("area", "village")))
GATEWAY = Variable("gateway", Text("gateway", "网关"), values("gateway", "gateway", ("area", "village")))
VARIABLES = {one.name: one for one in (AREA, VILLAGE, GROUP, GATEWAY)}
assert tuple(VARIABLES) == PLACES


def variables(board: Board) -> tuple[Variable, ...]:
    """Those that its queries name, and those that narrow these down, in order."""
    named = {name for panel in board.panels for ask in panel.asks for name in _VARIABLE.findall(ask.query)}
    while more := {one for name in named for one in _VARIABLE.findall(VARIABLES[name].query)} - named:
        named |= more
    return tuple(one for name, one in VARIABLES.items() if name in named)


@cache
def boards() -> tuple[Board, ...]:
    """Every file of this folder that has a BOARD, by its uid."""
    found = [
        importlib.import_module(f"dashboards.{module.name}")
        for module in pkgutil.iter_modules(dashboards.__path__)
        if not module.ispkg and module.name != "__main__"
    ]
    made = [module.BOARD for module in found if hasattr(module, "BOARD")]
    return tuple(sorted(made, key=lambda board: board.uid))
