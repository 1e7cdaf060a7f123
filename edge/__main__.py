"""`lianfang edge`: run a gateway, or check its configuration."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from edge.app import App
from edge.buses import KeptDriver
from edge.config import Config, load, parse_set
from edge.config.schedules import told as told_schedule
from edge.config.words import told
from edge.core.walk import Walk
from edge.desired import Desired
from edge.port import Reading
from edge.profiles import load_profiles
from protocol import lock
from protocol.faults import Refused
from protocol.logs import set_up
from protocol.tls import client_context

QUIET_S = 2
"""How long nothing may have rung before the gateway starts anew for a new configuration."""

log = structlog.get_logger("lianfang")
app = typer.Typer(no_args_is_help=True, help="The gateway: watch zones, ring the group, tell the hub.")

ConfigPath = Annotated[Path, typer.Argument(help="The site file, TOML.", metavar="CONFIG")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Set one value: mqtt.port=1884, bus.lan.port=15020. Repeatable.")
]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error; JSON lines on stderr.")]


def _desired(path: Path, overrides: list[str] | None) -> Desired:
    """The installer's file with what the hub wished since. Prints every fault and exits with 2 when refused."""
    try:
        given = parse_set(overrides or [])
        profiles = load_profiles()
        return Desired(load(path, profiles, given), path.resolve().parent, profiles, given)
    except Refused as refused:
        raw = _raw(path)
        for fault in refused.faults:
            typer.echo(told(fault, raw), err=True)
        typer.echo(f"{path}: {len(refused.faults)} fault(s); nothing was started", err=True)
        raise typer.Exit(2) from None


def _raw(path: Path) -> dict[str, Any]:
    """The file as it is, for the ids in it; nothing where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


@app.command()
def run(config: ConfigPath, set_: Overrides = None, log_level: LogLevel = "info") -> None:
    """Run the gateway until SIGTERM or Ctrl-C; ends within 2 s."""
    try:
        set_up(log_level, "the gateway")
    except ValueError as cause:
        typer.echo(f"--log-level: {cause}", err=True)
        raise typer.Exit(2) from None
    desired = _desired(config, set_)
    effective = desired.effective()
    if lock.take(effective.data_dir) is None:
        typer.echo(f"{config}: another gateway runs on {effective.data_dir}; nothing was started", err=True)
        raise typer.Exit(2)
    _run(effective, desired)


def _run(config: Config, desired: Desired) -> None:
    loop = asyncio.new_event_loop()
    try:
        anew = loop.run_until_complete(_until_told(config, desired))
    except Exception:
        log.critical("the gateway ends by an error", exc_info=True)
        os._exit(1)  # whatever is left of it must not keep systemd from starting the next
    if anew:
        log.info("starts anew for the desired configuration")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # as after any end: nothing is carried over
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(0)  # a connection attempt in a thread cannot be cancelled, and nobody waits for it
    loop.close()


async def _until_told(config: Config, desired: Desired) -> bool:
    """Run until a signal, or until the hub's wish is stored and nothing rings: then True, for a start anew."""
    gateway = App(config, desired)
    task = asyncio.create_task(gateway.run(), name="gateway")
    told = asyncio.create_task(_signal(), name="signals")
    wished = asyncio.create_task(_wished(gateway, desired), name="wished")
    await asyncio.wait([task, told, wished], return_when=asyncio.FIRST_COMPLETED)
    anew = wished.done() and not told.done() and not task.done()
    if not task.done():
        await gateway.silence()
        task.cancel()
        await asyncio.wait([task])
    told.cancel()
    wished.cancel()
    if not task.cancelled():
        task.result()
    return anew


async def _wished(gateway: App, desired: Desired) -> None:
    """Until another configuration is stored and no siren has sounded for a while: a start takes the village's ears for
    a second or two, and never in the middle of a call."""
    quiet_s = 0
    while quiet_s < QUIET_S:
        await asyncio.sleep(1)
        quiet_s = quiet_s + 1 if desired.stored and gateway.quiet else 0


async def _signal() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


@app.command()
def walk(config: ConfigPath, set_: Overrides = None) -> None:
    """Show each zone as it changes, on this terminal alone, until Ctrl-C; then name those not proved (exit 1).

    The gateway must not run meanwhile. Nothing is recorded or sent, and nothing rings.
    """
    found = _desired(config, set_).effective()
    if lock.take(found.data_dir) is None:
        typer.echo(f"{config}: its gateway is running on {found.data_dir}; stop it first", err=True)
        raise typer.Exit(2)
    site = Walk(found.site)
    asyncio.run(_walk(found, site))
    for zone, rest in site.at_rest().items():
        typer.echo(f"LOOP        {zone}: {rest}")
    for zone, missing in site.unproved().items():
        typer.echo(f"NOT PROVED  {zone}: {missing}")
    typer.echo(f"{len(found.site.zones) - len(site.unproved())} of {len(found.site.zones)} zones proved")
    raise typer.Exit(1 if site.unproved() else 0)


async def _walk(config: Config, site: Walk) -> None:
    def show(reading: Reading) -> None:
        for zone, now, reason in site.look(reading):
            why = f": {reason}" if reason else ""
            typer.echo(f"{time.strftime('%H:%M:%S')}  {zone.id:24} {now:8} {zone.kind} on {zone.source}{why}")

    told = asyncio.create_task(_signal(), name="signals")
    drivers = [asyncio.create_task(KeptDriver(bus, time.monotonic_ns).run(show), name=bus.id) for bus in config.buses]
    await told
    for driver in drivers:
        driver.cancel()
    await asyncio.gather(*drivers, return_exceptions=True)


@app.command()
def check(config: ConfigPath, set_: Overrides = None) -> None:
    """Print every fault of a configuration (exit 2), or a summary of what it watches and drives."""
    found = _desired(config, set_).effective()
    typer.echo(_summary(found))


def _tls(found: Config) -> str:
    if found.mqtt.tls is None:
        return "PLAIN, no TLS"
    try:
        client_context(found.mqtt.tls)
    except Refused as refused:
        return f"TLS, BUT NO CONNECTION UNTIL MENDED: {'; '.join(map(str, refused.faults))}"
    return "TLS"


def _summary(found: Config) -> str:
    site = found.site
    kinds: dict[str, int] = {}
    for zone in site.zones:
        kinds[zone.kind] = kinds.get(zone.kind, 0) + 1
    buses = [f"{bus.id} ({bus.driver}, {len(bus.devices)} devices)" for bus in found.buses]
    groups = [f"{group} ({len(members)} members)" for group, members in site.groups.items()]
    outputs = [f"{output.id} ({output.role})" for output in site.outputs]
    counted = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
    lines = [
        f"gateway   {site.area}/{site.gateway}, reporting time {found.profile}, data in {found.data_dir}",
        f"broker    {found.mqtt.host}:{found.mqtt.port}, {_tls(found)}",
        f"buses     {', '.join(buses) or 'none'}",
        f"zones     {len(site.zones)}: {', '.join(counted) or 'none'}",
        f"premises  {', '.join(premises.id for premises in site.premises) or 'none'}",
        f"outputs   {', '.join(outputs) or 'none'}",
        f"groups    {', '.join(groups) or 'none'}",
        *(f"schedule  {told_schedule(schedule)}" for schedule in site.schedules),
        f"hub keys  {', '.join(sorted(found.hub_keys)) or 'NONE: no command will be obeyed'}",
        f"digest    {found.sha256}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    app()
