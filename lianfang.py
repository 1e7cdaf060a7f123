"""The `lianfang` command: every installed part brings its own sub-command by an entry point."""

from importlib.metadata import entry_points

import typer


def main() -> None:
    """Run the sub-commands of the parts installed here; a part whose own dependencies are missing is named."""
    root = typer.Typer(no_args_is_help=True, add_completion=False, help="Joint-defence alarm gateways and their hub.")
    for entry in sorted(entry_points(group="lianfang.commands"), key=lambda found: found.name):
        try:
            root.add_typer(entry.load(), name=entry.name)
        except ModuleNotFoundError as cause:
            root.command(entry.name, help=f"not installed here: needs {cause.name}")(_missing(entry.name, cause))
    root()


def _missing(command: str, cause: ModuleNotFoundError) -> "typer.models.CommandFunctionType":  # type: ignore[type-var,misc]
    def explain() -> None:
        typer.echo(f"lianfang {command}: the Python module {cause.name!r} is not installed here", err=True)
        raise typer.Exit(2)

    return explain
