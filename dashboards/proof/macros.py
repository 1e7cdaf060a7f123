"""Grafana's words in a query, put in as Grafana does; one that is not known here is an error, not a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

INTERVAL_MS_MIN = 10_000
"""As the data source has it: a snapshot comes every ten seconds."""
POINTS_MAX = 1_000
"""About as many points as a panel is wide."""
STEPS_MS = (10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_SPANS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_VARIABLE = re.compile(r"\$\{(\w+):regex\}|\$\{(\w+)\}|\[\[(\w+)\]\]|\$(?!/)(\w+)")
_SPECIAL = re.compile(r"([.*+?^${}()|\[\]\\/])")


class UnknownMacro(ValueError):
    """A word that Grafana would not know either, or that the board has no variable for."""


class Window(NamedTuple):
    """From when to when, hub wall ms."""

    from_ms: int
    to_ms: int


def span_ms(text: str) -> int:
    """Of Grafana's "2m", "24h" or "7d"."""
    return int(text[:-1]) * _SPANS[text[-1]]


def interval_ms(window: Window) -> int:
    """How far apart the points of a graph over this time are."""
    wanted = max(INTERVAL_MS_MIN, (window.to_ms - window.from_ms) / POINTS_MAX)
    return next((step * 1_000 for step in STEPS_MS if step * 1_000 >= wanted), STEPS_MS[-1] * 1_000)


def chosen(values: tuple[str, ...] | None) -> str:
    """`${name:regex}`: all (the variable's own `.*`), one value, or several."""
    if values is None:
        return ".*"
    escaped = [_SPECIAL.sub(r"\\\1", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def expand(query: str, window: Window, choices: Mapping[str, tuple[str, ...] | None]) -> str:
    """The query as the database gets it."""
    step_ms = interval_ms(window)
    words = {
        "timeFilter": f"time >= {window.from_ms}ms and time <= {window.to_ms}ms",
        "__interval": f"{step_ms // 1_000}s",
        "interval": f"{step_ms // 1_000}s",
        "__interval_ms": str(step_ms),
        "__from": str(window.from_ms),
        "__to": str(window.to_ms),
    }

    def put(found: re.Match[str]) -> str:
        regex, name = found[1], found[2] or found[3] or found[4]
        if regex is not None and regex in choices:
            return chosen(choices[regex])
        if name in words:
            return words[name]
        raise UnknownMacro(f"{found[0]} in {query[:80]!r}; known: {', '.join([*words, *choices])}")

    return _VARIABLE.sub(put, query)
