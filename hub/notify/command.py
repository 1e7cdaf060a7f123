"""`lianfang channels`: which ways lead outside, and whether they do."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hub.notify.notice import Channel, Notice, Outcome, Refused, Sent, Sort, Withheld
from hub.notify.people import Address, People
from hub.notify.table import ChannelTable, Told, routes_of
from hub.notify.texts import Facts, written
from hub.registry import Loaded
from hub.registry import load as load_registry
from hub.settings import Settings
from hub.settings_file import load
from protocol import faults
from protocol.kinds import Priority

app = typer.Typer(no_args_is_help=True, help="Channels: how people outside are told.")

Config = Annotated[Path, typer.Option("--config", help="The hub's file, TOML.", metavar="CONFIG")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Set one value: api.port=8081. Repeatable.")]


@app.command("list")
def list_(config: Config = Path("hub.toml"), set_: Overrides = None) -> None:
    """Every channel with where it leads, and who is told over it by rung; no secrets, names or phones."""
    settings, loaded = _read(config, set_)
    if not settings.channel:
        typer.echo("no [[channel]]: nobody outside is told")
    for table in settings.channel:
        reach = "a room" if table.rooms else "each person"
        reports = "" if table.reports_s is None else ", with delivery reports"
        typer.echo(f"{table.name}: {table.kind} to {table.place}, {reach}{reports}")
    people, registry = _people(settings, loaded), loaded.registry
    for route in routes_of(settings.route, settings.channel):
        priorities = ",".join(f"P{one}" for one in route.priorities)
        whom = ", ".join(route.to) or "whom the registry has for the place"
        typer.echo(f"{route.rung}: {', '.join(route.channels)}; {priorities}; areas {', '.join(route.areas)}; {whom}")
    for area in registry.areas.values() if settings.channel else ():
        stations = [one.id for one in registry.stations.values() if one.area == area.id]
        for rung, places in ((Told.STATION, stations), (Told.TOWN, [area.town]), (Told.COUNTY, [area.county])):
            if not people.told(rung, area.id, Priority.P1, places):
                typer.echo(f"worth a look: nobody is told of a P1 for the {rung} of {area.id}", err=True)


@app.command("test")
def test(
    config: Config = Path("hub.toml"),
    channel: Annotated[str | None, typer.Option("--channel", help="This channel alone.", metavar="NAME")] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="A contact, premises, station or centre, by id or area/id.", metavar="PERSON"),
    ] = None,
    set_: Overrides = None,
) -> None:
    """Send a message marked as a test, past the hub, and say for each recipient what came of it.

    Without --to: those who are told of the hub's own trouble. Exits with 1 when one was not taken.
    """
    settings, loaded = _read(config, set_)
    tables = {table.name: table for table in settings.channel}
    if channel is not None and channel not in tables:
        _refuse(config, [faults.Fault("--channel", "NAME", channel, f"one of {', '.join(tables) or 'none'}")])
    chosen = {name: table for name, table in tables.items() if channel in (None, name)}
    people = _people(settings, loaded)
    addresses = people.hub(Priority.P1) if to is None else _named(loaded, people, chosen, to)
    addresses = [one for one in addresses if one.channel in chosen]
    if not addresses:
        allowed = "a contact or place of the registry that a channel leads to"
        _refuse(config, [faults.Fault("--to", "PERSON", to or "nobody to be told of the hub's trouble", allowed)])
    outcomes = asyncio.run(_tried(settings, people, _opened(config, chosen), addresses))
    for address, outcome in outcomes:
        typer.echo(f"{address.channel}: {address.area}/{address.to}: {_words(outcome)}")
    if not all(isinstance(outcome, Sent) for _, outcome in outcomes):
        raise typer.Exit(1)


def _named(loaded: Loaded, people: People, chosen: Mapping[str, ChannelTable], to: str) -> list[Address]:
    """A contact by its id, or everyone of a place, over each channel that was chosen."""
    area, _, one = to.rpartition("/")
    found: list[Address] = []
    for name, table in chosen.items():
        fit = [who for who in loaded.contacts if one in (who.id, who.of) and area in ("", who.area)]
        if not table.rooms:
            found += [Address(name, who.area, who.id, who.of) for who in fit]
        else:
            found += [Address(name, *place) for place in dict.fromkeys((who.area, who.of, who.of) for who in fit)]
    return found


async def _tried(
    settings: Settings, people: People, channels: Mapping[str, Channel], addresses: list[Address]
) -> list[tuple[Address, Outcome]]:
    title, text = written(Facts(Sort.TEST, "test"), settings.channels.language, settings.channels.offset_min)
    found: list[tuple[Address, Outcome]] = []
    try:
        for address in addresses:
            contact = people.contact(address.area, address.to, address.of)
            notice = Notice(
                id=f"test-{secrets.token_hex(8)}",
                to=address.to,
                sort=Sort.TEST,
                priority=Priority.P4,
                title=title,
                text=text,
                phone="" if contact is None else contact.phone,
                name="" if contact is None else contact.name,
                area=address.area,
                at_ms=time.time_ns() // 1_000_000,
            )
            found.append((address, await channels[address.channel].send(notice)))
    finally:
        for channel in channels.values():
            await channel.close()
    return found


def _words(outcome: Outcome) -> str:
    if isinstance(outcome, Sent):
        return "taken"
    if isinstance(outcome, Refused):
        return f"refused: {outcome.why}"
    if isinstance(outcome, Withheld):
        return "withheld: a drill"
    later = "" if outcome.after_s is None else f", asks to try again in {outcome.after_s:g} s"
    return f"not now: {outcome.why}{later}"


def _people(settings: Settings, loaded: Loaded) -> People:
    tables = {table.name: table for table in settings.channel}
    return People(loaded.registry, loaded.contacts, tables, routes_of(settings.route, settings.channel))


def _opened(config: Path, chosen: Mapping[str, ChannelTable]) -> dict[str, Channel]:
    found: list[faults.Fault] = []
    channels = {}
    for name, table in chosen.items():
        try:
            channels[name] = table.opened()
        except faults.Refused as refused:
            found += refused.faults
    if found:
        _refuse(config, found)
    return channels


def _read(config: Path, overrides: list[str] | None) -> tuple[Settings, Loaded]:
    try:
        settings = load(config, overrides or [])
        return settings, load_registry(settings.hub.registry)
    except faults.Refused as refused:
        _refuse(config, refused.faults)


def _refuse(config: Path, found: list[faults.Fault] | tuple[faults.Fault, ...]) -> NoReturn:
    for fault in found:
        typer.echo(str(fault), err=True)
    typer.echo(f"{config}: {len(found)} fault(s); nothing was sent", err=True)
    raise typer.Exit(2)
