"""`lianfang simulate world`: run seeds, say what came of them, and tell the shortest story of a failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
import typer

from simulators.world.breaks import BREAKS, broken
from simulators.world.shrink import shortest
from simulators.world.story import draw
from simulators.world.world import Outcome, simulate

SHRINK_S = 60.0


def world(
    seed: Annotated[int, typer.Option(help="The first seed.", min=0)] = 0,
    hours: Annotated[float, typer.Option(help="Simulated hours of each seed.", min=0.05, max=240.0)] = 1.0,
    seeds: Annotated[int, typer.Option(help="How many seeds, one after the other.", min=1)] = 1,
    break_: Annotated[str | None, typer.Option("--break", help="Put a deliberate break over the real code.")] = None,
    list_breaks: Annotated[bool, typer.Option("--list-breaks", help="Name the deliberate breaks.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object.")] = False,
) -> None:
    """Run the village of 3 gateways and 200 zones in a world that fails; exit status 1 when a promise was broken."""
    if list_breaks:
        width = max(map(len, BREAKS))
        listed = {name: known.text for name, known in BREAKS.items()}
        if as_json:
            _say(listed)
        else:
            typer.echo("\n".join(f"{name:{width}}  {text}" for name, text in listed.items()))
        return
    if break_ is not None:
        _prove(break_, range(seed, seed + seeds), hours, as_json)
        return
    ran = []
    for one in range(seed, seed + seeds):
        ran.append(simulate(draw(one, hours)))
        if ran[-1].violations:
            break
        if not as_json and seeds > 1:
            typer.echo(f"seed {one:6}  {ran[-1].story.profile:7}  well, {ran[-1].speed:,.0f} times real time", err=True)
    _verdict(ran, as_json)


def _verdict(ran: list[Outcome], as_json: bool) -> None:
    failed = ran[-1] if ran[-1].violations else None
    cut = shortest(failed, SHRINK_S) if failed is not None else None
    said = _summed(ran)
    if failed is not None and cut is not None:
        first = failed.violations[0]
        said |= {
            "failed": {"seed": failed.story.seed, **first._asdict()},
            "story": [str(act) for act in cut.story.acts],
            "story_fails": str(cut.violations[0]),
        }
    if as_json:
        _say(said)
    else:
        for name, value in said.items():
            for line in value if isinstance(value, list) else [value]:
                typer.echo(f"{name:15} {line}")
    raise typer.Exit(1 if failed is not None else 0)


def _summed(ran: Iterable[Outcome]) -> dict[str, Any]:
    outcomes = list(ran)
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name, value in asdict(outcome.counts).items():
            counts[name] = counts.get(name, 0) + value
    virtual_s, wall_s = sum(o.virtual_s for o in outcomes), sum(o.wall_s for o in outcomes)
    return {
        "verdict": "broken" if outcomes[-1].violations else "well",
        "seeds": len(outcomes),
        "first_seed": outcomes[0].story.seed,
        "digest": outcomes[-1].digest,
        **counts,
        "steps": sum(o.steps for o in outcomes),
        "alarm_waited_ms": max(o.waited_ms for o in outcomes),
        "virtual_s": round(virtual_s, 3),
        "wall_s": round(wall_s, 3),
        "speed": round(virtual_s / wall_s, 1),
    }


def _prove(name: str, seeds: range, hours: float, as_json: bool) -> None:
    """Exit status 0 only when the checkers caught the break."""
    if name not in BREAKS:
        typer.echo(f"--break: found {name}; allowed: {', '.join(BREAKS)}", err=True)
        raise typer.Exit(2)
    with broken(name):
        for seed in seeds:
            outcome = simulate(draw(seed, hours))
            if outcome.violations:
                first = outcome.violations[0]
                said = {"break": name, "caught": True, "seed": seed, **first._asdict()}
                _say(said) if as_json else typer.echo(f"{name}: caught at seed {seed} by {first}")
                return
    said = {"break": name, "caught": False, "seeds": len(seeds)}
    _say(said) if as_json else typer.echo(f"{name}: not caught in {len(seeds)} seeds", err=True)
    raise typer.Exit(1)


def _say(said: dict[str, Any]) -> None:
    typer.echo(msgspec.json.encode(said).decode())
