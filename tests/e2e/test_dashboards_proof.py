"""Every question of every board is put to a real InfluxDB that a simulated week was fed to; and the prover bites."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboards.making.board import boards
from dashboards.making.files import FOLDER, read, read_rules
from dashboards.making.words import Language
from dashboards.proof.described import MARK, described
from dashboards.proof.prove import Proof, prove, prove_rules
from dashboards.proof.week import fed

WALL = "lianfang-wall"
PAGE = Path(__file__).parents[2] / "docs" / "dashboards.md"
Break = tuple[str, Callable[[dict[str, Any]], None], str]


def panel(board: dict[str, Any], title: str) -> dict[str, Any]:
    """One panel by its English title."""
    found: dict[str, Any] = next(one for one in board["panels"] if one["title"] == title)
    return found


def swapped(title: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    """Other words in a panel's query."""

    def put(board: dict[str, Any]) -> None:
        target = panel(board, title)["targets"][0]
        assert old in target["query"]
        target["query"] = target["query"].replace(old, new)

    return put


def now_for_ever(board: dict[str, Any]) -> None:
    """A number of now that looks back over all the board's time."""
    del panel(board, "Open P1")["timeFrom"]


def without_village(board: dict[str, Any]) -> None:
    """A variable that does not heed the one before it."""
    village = board["templating"]["list"][1]
    village["query"] = village["query"].partition(" WHERE ")[0]


BREAKS: list[Break] = [
    ("a field that is not there", swapped("Open P1", "open_p1", "opened_p1"), "wall/open-p1 A: no answer"),
    ("another field", swapped("Open P1", "open_p1", "open_p2"), "wall/open-p1: 1.0, and in truth it is 2"),
    ("a tag that is not there", swapped("Accept clocks by area", '"area" =~', '"district" =~'), "wall/clocks A"),
    (
        "no heed of the area",
        swapped("Sirens called", '"area" =~ /^${area:regex}$/ AND ', ""),
        "an area that is not there",
    ),
    ("no InfluxQL", swapped("Must look", "GROUP BY", "GROUPED BY"), "wall/must-look A: error parsing query"),
    ("a macro of nobody's", swapped("Must look", "$timeFilter", "$__timeFilter(time)"), "$__timeFilter"),
    ("a value that cannot be", swapped("Response level", 'last("level")', 'last("raised_24h_p4")'), "cannot be"),
    ("now for ever", now_for_ever, "wall/open-p1 A: says something of now though the hub is silent"),
    ("an unchained variable", without_village, "wall/$village: in nanyang"),
]


async def test_every_query_of_every_board_is_answered_and_a_broken_one_is_not(tmp_path: Path) -> None:
    """As committed nothing fails; each break of a copy is found, by its own name; one feed serves both."""
    committed = read(FOLDER, Language.EN)
    async with fed(tmp_path) as (database, scene):
        proof = prove(database, committed, scene)
        assert [] == proof.failures
        assert (8, len([one for board in boards() for one in board.panels])) == (proof.boards, proof.panels)
        assert proof.queries == database.asked > 3 * proof.panels
        page = PAGE.read_text(encoding="utf-8").partition(MARK)[2]
        assert page == described(proof), "run lianfang dashboards prove --doc docs/dashboards.md"
        wall = [board for board in boards() if board.uid == WALL]
        for name, put, said in BREAKS:
            broken = copy.deepcopy(committed[WALL])
            put(broken)
            found = prove(database, {WALL: broken}, scene, wall).failures
            assert any(said in failure for failure in found), f"{name}: {found}"
        rules = read_rules(FOLDER, Language.EN)
        proof = Proof()
        prove_rules(database, rules, scene, proof)
        assert ([], 4, 16) == (proof.failures, proof.rules, proof.queries)
        for rule in rules:
            rule["data"][2]["model"]["conditions"][0]["evaluator"]["params"] = [1e12]
        prove_rules(database, rules, scene, proof)
        assert "lianfang-proof-too-old: does not fire when the week ends" in proof.failures
