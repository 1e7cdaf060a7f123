"""`lianfang report`: the daily summary, the weekly risk assessment and the monthly review of an area."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hub.core.registry import Registry
from hub.past import JournalError
from hub.registry import load as load_registry
from hub.reports.making import made, put
from hub.reports.period import Period, Sort, period, weeks
from hub.reports.words import Language, Words
from hub.settings_file import load
from protocol.faults import Fault, Refused
from protocol.logs import quiet

app = typer.Typer(no_args_is_help=True, help="Reports of an area from the hub's journal: HTML, and CSV beside it.")

Config = Annotated[Path, typer.Option("--config", help="The hub's file, TOML.", metavar="CONFIG")]
AreaName = Annotated[str, typer.Option("--area", help="The area, by its id.", metavar="AREA")]
Out = Annotated[Path, typer.Option("--out", help="The folder that gets the report's folder.", metavar="FOLDER")]
Lang = Annotated[Language, typer.Option("--language", help="In which language.")]
Day = Annotated[
    str, typer.Option("--date", help="A day in it, 2026-11-21; the last that is over unless said.", metavar="DAY")
]
From = Annotated[str, typer.Option("--from", help="The first of the seven days, if no Monday.", metavar="DAY")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Set one value: api.port=8081. Repeatable.")]


@app.command()
def daily(
    area: AreaName,
    out: Out,
    config: Config = Path("hub.toml"),
    day: Day = "",
    language: Lang = Language.ZH,
    set_: Overrides = None,
) -> None:
    """The day's incidents, answers and losses, and what is still open; of today as far as it has come."""
    _make(Sort.DAILY, area, out, config, (day, ""), language, set_)


@app.command()
def weekly(
    area: AreaName,
    out: Out,
    config: Config = Path("hub.toml"),
    day: Day = "",
    from_: From = "",
    language: Lang = Language.ZH,
    set_: Overrides = None,
) -> None:
    """The week's risks by village and group, by named and weighed factors; from Monday unless said."""
    _make(Sort.WEEKLY, area, out, config, (day, from_), language, set_)


@app.command()
def monthly(
    area: AreaName,
    out: Out,
    config: Config = Path("hub.toml"),
    day: Day = "",
    language: Lang = Language.ZH,
    set_: Overrides = None,
) -> None:
    """The month in review, beside the month before."""
    _make(Sort.MONTHLY, area, out, config, (day, ""), language, set_)


def _make(
    sort: Sort, area: str, out: Path, config: Path, days: tuple[str, str], language: Language, set_: list[str] | None
) -> None:
    now_ms, began = time.time_ns() // 1_000_000, time.monotonic()
    try:
        settings = load(config, set_ or [], reads=True)
        registry = load_registry(settings.hub.registry).registry
        of = _asked(registry, settings.reports.zone(area), sort, area, days, now_ms)
        with quiet():
            found, entries = made(settings, registry, area, of, now_ms)
        target = put(out, found, Words(language, of.zone))
    except Refused as refused:
        _refuse(refused)
    except JournalError as cause:
        typer.echo(f"{config}: the journal cannot be read: {cause}", err=True)
        raise typer.Exit(2) from None
    except OSError as cause:
        _refuse(Refused([Fault("--out", "folder", str(cause), "a folder that can be written to")]))
    typer.echo(f"{target}: {of.first} to {of.last}, {entries} entries read in {time.monotonic() - began:.1f} s")


def _asked(registry: Registry, zone: str, sort: Sort, area: str, days: tuple[str, str], now_ms: int) -> Period:
    """The period asked for; of none the last that is over. Raises Refused with everything that is wrong."""
    faults = []
    if area not in registry.areas:
        faults.append(Fault("--area", "area", area, f"one of {', '.join(list(registry.areas)[:20]) or 'none'}"))
    found = period(Sort.DAILY, date(2000, 1, 1), zone)
    try:
        found = _period(zone, sort, *days, found.local(now_ms).date())
    except Refused as refused:
        faults += refused.faults
    if faults:
        raise Refused(faults)
    return found


def _period(zone: str, sort: Sort, day: str, first: str, today: date) -> Period:
    if day and first:
        raise Refused([Fault("--from", "days", f"{first}, and --date {day}", "one of the two")])
    if first:
        of = weeks(_date("--from", first), zone)
    elif day:
        of = period(sort, _date("--date", day), zone)
    else:
        of = period(sort, period(sort, today, zone).first - timedelta(days=1), zone)
    if of.first > today:
        where, said = ("--from", first) if first else ("--date", day)
        raise Refused([Fault(where, "day", said, f"a day that has come: today is {today}")])
    return of


def _date(where: str, text: str) -> date:
    """A day, far enough from where calendars end. Raises Refused."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Refused([Fault(where, "day", text, "a day such as 2026-11-21")]) from None
    if not 2000 <= found.year < 9000:
        raise Refused([Fault(where, "day", text, "a day since 2000-01-01")])
    return found


def _refuse(refused: Refused) -> NoReturn:
    for fault in refused.faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{len(refused.faults)} fault(s); no report was written", err=True)
    raise typer.Exit(2)
