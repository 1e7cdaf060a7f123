"""`lianfang demo`: the village, a scenario, and what the centre sees; live in the terminal or as JSON lines."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from protocol.faults import Refused
from simulators.broker import BrokerError
from simulators.children import ChildError
from simulators.demo.live import show
from simulators.demo.watch import settled_incidents
from simulators.player import play
from simulators.scenario import Scenario, load, names
from simulators.village import Village

EXPECTED = (BrokerError, ChildError, ConnectionError, TimeoutError)
INCIDENT_S_MAX = 60.0
"""How long the scenario's incidents may take, from its first step."""

app = typer.Typer(add_completion=False, help="A village on this machine: real gateways, real wires, a real hub.")


@app.callback(invoke_without_command=True)
def demo(
    scenario: Annotated[str, typer.Option(help="What happens; --list names them all.")] = "village",
    headless: Annotated[bool, typer.Option(help="Print one JSON object a line for each incident, and end.")] = False,
    incidents: Annotated[int, typer.Option(min=1, max=100, help="Headless: end after so many incidents.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Folder for stores and logs [data/demo-TIME].")] = None,
    broker: Annotated[str, typer.Option(help="mosquitto, embedded, or any: Mosquitto when installed.")] = "any",
    list_: Annotated[bool, typer.Option("--list", help="Name the scenarios and end.")] = False,
) -> None:
    """Run the demonstration. Ctrl-C ends every process; what is left is the data folder."""
    if list_:
        for name in names():
            typer.echo(f"{name:<18} {load(name).title}")
        return
    try:
        chosen = load(scenario)
        if broker not in ("any", "mosquitto", "embedded"):
            raise typer.BadParameter(f"{broker!r}; allowed: any, mosquitto, embedded", param_hint="--broker")
        village = Village(data or _folder(), broker_kind=broker)
        run = _headless(village, chosen, incidents) if headless else show(village, chosen)
        status = asyncio.run(_until_told(run))
        if not headless:
            typer.echo(f"Every process has ended. Stores and logs: {village.folder}")
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        status = 2
    except EXPECTED as trouble:
        typer.echo(f"lianfang demo: {trouble}", err=True)
        status = 1
    raise typer.Exit(status)


def _folder() -> Path:
    return Path("data") / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}"


async def _headless(village: Village, scenario: Scenario, count: int) -> int:
    """Play, and print incidents as they settle; 0 after `count` of them, 1 with a reason when they do not come."""
    async with village, village.centre() as centre:
        started = asyncio.Event()
        found = 0
        settled = settled_incidents(centre, scenario.rule, started)
        first = asyncio.ensure_future(anext(settled))
        async with asyncio.timeout(INCIDENT_S_MAX):
            await started.wait()
        playing = asyncio.create_task(play(village, scenario, lambda step: None), name="scenario")
        ends_s = time.monotonic() + INCIDENT_S_MAX
        try:
            while True:
                async with asyncio.timeout(ends_s - time.monotonic()):
                    line = await first
                typer.echo(json.dumps(line, ensure_ascii=False))
                sys.stdout.flush()
                found += 1
                if found == count:
                    return 0
                first = asyncio.ensure_future(anext(settled))
        except TimeoutError:
            typer.echo(_reason(scenario, found, count, playing), err=True)
            return 1
        finally:
            for task in (playing, first):
                task.cancel()
            await asyncio.gather(playing, first, return_exceptions=True)
            await settled.aclose()  # type: ignore[attr-defined]  # an async generator


def _reason(scenario: Scenario, found: int, count: int, playing: asyncio.Task[None]) -> str:
    text = f"{found} of {count} incidents within {INCIDENT_S_MAX:.0f} s of scenario {scenario.name} ({scenario.rule})"
    if playing.done() and not playing.cancelled() and (trouble := playing.exception()) is not None:
        text += f"; the scenario itself failed: {trouble}"
    return f"lianfang demo: {text}"


async def _until_told(run: Coroutine[Any, Any, int]) -> int:
    """Run until it ends or a signal asks for the end; either way everything is taken down before this returns."""
    task = asyncio.ensure_future(run)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


if __name__ == "__main__":
    app()
