"""The checkers are proved: each deliberate break is caught within 200 seeds, and is gone afterwards."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from edge.core.ringing import Ringing
from simulators.__main__ import app
from simulators.world.breaks import BREAKS, broken
from simulators.world.shrink import shortest
from simulators.world.story import draw
from simulators.world.world import simulate

SHOWN_LATE = {
    "clock-of-another-boot": 15,
    "expiry-ignored": 57,
    "late-data-clears": 17,
    "rung-forgotten": 34,
    "stand-down-deaf": 54,
}
"""Where the search begins for breaks that early seeds do not show; `lianfang simulate world --break` begins at 0."""


@pytest.mark.parametrize("name", BREAKS)
def test_the_break_is_caught(name: str) -> None:
    """Some seed of the first 200 shows it; the first that does ends the search."""
    first = SHOWN_LATE.get(name, 0)
    done = CliRunner().invoke(app, ["world", "--break", name, "--seed", str(first), "--seeds", str(200 - first)])
    assert (0, True) == (done.exit_code, f"{name}: caught at seed " in done.output), done.output


def test_a_break_ends_where_it_is_said_to_end() -> None:
    """The real code is back in its place."""
    before = Ringing.has_rung
    with broken("rung-forgotten"):
        assert Ringing.has_rung is not before
    assert Ringing.has_rung is before


def test_a_failure_is_cut_down_to_a_shorter_story_that_still_fails() -> None:
    """Of an hour's night few acts are left."""
    with broken("silence-is-normal"):
        failed = simulate(draw(4, 1.0))
        cut = shortest(failed, limit_s=60.0)
    assert cut.violations[0].check == failed.violations[0].check
    assert len(cut.story.acts) < len(failed.story.acts) // 4


def test_a_break_that_is_none_is_refused_with_the_names_of_all() -> None:
    """What is allowed is said."""
    done = CliRunner().invoke(app, ["world", "--break", "nothing"])
    assert done.exit_code == 2
    assert all(name in done.output for name in BREAKS)
