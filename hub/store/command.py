"""`lianfang telemetry`: make the databases that telemetry is kept in."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from hub.settings_file import load
from hub.store.init import init as made
from hub.store.port import StoreError
from hub.store.server import InfluxServer
from hub.store.table import StoreKind, access
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
) -> None:
    """Make the database and its retention policies, or change them to what the configuration says; may be repeated."""
    try:
        table = load(config).telemetry
        if table.store is not StoreKind.INFLUXDB:
            allowed = '"influxdb"; the embedded store needs nothing made, buckets are made with influx bucket create'
            raise Refused([Fault(config.name, "telemetry.store", table.store.value, allowed)])
        if username is not None:
            table = table.model_copy(update={"username": username, "password_file": password_file})
        with closing(InfluxServer(access(table))) as server:
            steps = list(made(server, table.database, table.kept))
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    except StoreError as cause:
        typer.echo(str(cause), err=True)
        raise typer.Exit(1) from None
    for step in steps or [f"database {table.database}: as it should be"]:
        typer.echo(step)
