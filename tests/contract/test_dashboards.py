"""Dashboards as code: what is committed is what is built, survives the SDK, and never shows the unknown as normal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.making.board import Board, boards
from dashboards.making.draw import all_of
from dashboards.making.files import FOLDER, as_json, built, write
from dashboards.making.influxql import InfluxQuery, register
from dashboards.making.panel import Colour, Look
from dashboards.making.select import QueryError, columns_of, graph, now, over, rows, values
from dashboards.making.words import Language

UIDS = ["alarms", "fleet", "hub", "response", "video", "village", "wall", "wiring"]
BOTH = pytest.mark.parametrize("language", list(Language))
EACH = pytest.mark.parametrize("board", boards(), ids=lambda board: board.uid)


def test_there_are_eight_boards_whose_addresses_never_change() -> None:
    """Links and favourites point at uids."""
    assert [f"lianfang-{uid}" for uid in UIDS] == [board.uid for board in boards()]


@BOTH
def test_what_is_committed_is_what_is_built(language: Language, tmp_path: Path) -> None:
    """Building anew changes no byte, and a board that is gone takes its file along."""
    files = built(language)
    for name, text in files.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), f"{name}: run lianfang dashboards build"
    names = {Path(name).name for name in files if name.startswith("json/")}
    assert names == {path.name for path in (FOLDER / "json" / language).iterdir()}
    assert len(files) == len(write(tmp_path, files))
    (tmp_path / "json" / language / "lianfang-old.json").write_text("{}")
    assert ["lianfang-old.json"] == [path.name for path in write(tmp_path, files)]


@BOTH
def test_every_board_survives_the_sdk(language: Language) -> None:
    """from_json and to_json leave each as it is, and its queries are of our class, not a bag of something."""
    register()
    for uid, made in all_of(language).items():
        text = as_json(made)
        again = Dashboard.from_json(json.loads(text))
        assert text == as_json(again), uid
        queries = [target for panel in again.panels or [] for target in getattr(panel, "targets", None) or []]
        assert queries
        assert {InfluxQuery} == {type(query) for query in queries}


@EACH
def test_the_two_languages_differ_in_words_alone(board: Board) -> None:
    """Queries, limits and places of panels are the same."""
    english, chinese = (json.loads(as_json(all_of(language)[board.uid])) for language in Language)
    for ours, theirs in zip(english["panels"], chinese["panels"], strict=True):
        assert ours["gridPos"] == theirs["gridPos"]
        assert [target["query"] for target in ours.get("targets", [])] == [
            target["query"] for target in theirs.get("targets", [])
        ]
        assert ours["title"] and theirs["title"]
    assert not re.search(r"[\u4e00-\u9fff]", json.dumps(english, ensure_ascii=False))


@EACH
def test_every_panel_asks_one_question_in_both_languages(board: Board) -> None:
    """Its description is a question, its key and title are its own."""
    assert len(board.panels) == len({panel.key for panel in board.panels})
    assert len(board.panels) == len({panel.title for panel in board.panels})
    for panel in board.panels:
        assert "?" in panel.about.en and "？" in panel.about.zh, panel.key


@EACH
def test_no_panel_without_data_looks_well(board: Board) -> None:
    """Below every limit and without a value it is grey, and a word stands there; green begins at a value."""
    made = json.loads(as_json(all_of(Language.EN)[board.uid]))
    for panel in (one for one in made["panels"] if one["type"] != "row"):
        defaults = panel["fieldConfig"]["defaults"]
        first, *others = defaults["thresholds"]["steps"]
        assert (None, Colour.UNKNOWN) == (first["value"], first["color"]), panel["title"]
        assert all(step["value"] is not None for step in others)
        assert defaults["noValue"]
        special = [one for one in defaults["mappings"] if one["type"] == "special"]
        assert [("null+nan", Colour.UNKNOWN)] == [
            (one["options"]["match"], one["options"]["result"]["color"]) for one in special
        ], panel["title"]


@EACH
def test_what_stands_for_now_asks_for_the_last_minutes_alone(board: Board) -> None:
    """A number without a time of its own would show the last word of a hub that is long silent."""
    for panel in board.panels:
        assert panel.lately or panel.look is not Look.NUMBER, panel.key


def test_nobody_is_named_on_a_board() -> None:
    """No query reads who accepted, who pressed, or a household: no such column is there to be read."""
    for board in boards():
        for panel in board.panels:
            for ask in panel.asks:
                names = {column.name for column in columns_of(ask.query)}
                assert not names & {"premises", "by", "person", "name", "phone", "instance"}, panel.key


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: now("desks", "last(open_p1)"), "measurement desks: not in the schema"),
        (lambda: now("desk", "last(open_p9)"), "desk: no field open_p9"),
        (lambda: graph("desk", "last(open_p1)", by=("gateway",)), "desk: no tag gateway"),
        (lambda: now("gateway", "mean(software)"), r"mean\(software\): that field is a text"),
        (lambda: now("desk", "median(open_p1)"), "function median"),
        (lambda: rows("incident", "state", where=("opened = 1",)), "no tag or field opened"),
        (lambda: rows("incident", "state", where=("rule = 1",)), "is compared with 'text'"),
        (lambda: rows("incident", "state", where=("open = '1'",)), "a number with a number"),
        (lambda: rows("incident", "state; DROP DATABASE x"), "column 'state; DROP DATABASE x'"),
        (lambda: values("group", "village"), "village: no tag group"),
    ],
)
def test_a_query_the_schema_does_not_bear_is_refused_when_it_is_made(make: object, why: str) -> None:
    """What is wrong is named, and what there is."""
    with pytest.raises(QueryError, match=why):
        make()  # type: ignore[operator]


def test_a_query_says_what_kinds_it_answers_with() -> None:
    """Texts and numbers are told apart by the schema, also through a query over another."""
    found = columns_of(now("gateway", "last(up) AS up", "last(software) AS software", by=("gateway",)))
    assert [("up", True), ("software", False)] == [tuple(one) for one in found]
    inner = over(now("gateway", "last(up) AS up", by=("gateway",)), "mean(up) AS share")
    assert [("share", True)] == [tuple(one) for one in columns_of(inner)]


def test_a_query_that_was_clicked_together_is_refused() -> None:
    """Only InfluxQL as text can be proven."""
    with pytest.raises(ValueError, match="not InfluxQL as text"):
        InfluxQuery.from_json({"refId": "A", "measurement": "desk"})
