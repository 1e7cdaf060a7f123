"""`lianfang simulate`: the village without hardware, for trials by hand."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from edge.config import load as load_site
from edge.profiles import load_profiles
from protocol.faults import Refused
from simulators.broker import BrokerError
from simulators.chaos.command import command as chaos_command
from simulators.children import ChildError
from simulators.fuzz.command import command as fuzz_command
from simulators.plant import Plant
from simulators.replay import Comparison, replay
from simulators.scenes.command import scenarios as scenarios_command
from simulators.trace import load as load_recording
from simulators.world.command import world as world_command

T = TypeVar("T")
EXPECTED = (BrokerError, ChildError, ConnectionError, TimeoutError)
"""What can go wrong with a village that is no fault of the caller's input."""

app = typer.Typer(no_args_is_help=True, help="A village without hardware: wires, recordings, faults.")
app.command("chaos")(chaos_command)
app.command("fuzz")(fuzz_command)
app.command("world")(world_command)
app.command("scenarios")(scenarios_command)


@app.command("replay")
def replay_command(
    recording: Annotated[Path, typer.Argument(help="Recorded contact activity, tab separated.", metavar="FILE")],
    data: Annotated[Path | None, typer.Option(help="Folder for logs and stores; a temporary one if not given.")] = None,
    every: Annotated[int, typer.Option(help="Tell progress each so many transitions; 0 is never.", min=0)] = 100,
) -> None:
    """Play a recorded house through Modbus, a gateway and a broker to the hub, and compare every transition."""

    def told(number: int, total: int) -> None:
        if every and (number % every == 0 or number == total):
            typer.echo(f"played {number} of {total}", err=True)

    async def run(folder: Path) -> Comparison:
        found = load_recording(recording)
        typer.echo(f"activations     {len(found.activations)} of {len(found.sensors)} sensors")
        return await replay(found, folder, told)

    found = in_folder(data, run)
    typer.echo(f"played          {found.played}")
    typer.echo(f"arrived         {found.arrived}")
    typer.echo(f"worst time      {found.worst_ms:.1f} ms off")
    typer.echo(f"differences     {len(found.differences)}")
    for difference in found.differences[:10]:
        typer.echo(f"  {difference}")
    if len(found.differences) > 10:
        typer.echo(f"  and {len(found.differences) - 10} more")
    raise typer.Exit(1 if found.differences or not found.played else 0)


@app.command()
def site(
    config: Annotated[Path, typer.Argument(help="A gateway's site file.", metavar="SITE")],
) -> None:
    """Put the wires of a site on this machine until Ctrl-C, and print the command that runs its gateway on them."""

    async def run(folder: Path) -> None:
        async with Plant(load_site(config, load_profiles()), folder) as plant:
            sets = " ".join(f"--set {shlex.quote(f'{key}={value}')}" for key, value in plant.overrides.items())
            typer.echo(f"lianfang edge run {config} {sets}")
            ended = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
            await ended.wait()

    in_folder(None, run)


def in_folder(data: Path | None, run: Callable[[Path], Coroutine[Any, Any, T]]) -> T:
    """Run in a folder (a temporary one is removed), and turn expected trouble into words and exit status 2 or 1."""
    try:
        if data is not None:
            return asyncio.run(run(data))
        with tempfile.TemporaryDirectory(prefix="lf-") as folder:
            return asyncio.run(run(Path(folder)))
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    except EXPECTED as trouble:
        typer.echo(str(trouble), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


if __name__ == "__main__":
    sys.exit(app())
