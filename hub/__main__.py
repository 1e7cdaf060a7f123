"""`lianfang hub`: run a hub, check its configuration, make its key; and what `lianfang journal` does."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hub import journal_command
from hub.app import Hub
from hub.connections import credentials
from hub.defaults import load_defaults
from hub.journal import JournalMoved
from hub.notify.telling import usable
from hub.orders import load_key, make_key, public_text
from hub.past import JournalError
from hub.registry import Loaded
from hub.registry import load as load_registry
from hub.settings import Settings
from hub.settings_file import load, strange_areas
from hub.store.table import StoreKind, access
from protocol.faults import Fault, Refused
from protocol.logs import set_up
from protocol.tls import client_context

app = typer.Typer(no_args_is_help=True, help="The hub: take alarms, keep the journal, call the neighbours.")
app.add_typer(journal_command.app, name="journal")

ConfigPath = Annotated[Path, typer.Argument(help="The hub's file, TOML.", metavar="CONFIG")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Set one value: api.port=8081. Repeatable.")]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error; JSON lines on stderr.")]


@app.command()
def run(config: ConfigPath, set_: Overrides = None, log_level: LogLevel = "info") -> None:
    """Run the hub until SIGTERM or Ctrl-C; ends within 2 s. SIGHUP: read the registry again."""
    try:
        set_up(log_level, "the hub")
    except ValueError as cause:
        typer.echo(f"--log-level: {cause}", err=True)
        raise typer.Exit(2) from None
    early: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, frame: early.append(number))  # it would end a hub that reads for long
    try:
        asyncio.run(_until_told(*_checked(config, set_), early))
    except Refused as refused:
        _refuse(config, refused)
    except (JournalError, JournalMoved) as cause:
        typer.echo(f"{config}: the hub ended: {cause}", err=True)
        raise typer.Exit(1) from None


@app.command()
def check(config: ConfigPath, set_: Overrides = None) -> None:
    """Say everything that is wrong with a configuration and the files it names; starts nothing."""
    try:
        settings, loaded = _checked(config, set_)
    except Refused as refused:
        _refuse(config, refused)
    for warning in loaded.warnings:
        typer.echo(f"worth a look: {warning}", err=True)
    known = loaded.registry
    counts = f"{len(known.gateways)} gateways, {len(known.premises)} premises, {len(known.zones)} zones"
    typer.echo(f"{config}: good; {counts}, {len(settings.person)} persons")


@app.command()
def keygen(config: ConfigPath, set_: Overrides = None) -> None:
    """Make the hub's signing key (mode 0600), and print the half that gateways are given."""
    try:
        settings = load(config, set_ or [])
        private = make_key(settings.key_path)
    except Refused as refused:
        _refuse(config, refused)
    typer.echo(f"# key {settings.key_name!r}, for the hub_keys of every gateway")
    typer.echo(public_text(private).rstrip())


def _checked(config: Path, overrides: list[str] | None) -> tuple[Settings, Loaded]:
    """The settings and the registry; raises Refused with everything wrong in them and in the files they name."""
    settings = load(config, overrides or [])
    faults: list[Fault] = []
    loaded: list[Loaded] = []
    for part in (
        lambda: loaded.append(load_registry(settings.hub.registry)),
        lambda: [usable(settings, one) for one in loaded],
        lambda: load_defaults(settings.hub.defaults),
        lambda: _connects(settings),
        lambda: access(settings.telemetry) if settings.telemetry.store is not StoreKind.SQLITE else None,
        lambda: load_key(settings.key_path) if settings.key_path.exists() or settings.signing.key else None,
    ):
        try:
            part()
        except Refused as refused:
            faults += refused.faults
    faults += [fault for one in loaded for fault in strange_areas(settings, one.registry.areas, config.name)]
    if faults:
        raise Refused(faults)
    return settings, loaded[0]


def _connects(settings: Settings) -> None:
    """Raises Refused when the broker's credentials could not be used."""
    tls, _ = credentials(settings.mqtt)
    if tls is not None:
        client_context(tls)


def _refuse(config: Path, refused: Refused) -> NoReturn:
    for fault in refused.faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{config}: {len(refused.faults)} fault(s); nothing was started", err=True)
    raise typer.Exit(2)


async def _until_told(settings: Settings, loaded: Loaded, early: list[int]) -> None:
    hub = Hub(settings, loaded)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hub.reload)
    if early:  # what was read may be older than what the signal was for
        hub.reload()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, hub.stop)
    settling = asyncio.create_task(_settle(hub))
    try:
        await hub.run()
    finally:
        settling.cancel()


async def _settle(hub: Hub) -> None:
    """What was loaded stays for good: looking through it again for garbage would hold up a press for 70 ms and more."""
    await hub.listening.wait()
    gc.collect()
    gc.freeze()
