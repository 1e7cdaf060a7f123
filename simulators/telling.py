"""How a run says what it came to: one JSON object, or a line a figure and then a line for each fault."""

from __future__ import annotations

import json
from typing import Any

import typer


def tell(figures: dict[str, Any], faults: str, as_json: bool) -> None:
    """Print the figures; those named `faults` are a list of texts."""
    if as_json:
        typer.echo(json.dumps(figures))
        return
    width = max(map(len, figures)) + 1
    for name, value in figures.items():
        if name != faults:
            typer.echo(f"{name:<{width}} {value if isinstance(value, str | int | float) else json.dumps(value)}")
    for text in figures[faults]:
        typer.echo(f"  {text}")
