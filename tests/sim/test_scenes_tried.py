"""Drills and proofs that a scenario expects otherwise are differences, each in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.test_scenes import judged

HEAD = """title = "t"
rule = "panic"
step = [ { at_s = 1, drill = { do = "plan", premises = ["h03"] } }, { at_s = 5, drill = { do = "end" } } ]
"""


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("drills = []", "drills: expected [], found ['ended']"),
        ('[[expect.drills]]\nstate = "aborted"', "drills: expected ['aborted'], found ['ended']"),
        ('[[expect.drills]]\nstate = "ended"\nanswered = ["h04"]', "drill 1: answered: expected ['h04'], found []"),
        ('[[expect.drills]]\nstate = "ended"\nreason = "real"', "drill 1: reason: expected ... real ..., found "),
        ('[[expect.drills]]\nstate = "ended"\ngoing_s = [0, 9]', "drill 1: going_s: expected 0 to 9, found None"),
        ("[expect.proofs.gw-east]\nproved = true", "proof of gw-east: proved: expected True, found False"),
        ('[expect.proofs.gw-east]\ntrouble = "late"', "proof of gw-east: trouble: expected ... late ..., found "),
    ],
)
def test_a_difference_is_told(expect: str, difference: str, tmp_path: Path) -> None:
    """What is as expected is not."""
    assert (difference,) == judged(tmp_path, f"[expect]\nothers = true\n{expect}", HEAD)


def test_a_drill_that_may_not_be_is_trouble(tmp_path: Path) -> None:
    """Whatever the scenario expects of it."""
    head = 'title = "t"\nrule = "panic"\nstep = [{ at_s = 1, drill = { do = "end" } }]\n'
    (told,) = judged(tmp_path, "[expect]\nothers = true\n", head)
    assert "end a drill at 1 s: expected done, found refused: no drill drill-0 in hengjie" == told
