"""`lianfang registry`: check, compare, import, export; what it was before, and how many of a village are in it."""

from __future__ import annotations

import getpass
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hub.core.registry import Registry
from hub.registry import ContactBook, Loaded, load
from hub.registry.coverage import villages
from hub.registry.diff import Diff, between
from hub.registry.export import to_csv, to_workbook
from hub.registry.files import put, settle, writable
from hub.registry.guard import doubts
from hub.registry.history import FOLDER, History, State
from hub.settings import Settings
from hub.settings_file import of_text
from protocol import lock
from protocol.faults import Fault, Refused

SHOWN = 40

app = typer.Typer(no_args_is_help=True, help="The registry: who lives where, in which group, at which gateway.")

ConfigPath = Annotated[Path, typer.Argument(help="The hub's file, TOML.", metavar="CONFIG")]
Source = Annotated[
    Path, typer.Argument(help="A folder of CSV files, an .xlsx workbook or a TOML file.", metavar="REGISTRY")
]
Either = Annotated[
    Path, typer.Argument(help="A hub's file, or a folder of CSV files, an .xlsx workbook or a TOML registry.")
]
All = Annotated[bool, typer.Option("--all", help="Name every change, not the first only.")]


@app.command()
def check(registry: Source) -> None:
    """Say everything that is wrong with a registry (exit 2), what is worth a look, and what is in it."""
    loaded = _loaded(registry)
    _warn(loaded)
    typer.echo(f"{registry}: good; {_counts(loaded)}")


@app.command("diff")
def diff_command(old: Either, new: Either) -> None:
    """Say what changes from one registry to another, as an import would; exits 1 when anything does."""
    before, after = _loaded(_registry_of(old)), _loaded(_registry_of(new))
    after = _with_contacts(after, before)
    found = between(before.registry, after.registry, (before.contacts, after.contacts))
    _tell(found)
    raise typer.Exit(1 if found else 0)


@app.command("import")
def import_command(
    config: ConfigPath,
    registry: Source,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it though much would go, or an incident is open there.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who does it, for the history.")] = "",
) -> None:
    """Put another registry in place of the hub's, whole or not at all, and keep what it was.

    A household that changes its group or gateway stays the same household. Contacts stay where the other registry has
    no table of them and whom they are for is still there. A hub that runs on this machine is told, and puts it in force
    without a pause; another counts it from its next start.
    """
    settings = _settings(config)
    loaded = _loaded(registry)
    _warn(loaded)
    target = settings.hub.registry
    try:
        writable(target)
        settle(target)
        before = load(target) if target.exists() else Loaded(Registry(), ContactBook(), ())
        loaded = _with_contacts(loaded, before)
        found = between(before.registry, loaded.registry, (before.contacts, loaded.contacts))
        _tell(found)
        wrong = doubts(settings, before.registry, found) if found else []
    except Refused as refused:
        _refuse(refused)
    for doubt in wrong:
        typer.echo(f"stop: {doubt}", err=True)
    if dry_run or not found:
        typer.echo("nothing was changed" + ("" if found else ": it is the same registry"))
        raise typer.Exit(0)
    if wrong and not yes:
        typer.echo("nothing was changed; --yes does it all the same", err=True)
        raise typer.Exit(3)
    state = _put(settings, before, loaded, found, by=by or getpass.getuser(), source=registry.name)
    typer.echo(f"{target}: state {state.n}, digest {state.digest[:16]}; {_counts(loaded)}")
    typer.echo(_told_hub(settings))


@app.command("export")
def export_command(
    registry: Either,
    out: Annotated[Path, typer.Argument(help="A folder that is not there yet, or a file ending in .xlsx.")],
    state: Annotated[int, typer.Option("--state", help="An earlier state, by its number in the history.")] = 0,
    chinese: Annotated[bool, typer.Option("--chinese", help="A workbook's sheets and headings in Chinese.")] = False,
    contacts: Annotated[bool, typer.Option(help="With the people's names and telephone numbers.")] = False,
) -> None:
    """Write a registry as CSV files or as a workbook. People are left out unless asked for.

    Of an earlier state the people are those of now who are still for somebody in it: the history has none.
    """
    loaded = _loaded(_registry_of(registry))
    if state:
        past = _of_state(_settings(registry), state)
        loaded = Loaded(past.registry, _still(loaded.contacts, past.registry), ())
    people = loaded.contacts if contacts else ContactBook()
    try:
        if out.exists():
            raise Refused([Fault(str(out), "the place", "something is there", "a name that is not taken")])
        if out.suffix.lower() == ".xlsx":
            to_workbook(out, loaded.registry, people, in_chinese=chinese)
            out.chmod(0o600)
        else:
            out.mkdir(mode=0o700, parents=True)
            to_csv(out, loaded.registry, people)
    except Refused as refused:
        _refuse(refused)
    except OSError as cause:
        _refuse(Refused([Fault(str(out), "the place", str(cause), "a place that can be written to")]))
    typer.echo(f"{out}: {_counts(loaded)}, {len(people)} contacts")


@app.command("history")
def history_command(
    config: ConfigPath,
    state: Annotated[int, typer.Option("--state", help="Show the changes of one state.")] = 0,
) -> None:
    """List every state the hub's registry had: when, by whom, from which file, and how much it changed."""
    try:
        states = _history(_settings(config)).states()
    except Refused as refused:
        _refuse(refused)
    for one in states if not state else [one for one in states if one.n == state]:
        when = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        typer.echo(f"{one.n:>4}  {when}  {one.by}  {one.source}  {one.digest[:16]}  {_summary(one.changes)}")
        for line in one.first if state else ():
            typer.echo(f"      {line}")
    if not states:
        typer.echo("no state yet: the first import keeps what was there before it")


@app.command("coverage")
def coverage_command(
    registry: Either, area: Annotated[str, typer.Option("--area", help="One area; all unless said.")] = ""
) -> None:
    """Say of each village how many of its households are enrolled; a demonstration village has 80 % of them."""
    known = _loaded(_registry_of(registry)).registry
    if area and area not in known.areas:
        _refuse(Refused([Fault("--area", "area", area, f"one of {', '.join(list(known.areas)[:20])}")]))
    for place in [area] if area else known.areas:
        for one in villages(known, place):
            share = "unknown: households are not stated" if one.share is None else f"{one.share:.1%}"
            stated = "?" if one.households is None else one.households
            mark = "  demonstration village" if one.demonstration else ""
            typer.echo(f"{one.area}/{one.station}  {one.groups} groups  {one.enrolled} of {stated}  {share}{mark}")


def _told_hub(settings: Settings) -> str:
    """Tell the hub that runs on this data, if one does; in words."""
    running = lock.holder(settings.hub.data_dir)
    if running is None:
        return "no hub runs here: it counts from the hub's next start"
    try:
        os.kill(running, signal.SIGHUP)
    except OSError as cause:
        return f"the hub that runs here (process {running}) cannot be told ({cause.strerror}): send it SIGHUP yourself"
    return (
        f"the hub that runs here (process {running}) was told; its log and GET /api/v1/registry say when it is in force"
    )


def _put(settings: Settings, before: Loaded, loaded: Loaded, found: Diff, *, by: str, source: str) -> State:
    """Put the registry there and keep its state; the first import keeps what it found as well. One at a time."""
    history, now_ms = _history(settings), time.time_ns() // 1_000_000
    try:
        history.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = lock.take(history.folder)
        if held is None:
            raise Refused([Fault(str(history.folder), "the history", "another import is at it", "one at a time")])
        try:
            states = history.states()
            if (not states or states[-1].digest != before.registry.digest) and before.registry.areas:
                was = between(Registry(), before.registry) if not states else _since(history, states[-1], before)
                history.keep(
                    before.registry, was, by="", source=f"as found: {settings.hub.registry.name}", at_ms=now_ms
                )
            state = history.keep(loaded.registry, found, by=by, source=source, at_ms=now_ms)
            put(settings.hub.registry, loaded.registry, loaded.contacts)
        finally:
            held.release()
    except OSError as cause:
        _refuse(Refused([Fault("hub", "hub.registry", str(cause), "places that can be written to")]))
    except Refused as refused:
        _refuse(refused)
    return state


def _since(history: History, last: State, now: Loaded) -> Diff:
    """What somebody changed by hand since the last import."""
    return between(history.registry(last.n).registry, now.registry)


def _with_contacts(loaded: Loaded, before: Loaded) -> Loaded:
    """The people of before stay where none are given."""
    if loaded.has_contacts:
        return loaded
    return Loaded(loaded.registry, _still(before.contacts, loaded.registry), loaded.warnings)


def _still(contacts: ContactBook, registry: Registry) -> ContactBook:
    """Those who are for somebody that is there: premises, a station, or the centres of their area."""
    there = (registry.premises, registry.stations)
    centres = {(area.id, centre) for area in registry.areas.values() for centre in (area.town, area.county)}
    kept = (one for one in contacts if (one.area, one.of) in centres or any((one.area, one.of) in t for t in there))
    return ContactBook(kept)


def _registry_of(path: Path) -> Path:
    """The registry's place: the path itself, or what a hub's file names."""
    if path.is_file() and path.suffix.lower() == ".toml" and "[hub]" in path.read_text("utf-8", "replace"):
        return _settings(path).hub.registry
    return path


def _history(settings: Settings) -> History:
    return History(settings.hub.data_dir / FOLDER)


def _of_state(settings: Settings, n: int) -> Loaded:
    try:
        return _history(settings).registry(n)
    except Refused as refused:
        _refuse(refused)


def _settings(path: Path) -> Settings:
    """The hub's file; the registry it names need not be there yet."""
    try:
        return of_text(path.read_bytes(), path.parent, path.name)
    except OSError as cause:
        _refuse(Refused([Fault(path.name, "file", str(path), f"a readable file ({cause.strerror})")]))
    except Refused as refused:
        _refuse(refused)


def _loaded(path: Path) -> Loaded:
    try:
        return load(path)
    except Refused as refused:
        _refuse(refused)


def _warn(loaded: Loaded) -> None:
    for warning in loaded.warnings[:SHOWN]:
        typer.echo(f"worth a look: {warning}", err=True)
    if len(loaded.warnings) > SHOWN:
        typer.echo(f"worth a look: {len(loaded.warnings) - SHOWN} more", err=True)


def _tell(diff: Diff) -> None:
    for line in diff.first[:SHOWN]:
        typer.echo(line)
    rest = sum(count for (table, _), count in diff.counts.items() if table != "contact") - len(diff.first[:SHOWN])
    if rest > 0:
        typer.echo(f"... and {rest} more")
    typer.echo(f"changes: {_summary(diff.summary())}")


def _summary(changes: dict[str, dict[str, int]]) -> str:
    words = [f"{table} {count} {what}" for table, kinds in changes.items() for what, count in kinds.items()]
    return ", ".join(words) or "none"


def _counts(loaded: Loaded) -> str:
    known = loaded.registry
    kinds = Counter(premises.kind.value for premises in known.premises.values())
    premises = ", ".join(f"{count} {kind}s" for kind, count in sorted(kinds.items())) or "no premises"
    return (
        f"{len(known.areas)} areas, {len(known.groups)} groups, {premises}, "
        f"{len(known.gateways)} gateways, {len(known.zones)} zones"
    )


def _refuse(refused: Refused) -> NoReturn:
    for fault in refused.faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{len(refused.faults)} fault(s); nothing was changed", err=True)
    raise typer.Exit(2)
