"""Where what a Grafana has differs from what was built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

GRAFANAS_OWN = frozenset({"id", "version", "iteration", "schemaVersion"})
"""What Grafana numbers by itself, at the top of a dashboard; `pluginVersion` in panels."""
SHOWN_MAX = 60


def drift(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Every place in which they differ, with both values; nothing where they are the same."""
    mine = {name: value for name, value in ours.items() if name not in GRAFANAS_OWN}
    other = {name: value for name, value in theirs.items() if name not in GRAFANAS_OWN}
    return list(_differences("", mine, other))


def _differences(where: str, ours: Any, theirs: Any) -> Iterator[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in sorted({*ours, *theirs} - {"pluginVersion"}):
            at = f"{where}.{name}" if where else name
            if name not in theirs:
                yield f"{at}: not there any more"
            elif name not in ours:
                yield f"{at}: {_shown(theirs[name])} is not ours"
            else:
                yield from _differences(at, ours[name], theirs[name])
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            title = mine.get("title") if isinstance(mine, Mapping) else None
            yield from _differences(f"{where}[{title or at}]", mine, other)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield f"{where}: {len(theirs)} of them, ours are {len(ours)}"
    elif ours != theirs:
        yield f"{where}: {_shown(theirs)}, ours is {_shown(ours)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"
