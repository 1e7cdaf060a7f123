"""The drivers: one file each, offering what edge.port.DriverModule says. The folder is the registry."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from edge.port import DriverModule


def names() -> list[str]:
    """Every driver there is, by its file's name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def find(name: str) -> DriverModule:
    """The driver of that name; only it is imported. Raises LookupError naming the ones there are."""
    if name not in names():
        raise LookupError(f"unknown driver {name!r}; known: {', '.join(names())}")
    return cast(DriverModule, importlib.import_module(f"{__name__}.{name}"))
