"""`lianfang backup` and `lianfang restore`."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from hub.backup.manifest import Manifest
from hub.backup.restore import Restored, restore_into, restore_to
from hub.backup.secret_files import secret_files
from hub.backup.take import take
from hub.clock import utc
from hub.settings_file import load
from hub.store.table import FILES
from protocol.faults import Fault, Refused

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
NEXT = """\
next: lianfang hub check {config}, then start the hub. Gateways send again what they still hold; each record is taken
once. What was done by people after the backup is to be done again (accept, resolve). Ranges of records that nobody
holds any more are shown by GET /api/v1/gaps."""


def backup(
    config: Annotated[Path, typer.Option("--config", help="The hub's file, TOML.")],
    out: Annotated[Path, typer.Option("--out", help="The file to make; it holds secrets and has mode 0600.")],
    without_telemetry: Annotated[bool, typer.Option(help="Leave out the telemetry store.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Set one value, as for hub run. Repeatable.")] = None,
    with_channel_secrets: Annotated[
        bool, typer.Option("--with-channel-secrets", help="Put in the files of channels, in the clear.")
    ] = False,
    json_: Json = False,
) -> None:
    """Back up a hub, also while it runs: journal, telemetry, notices, registry with its history, site files,
    configuration, keys; one file, verified. Secrets of channels are left out unless asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was begun is taken away again
    try:
        settings = load(config, set_ or [])
        now_ms = time.time_ns() // 1_000_000
        wanted = {"with_telemetry": not without_telemetry, "with_secrets": with_channel_secrets}
        made = take(config, settings, out, now_ms=now_ms, **wanted)
        secrets = secret_files(settings)
    except Refused as refused:
        _refuse("no backup was made", refused, json_)
    if json_:
        typer.echo(json.dumps({"out": str(out), "bytes": out.stat().st_size, **msgspec.to_builtins(made)}))
        return
    typer.echo(f"{out}: {out.stat().st_size / 2**20:.1f} MiB, {_of(made)}")
    typer.echo("It holds the signing key and whatever was written about people: keep it like a key.")
    if secrets and with_channel_secrets:
        typer.echo(f"It holds the secrets of channels in the clear: {', '.join(secrets)}")
    elif secrets:
        typer.echo(f"Left out, keep them apart: {', '.join(map(str, secrets.values()))} (--with-channel-secrets)")
    if server := [str(path) for name in FILES if (path := getattr(settings.telemetry, name)) is not None]:
        typer.echo(f"Left out always, keep them apart: {', '.join(server)} (of the telemetry server)")


def restore(
    file: Annotated[Path, typer.Argument(help="A file made by lianfang backup.")],
    into: Annotated[Path | None, typer.Option("--into", help="Put all of it into this folder.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="Put hub.toml there, and everything where that names it.")
    ] = None,
    data_only: Annotated[
        bool, typer.Option(help="With --config: what is in the data folder, by the configuration that is there.")
    ] = False,
    replace: Annotated[bool, typer.Option(help="Keep aside, under another name, what is there.")] = False,
    json_: Json = False,
) -> None:
    """Put a backup back after checking all of it; the hub must not run. Nothing that is there is deleted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if into is not None and config is None and not data_only:
            done = restore_into(file, into, replace=replace)
        elif config is not None and into is None:
            done = restore_to(file, config, replace=replace, data_only=data_only)
        else:
            allowed = "--into FOLDER, or --config FILE with or without --data-only"
            raise Refused([Fault("restore", "--into, --config", "neither, or what does not go together", allowed)])
    except Refused as refused:
        _refuse("nothing was changed", refused, json_)
    if json_:
        typer.echo(json.dumps(_shown(done)))
        return
    for name, path in done.put.items():
        typer.echo(f"{name}  ->  {path}")
    for path in done.same:
        typer.echo(f"left, it is the same: {path}")
    for was, now in done.aside.items():
        typer.echo(f"kept aside: {was}  ->  {now}")
    typer.echo(f"restored {_of(done.manifest)}")
    typer.echo(NEXT.format(config=done.config))


def _of(manifest: Manifest) -> str:
    taken = f"hub {manifest.hub} as of {utc(manifest.at_ms)}, lianfang {manifest.software}"
    last = f", the last of {utc(manifest.last_ms)}" if manifest.entries else ""
    ends = "".join(f"\n  {end.area}: {end.entries} entries, ends with {end.hash}" for end in manifest.heads)
    return f"{taken}; {manifest.entries} journal entries{last}{ends}"


def _shown(done: Restored) -> dict[str, Any]:
    return {
        "config": str(done.config),
        "put": {name: str(path) for name, path in done.put.items()},
        "aside": {str(was): str(now) for was, now in done.aside.items()},
        "same": [str(path) for path in done.same],
        "manifest": msgspec.to_builtins(done.manifest),
    }


def _refuse(what: str, refused: Refused, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"faults": msgspec.to_builtins(refused.faults)}))
    for fault in () if as_json else refused.faults:
        typer.echo(str(fault), err=True)
    typer.echo(f"{len(refused.faults)} fault(s); {what}", err=True)
    raise typer.Exit(2)
