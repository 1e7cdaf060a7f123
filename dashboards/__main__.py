"""`lianfang dashboards`: build them, push them to a Grafana, see what drifted there, and prove them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboards.grafana.command import diff, pull, push
from dashboards.making.files import FOLDER, built, read, read_rules, write
from dashboards.making.words import Language

if TYPE_CHECKING:
    from dashboards.proof.prove import Proof

app = typer.Typer(no_args_is_help=True, help="Grafana's dashboards and alert rules, as code.")
Out = Annotated[Path, typer.Option("--out", help="The folder that is built into.", file_okay=False)]
Languages = Annotated[list[Language] | None, typer.Option("--language", help="en or zh; without it, both.")]
app.command()(push)
app.command()(diff)
app.command()(pull)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def build(out: Out = FOLDER, language: Languages = None) -> None:
    """Build the JSON of every dashboard, in both languages or in one; what did not change is left alone."""
    for one in language or list(Language):
        changed = write(out, built(one))
        typer.echo(f"{one}: {len(changed)} changed in {out}")
        for path in changed:
            typer.echo(f"  {path.relative_to(out)}")


@app.command()
def prove(
    out: Out = FOLDER,
    as_json: AsJson = False,
    doc: Annotated[
        Path | None, typer.Option("--doc", help="A page to put the answers into.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Feed a simulated week to an InfluxDB of its own and ask it every query of every panel, variable and alert rule;
    status 1 when an answer is missing or cannot be true."""
    from dashboards.proof.described import MARK, described
    from dashboards.proof.week import proven  # here: it takes the simulators and the hub, which pushing does not

    proof = asyncio.run(proven(read(out, Language.EN), read_rules(out, Language.EN)))
    typer.echo(json.dumps(_said(proof), ensure_ascii=False) if as_json else _words(proof))
    if doc is not None and not proof.failures:
        doc.write_text(doc.read_text(encoding="utf-8").partition(MARK)[0] + MARK + described(proof), encoding="utf-8")
    raise typer.Exit(1 if proof.failures else 0)


def _said(proof: Proof) -> dict[str, object]:
    names = ("boards", "panels", "variables", "rules", "queries", "failures")
    return {name: getattr(proof, name) for name in names}


def _words(proof: Proof) -> str:
    lines = [f"not proven: {failure}" for failure in proof.failures]
    counted = (
        f"{proof.boards} dashboards, {proof.panels} panels, {proof.variables} variables, {proof.rules} alert rules"
    )
    return "\n".join([*lines, f"{counted}: {proof.queries} queries answered, {len(proof.failures)} failures"])


if __name__ == "__main__":
    app()
