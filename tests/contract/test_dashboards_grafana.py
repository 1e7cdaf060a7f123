"""Pushing to a Grafana, pulling from it and seeing what drifted, over HTTP through the real client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.__main__ import app
from dashboards.rules import RULES
from tests.support.grafana import TOKEN, FakeGrafana, fake_grafana


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with fake_grafana() as fake:
        yield fake


def run(grafana: FakeGrafana, folder: Path, *words: str, token: str = TOKEN) -> Result:
    """One command against it."""
    (folder / "token").write_text(token + "\n")
    return CliRunner().invoke(app, [words[0], "--url", grafana.url, "--token-file", str(folder / "token"), *words[1:]])


def test_what_was_pushed_is_there_once_and_has_not_drifted(grafana: FakeGrafana, tmp_path: Path) -> None:
    """Into its folder; pushed again nothing is written, so that Grafana keeps no versions that are the same."""
    first = run(grafana, tmp_path, "push")
    assert (0, 8) == (first.exit_code, len(grafana.dashboards)), first.output
    assert {"uid": "lianfang", "title": "联防"} == grafana.folders["lianfang"]
    again = run(grafana, tmp_path, "push")
    assert 8 == again.output.count("is there already")
    assert {1} == {one["version"] for one in grafana.dashboards.values()}
    assert 0 == run(grafana, tmp_path, "diff").exit_code
    other = run(grafana, tmp_path, "diff", "--language", "en")
    assert (1, True) == (other.exit_code, "lianfang-wall: title: '值班大屏', ours is 'Operations wall'" in other.output)


def test_drift_is_named_by_panel_and_put_right(grafana: FakeGrafana, tmp_path: Path) -> None:
    """A limit that somebody moved there, and a board that somebody deleted."""
    run(grafana, tmp_path, "push", "--language", "en")
    wall = grafana.dashboards["lianfang-wall"]
    panel = next(one for one in wall["panels"] if one["title"] == "Open P1")
    panel["fieldConfig"]["defaults"]["thresholds"]["steps"][2]["value"] = 100
    del grafana.dashboards["lianfang-hub"]
    found = run(grafana, tmp_path, "diff", "--language", "en")
    assert 1 == found.exit_code
    assert "panels[Open P1].fieldConfig.defaults.thresholds.steps[2].value: 100, ours is 1" in found.output
    assert "lianfang-hub: not there" in found.output
    assert 0 == run(grafana, tmp_path, "pull", "--language", "en", "--out", str(tmp_path / "theirs")).exit_code
    pulled = json.loads((tmp_path / "theirs" / "lianfang-wall.json").read_text(encoding="utf-8"))
    assert wall == pulled
    put = run(grafana, tmp_path, "push", "--language", "en")
    assert "lianfang-wall: version 2, 1 differences put right" in put.output
    assert 0 == run(grafana, tmp_path, "diff", "--language", "en").exit_code


def test_alert_rules_go_with_their_way_to_the_hub(grafana: FakeGrafana, tmp_path: Path) -> None:
    """The contact point first, since Grafana refuses rules that name one that is not there."""
    (tmp_path / "hub").write_text("hub-token")
    words = ("push", "--hub-url", "https://hub.example.org/", "--hub-token-file", str(tmp_path / "hub"))
    assert 0 == run(grafana, tmp_path, *words).exit_code
    assert {rule.uid for rule in RULES} == grafana.rules.keys()
    settings = grafana.contacts["lianfang-hub"]["settings"]
    assert ("https://hub.example.org/api/v1/alerts", "hub-token") == (
        settings["url"],
        settings["authorization_credentials"],
    )
    assert 0 == run(grafana, tmp_path, *words).exit_code
    assert 0 == run(grafana, tmp_path, "diff").exit_code
    grafana.rules["lianfang-hub-silent"]["for"] = "9h"
    assert "lianfang-hub-silent: for: '9h', ours is '1m'" in run(grafana, tmp_path, "diff").output


@pytest.mark.parametrize(
    ("words", "token", "why"),
    [
        (("push",), "wrong", "Unauthorized"),
        (("diff",), "two\nlines", "not one line with a token"),
        (("push", "--hub-url", "https://h"), TOKEN, "both, or neither"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    grafana: FakeGrafana, tmp_path: Path, words: tuple[str, ...], token: str, why: str
) -> None:
    """With status 2, and without the token's text."""
    said = run(grafana, tmp_path, *words, token=token)
    assert (2, True) == (said.exit_code, why in said.output), said.output
    assert token not in said.output
    assert not grafana.dashboards


def test_a_grafana_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Its address, and why; and a source that is missing is warned of."""
    with fake_grafana() as gone:
        gone.sources.clear()
        assert "no data source lianfang-influxdb" in run(gone, tmp_path, "push").output
    said = run(gone, tmp_path, "diff")
    assert (2, True) == (said.exit_code, gone.url in said.output)
