"""`lianfang simulate fuzz`."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from simulators.fuzz.run import fuzz
from simulators.telling import tell


def command(
    messages: Annotated[int, typer.Option(min=1, max=100_000_000, help="How many messages.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws every message; printed. A fresh one if none.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Stop the feed after so long.")] = float("inf"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder for the hub's files; a temporary one if not given.")] = None,
) -> None:
    """Feed the hub's real ingest random and garbled messages; exit status 1 when one did harm."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    typer.echo(f"seed {seed}: {messages} messages", err=True)
    if data is not None and any((data / "data").glob("*")):
        typer.echo(f"--data: found {data / 'data'} in use; allowed: a folder no hub ran in", err=True)
        raise typer.Exit(2)
    try:
        if data is not None:
            verdict = asyncio.run(fuzz(data, seed, messages, seconds))
        else:
            with tempfile.TemporaryDirectory(prefix="lf-") as folder:
                verdict = asyncio.run(fuzz(Path(folder), seed, messages, seconds))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    tell(verdict.figures(), "wrong", as_json)
    raise typer.Exit(1 if verdict.wrong else 0)
