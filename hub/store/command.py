"""`lianfang telemetry`: make the databases that telemetry is kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from hub.settings_file import load
from hub.store.deliver import BatchRefused
from hub.store.init import init as made
from hub.store.port import StoreError
from hub.store.server import InfluxServer
from hub.store.table import StoreKind, Telemetry, access
from protocol.faults import Fault, Refused

app = typer.Typer(no_args_is_help=True, help="Where telemetry is kept.")


@app.callback()
def _telemetry() -> None:
    """Where telemetry is kept."""


@app.command()
def init(
    config: Annotated[Path, typer.Option("--config", help="The hub's file, TOML.")],
    username: Annotated[str | None, typer.Option(help="An administrator, where the hub's user is none.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="The administrator's password, one line.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="With influxdb2: a token that may make buckets, where the hub's may not.")
    ] = None,
) -> None:
    """Make the database with its retention policies, or the buckets, or change them to what the configuration says; may
    be repeated."""
    try:
        table = load(config).telemetry
        if faults := list(_against(config.name, table)):
            raise Refused(faults)
        if username is not None:
            table = table.model_copy(update={"username": username, "password_file": password_file})
        if token_file is not None:
            table = table.model_copy(update={"token_file": token_file})
        steps = list(_steps(table))
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    except (StoreError, BatchRefused) as cause:
        typer.echo(str(cause), err=True)
        raise typer.Exit(1) from None
    for step in steps or [f"database {table.database}: as it should be"]:
        typer.echo(step)


def _against(where: str, table: Telemetry) -> Iterator[Fault]:
    if table.store is StoreKind.SQLITE:
        allowed = '"influxdb" or "influxdb2"; the embedded store needs nothing made'
        yield Fault(where, "telemetry.store", table.store.value, allowed)
    elif table.write_only:
        yield Fault(where, "telemetry.write_only", "true", "a server that has databases: nothing is made at this one")


def _steps(table: Telemetry) -> Iterator[str]:
    reached = access(table)
    if table.store is StoreKind.INFLUXDB2:
        from hub.store import buckets  # here: its library takes a third of a second to import

        major = buckets.version(reached)
        if major > 1:
            yield from (buckets.init if major == 2 else buckets.init3)(reached, table.kept)
            return
    with closing(InfluxServer(reached)) as server:
        yield from made(server, table.database, table.kept)
