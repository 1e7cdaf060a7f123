"""The `lianfang` command: every installed part brings its own sub-commands by entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import typer


def main() -> None:
    """Run a part's sub-command; only that part is loaded, since a gateway has neither time nor memory for the rest."""
    parts = {entry.name: entry for entry in entry_points(group="lianfang.commands")}
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    root = typer.Typer(no_args_is_help=True, add_completion=False, help="Joint-defence alarm gateways and their hub.")
    root.callback()(lambda: None)
    for name in [named] if named in parts else sorted(parts):
        _add(root, parts[name])
    root(prog_name="lianfang")


def _add(root: typer.Typer, entry: EntryPoint) -> None:
    try:
        part = entry.load()
        if isinstance(part, typer.Typer):
            root.add_typer(part, name=entry.name)
        else:
            root.command(entry.name)(part)
    except ModuleNotFoundError as cause:
        missing = cause.name or "a module"
        root.command(entry.name, help=f"not installed here: needs {missing}")(_unavailable(entry.name, missing))


def _unavailable(command: str, missing: str) -> Callable[[], None]:
    def explain() -> None:
        typer.echo(f"lianfang {command}: the Python module {missing} is not installed here", err=True)
        raise typer.Exit(2)

    return explain


if __name__ == "__main__":
    main()
