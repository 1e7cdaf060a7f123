"""Every scenario of the folder, played in virtual time over the real cores, comes out as its file expects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocol.faults import Refused
from simulators import scenario
from simulators.__main__ import app
from simulators.scenario import load, load_all, names
from simulators.scenes.run import judge

HEAD = 'title = "t"\nrule = "panic"\nstep = [ { at_s = 1, press = "h03-panic" } ]\n'


@pytest.mark.parametrize("name", names())
def test_a_scenario_comes_out_as_it_expects(name: str) -> None:
    """Incidents, calls and who was not called, stand-downs, pages and sirens are those of its file, and no other."""
    assert () == judge(load(name)).differences


def judged(folder: Path, expect: str, head: str = HEAD) -> tuple[str, ...]:
    """The differences of a scenario that expects this."""
    (folder / "one.toml").write_text(head + expect)
    return judge(load("one", folder)).differences


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ('rule = "panic"\npriority = "P2"', "incident 1 (panic): priority: expected P2, found P1"),
        ('rule = "panic"\npresses = 2', "incident 1 (panic): presses: expected 2, found 1"),
        ('rule = "panic"\nlate_s = "unknown"', "incident 1 (panic): late_s: expected unknown, found 0.019"),
        ('rule = "panic"\nrung = "town"', "incident 1 (panic): rung: expected town, found station"),
        (
            'rule = "panic"\npages = { group = 1 }',
            "incident 1 (panic): pages: expected {'group': 1}, found {'station': 1, 'group': 1}",
        ),
        (
            'rule = "panic"\ncalled = ["h09", "h10"]',
            "incident 1 (panic): called: expected ['h09', 'h10'], found "
            "['h01', 'h02', 'h04', 'h05', 'h06', 'h07', 'h08', 'h09', 'h10']",
        ),
        (
            'rule = "panic"\nnot_called = "late"',
            "incident 1 (panic): not_called: expected ... late ..., found "
            "neighbours called: h03 pressed the panic button",
        ),
        ('rule = "panic"\nstood_down = ["h03"]', "incident 1 (panic): stood_down: expected ['h03'], found []"),
        (
            'rule = "panic"\n[[expect.incident]]\nrule = "fire"',
            "incident 2 (fire): it did not come",
        ),
    ],
)
def test_what_differs_is_told(expect: str, difference: str, tmp_path: Path) -> None:
    """Each key of an expectation can fail, and says what was found."""
    assert difference in judged(tmp_path, f"[[expect.incident]]\n{expect}\n")


def test_an_incident_that_nobody_expected_is_a_difference(tmp_path: Path) -> None:
    """Silence about an incident is no leave for it."""
    found = judged(tmp_path, "[expect]\n")
    assert ("not expected: P1 panic reported: h03 pressed the panic button",) == found


@pytest.mark.parametrize(
    ("expect", "count"),
    [
        ('silent = ["h09"]', 1),
        ('silent = ["h03"]', 0),
        ("rings = []", 9),
        ('rings = [ { who = ["east", "-h03"], from_s = 1 } ]', 0),
        ('rings = [ { who = ["east", "-h03"], from_s = 1, until_s = 301 } ]', 9),
        ('rings = [ { who = ["east"], from_s = 1 } ]', 1),
    ],
)
def test_sirens_are_held_against_what_they_did(expect: str, count: int, tmp_path: Path) -> None:
    """A siren that sounds, stays silent or goes on too long is a difference of its own."""
    found = judged(tmp_path, f"[expect]\nothers = true\n{expect}\n")
    assert count == len([line for line in found if line.startswith("siren of ")])


def test_a_move_that_is_refused_is_a_difference_unless_expected(tmp_path: Path) -> None:
    """What people may not do is told by its step."""
    head = HEAD.replace(" ]\n", ', { at_s = 5, move = { rule = "panic", move = "review" } } ]\n')
    (line,) = judged(tmp_path, "[expect]\nothers = true\n", head)
    assert line.startswith(
        "operator: review panic at 5 s: expected done, found refused: cannot review what is reported"
    )


def test_a_scenario_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    """It could never fail."""
    (tmp_path / "one.toml").write_text(HEAD)
    with pytest.raises(Refused, match=r"one.toml: expect: found nothing; allowed: what the scenario is to bring forth"):
        judge(load("one", tmp_path))


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    """Unknown zones, rules, rungs and premises of two files come in one refusal."""
    (tmp_path / "a.toml").write_text(HEAD.replace("h03-panic", "h99-panic") + '[[expect.incident]]\nrule = "storm"\n')
    (tmp_path / "b.toml").write_text(HEAD + '[[expect.incident]]\nrule = "panic"\nrung = "moon"\ncalled = ["h98"]\n')
    with pytest.raises(Refused) as refused:
        load_all([], tmp_path)
    found = [(fault.where, fault.key) for fault in refused.value.faults]
    assert [
        ("a.toml", "step[0].press"),
        ("a.toml", "expect.incident[0].rule"),
        ("b.toml", "expect.incident[0].called[0]"),
        ("b.toml", "expect.incident[0].rung"),
    ] == found


def test_the_command_prints_a_table_and_ends_with_zero() -> None:
    """Each scenario one line, then how many were well."""
    done = CliRunner().invoke(app, ["scenarios", "panic", "duress"])
    heads = [line.split()[0] for line in done.output.splitlines()]
    assert (0, ["scenario", "panic", "duress", "2"]) == (done.exit_code, heads)


def test_the_command_ends_with_one_on_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs it by a script learns it from the status, and why from the object."""
    (tmp_path / "one.toml").write_text(HEAD + "[expect]\n")
    monkeypatch.setattr(scenario.load_all, "__defaults__", (tmp_path,))
    monkeypatch.setattr(scenario.names, "__defaults__", (tmp_path,))
    done = CliRunner().invoke(app, ["scenarios", "--json"])
    (one,) = json.loads(done.output)["scenarios"]
    assert (1, "differs", 1) == (done.exit_code, one["verdict"], len(one["differences"]))


def test_the_command_refuses_a_name_nobody_knows() -> None:
    """With the names there are, and status 2."""
    done = CliRunner().invoke(app, ["scenarios", "storm_of_storms"])
    assert (2, True) == (done.exit_code, "allowed: one of " in done.output)
