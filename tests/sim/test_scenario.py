"""Scenarios are declared in TOML, and every fault in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.faults import Refused
from simulators.scenario import load, names


@pytest.mark.parametrize("name", names())
def test_every_scenario_in_the_folder_reads(name: str) -> None:
    """The folder is the registry: what lies in it can be played."""
    assert name == load(name).name


@pytest.mark.parametrize(
    "name", ["panic", "intrusion", "group_intrusion", "fire", "tamper", "gateway_lost", "nvr_blind"]
)
def test_each_rule_of_the_spine_has_a_scenario_about_it(name: str) -> None:
    """A newcomer can ask for each by the rule's own name."""
    assert name == load(name).rule


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    """The refusal lists what there is."""
    with pytest.raises(Refused, match=r"scenario: name: found 'storm'; allowed: one of .*panic"):
        load("storm")


def test_every_fault_of_a_scenario_is_named(tmp_path: Path) -> None:
    """Two verbs, none, an unknown key and a negative time are four faults."""
    (tmp_path / "bad.toml").write_text(
        'title = "t"\nrule = "panic"\nloud = true\n'
        '[[step]]\nat_s = 1\ntrip = "h01-door"\nkill = "hub"\n'
        "[[step]]\nat_s = 1\n"
        '[[step]]\nat_s = -1\ntrip = "h01-door"\n'
    )
    with pytest.raises(Refused) as refused:
        load("bad", tmp_path)
    assert ["loud", "step[0]", "step[1]", "step[2].at_s"] == sorted(fault.key for fault in refused.value.faults)


def test_steps_play_in_order_of_time(tmp_path: Path) -> None:
    """A timeline may be written in any order."""
    (tmp_path / "two.toml").write_text(
        'title = "t"\nrule = "panic"\n[[step]]\nat_s = 5\ntrip = "h01-door"\n[[step]]\nat_s = 1\npress = "h03-panic"\n'
    )
    scenario = load("two", tmp_path)
    assert ([1, 5], 5) == ([step.at_s for step in scenario.step], scenario.lasts_s)
