"""`lianfang simulate chaos`."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from protocol.faults import Refused
from protocol.logs import set_up
from simulators.broker import BrokerError
from simulators.chaos.run import chaos
from simulators.chaos.verdict import Size
from simulators.children import ChildError
from simulators.influx import APT_INFLUXDB, TsdbError, installed
from simulators.telling import tell

EXPECTED = (BrokerError, TsdbError, ChildError, OSError, TimeoutError)


class Keeps(StrEnum):
    """The telemetry store of a run: a file of the hub's, which is locked, or a real InfluxDB, which is killed too."""

    SQLITE = "sqlite"
    INFLUXDB = "influxdb"


def command(
    minutes: Annotated[float, typer.Option(min=0.5, max=600, help="How long it may take, recovery included.")] = 15.0,
    seed: Annotated[int | None, typer.Option(help="Draws what breaks, and when; printed. A fresh one if none.")] = None,
    kills: Annotated[int | None, typer.Option(min=0, max=10_000, help="kill -9 so often; else 200 in 15 min.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=100, help="Presses a second, while buttons are idle.")] = 16.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    store: Annotated[
        Keeps | None, typer.Option(help="Where telemetry is kept, and what is killed; influxdb where it is installed.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for logs and stores; a temporary one if not given.")] = None,
) -> None:
    """Kill and cut a village of real processes while buttons are pressed, and account for every press."""
    set_up("warning", "the chaos run")  # standard output is for the verdict alone
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    size = Size(minutes, round(minutes * 200 / 15) if kills is None else kills, rate_s=rate)
    keeps = (Keeps.INFLUXDB if installed() else Keeps.SQLITE) if store is None else store
    if keeps is Keeps.INFLUXDB and not installed():
        typer.echo(
            f"--store influxdb: no influxd is installed here; allowed: sqlite, or first {APT_INFLUXDB}", err=True
        )
        raise typer.Exit(2)
    influxdb = keeps is Keeps.INFLUXDB
    typer.echo(f"seed {seed}: {size.kills} kills in {size.span_s:.0f} s, telemetry in {keeps}", err=True)
    try:
        if data is not None:
            verdict = asyncio.run(chaos(data, seed, size, _told, influxdb=influxdb))
        else:
            with tempfile.TemporaryDirectory(prefix="lf-") as folder:
                verdict = asyncio.run(chaos(Path(folder), seed, size, _told, influxdb=influxdb))
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    except EXPECTED as trouble:
        typer.echo(f"seed {seed}: {trouble}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    tell(verdict.figures(), "stories", as_json)
    raise typer.Exit(0 if verdict.well else 1)


def _told(line: str) -> None:
    typer.echo(line, err=True)
