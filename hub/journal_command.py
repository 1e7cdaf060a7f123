"""`lianfang journal`: walk its chains, print their ends, and fold it anew to compare."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer

from hub import anchors, checkpoint
from hub.chain import Broken, Head, walk
from hub.core.desk import RULES_VERSION, Desk
from hub.defaults import load_defaults
from hub.past import JournalError, Past
from hub.registry import load as load_registry
from hub.registry.history import FOLDER, History
from hub.replay import Replay, by_id
from hub.settings import Settings
from hub.settings_file import load
from protocol.faults import Refused
from protocol.logs import quiet

app = typer.Typer(no_args_is_help=True, help="The journal: what happened, hash-chained.")
ConfigPath = Annotated[Path, typer.Argument(help="The hub's file, TOML.", metavar="CONFIG")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Set one value: api.port=8081. Repeatable.")]
Anchor = Annotated[
    Path | None, typer.Option("--anchor", help="Lines that `head` printed, of any number of days: they must all hold.")
]
Api = Annotated[str | None, typer.Option("--api", help="Compare with this running hub, http://127.0.0.1:8080.")]
TOKEN = "LIANFANG_TOKEN"
SHOWN_MAX = 50
TRIES = 5
TIMEOUT_S = 30


@app.command()
def verify(config: ConfigPath, anchor: Anchor = None, set_: Overrides = None) -> None:
    """Walk the chain of every area; exits 1 and names the first broken entry, or prints the end of each chain.

    The ends, written down elsewhere, also show later that nothing was cut off or written anew: --anchor.
    """
    settings = _loaded(config, set_)
    kept: list[Head] = []
    try:
        if anchor is not None:
            kept = anchors.read(anchor)
    except Refused as refused:
        _refuse(anchor or config, refused)
    anchored = anchors.Anchored(kept)
    found = _walked(config, settings, anchored)
    if isinstance(found, Broken):
        typer.echo(f"broken: {found}")
    else:
        for head in found:
            typer.echo(f"{head.area}: {head.area_n} entries, ends with {head.hash.hex()}")
        for line in anchored.missing():
            typer.echo(f"not as it was written down: {line}")
    if isinstance(found, Broken) or anchored.missing():
        raise typer.Exit(1)
    typer.echo(f"whole: {sum(head.area_n for head in found)} entries")
    if anchor is not None:
        typer.echo(f"{len(kept)} lines of {anchor.name} hold")


@app.command()
def head(config: ConfigPath, set_: Overrides = None) -> None:
    """Print one line for each area, to be kept elsewhere: area, number and hash of its last entry.

    The chains are walked first; a broken one is not worth keeping, and ends this with 1.
    """
    settings = _loaded(config, set_)
    found = _walked(config, settings, anchors.Anchored([]))
    if isinstance(found, Broken):
        typer.echo(f"broken: {found}", err=True)
        raise typer.Exit(1)
    for one in found:
        typer.echo(anchors.text(one))


@app.command()
def replay(config: ConfigPath, api: Api = None, set_: Overrides = None) -> None:
    """Fold the whole journal anew and compare with the hub's checkpoint, and with a running hub (--api).

    Exits 1 when anything differs, and says what. The API is read with the token in LIANFANG_TOKEN; what its person may
    not see is not compared.
    """
    settings = _loaded(config, set_)
    try:
        defaults = load_defaults(settings.hub.defaults)
        desk = Desk(load_registry(settings.hub.registry).registry, defaults)
    except Refused as refused:
        _refuse(config, refused)
    made = _checkpoint(settings)
    ran = Replay(desk, formerly=History(settings.hub.data_dir / FOLDER).formerly(defaults))
    try:
        with contextlib.closing(Past(settings.journal_url)) as past, quiet():
            ran.go_on(past, made)
            live = [] if api is None else _with_hub(ran, past, api)
    except JournalError as cause:
        typer.echo(f"{config}: the journal cannot be read: {cause}", err=True)
        raise typer.Exit(2) from None
    except (OSError, ValueError, KeyError) as cause:
        typer.echo(f"{api}: the hub cannot be asked: {cause}", err=True)
        raise typer.Exit(2) from None
    _report(ran, desk, made is not None, api, live)


def _checkpoint(settings: Settings) -> checkpoint.Checkpoint | None:
    try:
        return checkpoint.read(settings.hub.data_dir / checkpoint.NAME)
    except (OSError, ValueError) as cause:
        typer.echo(f"the checkpoint cannot be read, and is left aside: {cause}", err=True)
        return None


def _report(ran: Replay, desk: Desk, had_checkpoint: bool, api: str | None, live: list[str]) -> None:
    found, differences = ran.found, [*ran.differences, *live]
    if found.broken is not None:
        differences.insert(0, f"the chain is broken: {found.broken}")
    typer.echo(f"{found.entries} entries folded under rules {RULES_VERSION}: {len(desk.incidents())} incidents")
    for (rules, digest), count in sorted(ran.made_under.items()):
        if (rules, digest) != (RULES_VERSION, desk.config_digest):
            other = "other limits or registry" if rules == RULES_VERSION else f"rules {rules}"
            typer.echo(f"made under {other} ({digest[:12]}): {count} entries, judged here as today")
    typer.echo(f"compared with: {', '.join(_compared(had_checkpoint, api)) or 'nothing but itself'}")
    for line in differences[:SHOWN_MAX]:
        typer.echo(f"differs: {line}")
    if len(differences) > SHOWN_MAX:
        typer.echo(f"and {len(differences) - SHOWN_MAX} more")
    if differences:
        raise typer.Exit(1)
    typer.echo("no difference")


def _compared(had_checkpoint: bool, api: str | None) -> list[str]:
    return [*(["the checkpoint"] if had_checkpoint else []), *([f"the hub at {api}"] if api is not None else [])]


def _with_hub(ran: Replay, past: Past, api: str) -> list[str]:
    """What differs from a hub that goes on working: what only came in between is no difference."""
    lines: list[str] = []
    for _ in range(TRIES):
        shown = by_id(list(_incidents(api)))
        areas = frozenset(area for area, _ in shown) | frozenset(_areas(api))
        ran.go_on(past)
        if not (lines := ran.against(shown, areas)):
            break
    return lines


def _incidents(api: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = _asked(f"{api.rstrip('/')}/api/v1/incidents?limit=500{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={quote(page['next'])}"


def _areas(api: str) -> set[str]:
    """The areas that whoever asks may see, as far as they have a gateway."""
    return {one["area"] for one in _asked(f"{api.rstrip('/')}/api/v1/gateways?limit=1000")["items"]}


def _asked(url: str) -> Any:
    """Raises OSError, ValueError."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("an address that begins with http:// or https://")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {os.environ.get(TOKEN, '')}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as cause:
        with cause:
            detail = cause.read(500).decode(errors="replace")
        raise ValueError(f"{cause.code}: {detail} (the token is taken from {TOKEN})") from None


def _walked(config: Path, settings: Settings, anchored: anchors.Anchored) -> Broken | list[Head]:
    try:
        with contextlib.closing(Past(settings.journal_url)) as past:
            found = list(walk(anchored.passing(past.entries())))
    except JournalError as cause:
        typer.echo(f"{config}: the journal cannot be read: {cause}", err=True)
        raise typer.Exit(2) from None
    broken = [one for one in found if isinstance(one, Broken)]
    return broken[0] if broken else [one for one in found if isinstance(one, Head)]


def _loaded(config: Path, overrides: list[str] | None) -> Settings:
    try:
        return load(config, overrides or [], reads=True)
    except Refused as refused:
        _refuse(config, refused)


def _refuse(path: Path, refused: Refused) -> NoReturn:
    for fault in refused.faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{path}: {len(refused.faults)} fault(s)", err=True)
    raise typer.Exit(2)
