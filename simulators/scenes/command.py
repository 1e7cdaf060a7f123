"""`lianfang simulate scenarios`: play the folder in virtual time, print a table, and fail on any difference."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from protocol.faults import Refused
from simulators.scenario import load_all
from simulators.scenes.run import Verdict, judged

TITLE_MAX = 62


def scenarios(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all of them if not given.", metavar="NAME")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object.")] = False,
) -> None:
    """Play scenarios on the example village in virtual time; exit status 1 when one differs, 2 for a faulty file."""
    try:
        chosen = load_all(names or [])
        width = max(len(one.name) for one in chosen)
        if not as_json:
            typer.echo(f"{'scenario':{width}}  {'title':{TITLE_MAX}}  incidents  calls  verdict  virtual    wall")
        verdicts = []
        for verdict in judged(chosen):
            verdicts.append(verdict)
            if not as_json:
                _tell(verdict, width)
    except Refused as refused:
        for fault in refused.faults:
            typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    well = sum(verdict.well for verdict in verdicts)
    virtual_s, wall_s = sum(one.virtual_s for one in verdicts), sum(one.wall_s for one in verdicts)
    if as_json:
        summed = {"well": well, "scenarios": [one.told() for one in verdicts], "wall_s": round(wall_s, 3)}
        typer.echo(msgspec.json.encode(summed).decode())
    else:
        typer.echo(f"{well} of {len(verdicts)} well, {_time(virtual_s)} of village time in {wall_s:.1f} s")
    raise typer.Exit(0 if well == len(verdicts) else 1)


def _tell(one: Verdict, width: int) -> None:
    title = one.title if len(one.title) <= TITLE_MAX else f"{one.title[: TITLE_MAX - 1]}…"
    counts = f"{one.found} of {one.expected}"
    word = "well" if one.well else "DIFFERS"
    typer.echo(
        f"{one.name:{width}}  {title:{TITLE_MAX}}  {counts:>9}  {one.calls:5}  {word:7}  {_time(one.virtual_s):>7}"
        f"  {one.wall_s:5.2f}s"
    )
    for difference in one.differences:
        typer.echo(f"{'':{width}}    {difference}")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
