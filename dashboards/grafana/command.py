"""`lianfang dashboards push`, `pull` and `diff`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana.drift import drift
from dashboards.grafana.server import Grafana, GrafanaFailed
from dashboards.making.files import FOLDER, read
from dashboards.making.influxql import SOURCE_UID
from dashboards.making.rule import FOLDER as TITLE
from dashboards.making.rule import RECEIVER, rule_of, webhook
from dashboards.making.words import Language
from dashboards.rules import RULES

TOKEN_MAX = 4_096
Url = Annotated[str, typer.Option("--url", help="Grafana's address, such as https://grafana.example.org.")]
TokenFile = Annotated[
    Path, typer.Option("--token-file", help="A file with a service account's token.", exists=True, dir_okay=False)
]
Built = Annotated[Path, typer.Option("--from", help="The folder that was built into.", file_okay=False)]
Lang = Annotated[Language, typer.Option("--language", help="en or zh.")]


def push(
    url: Url,
    token_file: TokenFile,
    language: Lang = Language.ZH,
    built: Built = FOLDER,
    hub_url: Annotated[str, typer.Option(help="The hub as Grafana reaches it: with it alert rules go too.")] = "",
    hub_token_file: Annotated[
        Path | None, typer.Option(help="A file with the hub's token for Grafana.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Put every dashboard (and with --hub-url the alert rules and their contact point) in place of what is there."""
    if bool(hub_url) is not (hub_token_file is not None):
        _ended("--hub-url and --hub-token-file: both, or neither")
    with _reached(url, token_file) as grafana:
        if not grafana.has_source():
            typer.echo(f"there is no data source {SOURCE_UID} yet: no panel will have an answer", err=True)
        grafana.folder(TITLE.of(language))
        for uid, ours in read(built, language).items():
            theirs = grafana.dashboard(uid)
            differs = None if theirs is None else len(drift(ours, theirs))
            if differs == 0:
                typer.echo(f"{uid}: is there already")
                continue
            version = grafana.put_dashboard(ours, "lianfang dashboards push")
            typer.echo(f"{uid}: version {version}, {'new' if differs is None else f'{differs} differences put right'}")
        if hub_token_file is not None:
            where = f"{hub_url.rstrip('/')}/api/v1/alerts"
            grafana.put_contact({"name": RECEIVER} | webhook(where, _secret(hub_token_file)))
            for rule in rules(language):
                grafana.put_rule(rule)
                typer.echo(f"{rule['uid']}: alert rule put")


def diff(url: Url, token_file: TokenFile, language: Lang = Language.ZH, built: Built = FOLDER) -> None:
    """Say where the dashboards and alert rules there differ from ours; status 1 when any does."""
    differs = False
    with _reached(url, token_file) as grafana:
        ours = {uid: (one, grafana.dashboard(uid)) for uid, one in read(built, language).items()}
        known = {one["uid"]: grafana.rule(one["uid"]) for one in rules(language)}
        alerts = {one["uid"]: (one, _asked(one, known[one["uid"]])) for one in rules(language) if known[one["uid"]]}
        for uid, (mine, theirs) in (ours | alerts).items():
            found = ["not there"] if theirs is None else drift(mine, theirs)
            differs |= bool(found)
            typer.echo("\n".join(f"{uid}: {why}" for why in found) or f"{uid}: as ours")
    raise typer.Exit(1 if differs else 0)


def pull(
    url: Url,
    token_file: TokenFile,
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.", file_okay=False)],
    language: Lang = Language.ZH,
    built: Built = FOLDER,
) -> None:
    """Write the dashboards as they are there, to be looked at and compared; nothing of ours is changed."""
    if out.resolve() == FOLDER.resolve():
        _ended("--out: another folder than that of what is built")
    out.mkdir(parents=True, exist_ok=True)
    with _reached(url, token_file) as grafana:
        for uid in read(built, language):
            theirs = grafana.dashboard(uid)
            if theirs is None:
                typer.echo(f"{uid}: not there", err=True)
                continue
            text = json.dumps(theirs, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            (out / f"{uid}.json").write_text(text, encoding="utf-8")
            typer.echo(f"{uid}: written to {out / f'{uid}.json'}")


def rules(language: Language) -> list[dict[str, Any]]:
    """The alert rules as Grafana's API takes them."""
    made = [json.loads(json.dumps(rule_of(rule, language), cls=JSONEncoder)) for rule in RULES]
    return [one | {"orgID": 1} for one in made]


def _asked(ours: dict[str, Any], theirs: dict[str, Any] | None) -> dict[str, Any] | None:
    """Of a rule there, what ours says something of: Grafana adds its own."""
    return None if theirs is None else {name: theirs[name] for name in ours if name in theirs}


@contextmanager
def _reached(url: str, token_file: Path) -> Iterator[Grafana]:
    if not url.startswith(("https://", "http://")):
        _ended(f"--url {url!r}: an address that begins with https:// (or http://)")
    try:
        with Grafana(url, _secret(token_file)) as grafana:
            yield grafana
    except GrafanaFailed as cause:
        _ended(str(cause))


def _secret(path: Path) -> str:
    text = path.read_bytes()[: TOKEN_MAX + 1].decode(errors="replace").strip()
    if not text or "\n" in text or len(text) > TOKEN_MAX or not text.isprintable():
        _ended(f"{path}: not one line with a token (what it holds is not shown)")
    return text


def _ended(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
