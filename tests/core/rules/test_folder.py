"""The folder is the registry: every file in it is a rule by the same contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core import rules as folder
from hub.core.rules import HELPERS, named, parents_of, reader, rules, withdrawers_of
from hub.core.rules.base import (
    CONFLICT,
    GAP,
    LINK_DOWN,
    REVIEW,
    TWINS,
    UNPROVED,
    AnyRule,
    OutageRule,
    ParentRule,
    Rule,
    WithdrawRule,
)
from protocol.kinds import Kind

FILES = {path.stem for path in Path(folder.__file__).parent.glob("[a-z]*.py")} - HELPERS
WORDS = {*Kind, LINK_DOWN, CONFLICT, GAP, TWINS, REVIEW, UNPROVED}


def test_every_file_is_a_rule_of_its_name() -> None:
    """Adding a file adds a rule, and nothing else has to name it."""
    assert {rule.name for rule in rules()} == FILES


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_rule_is_found_by_what_it_reads(rule: AnyRule) -> None:
    """Each word it reads is one that the desk says, and leads to it and no other; parents and cancels name a rule."""
    if isinstance(rule, Rule | WithdrawRule):
        assert rule.reads and rule.reads <= WORDS
        assert {rule} == {reader(word) for word in rule.reads}
    if isinstance(rule, ParentRule | OutageRule):
        assert all(rule in parents_of(name) for name in rule.follows)
        assert all(named(name).precedence < rule.precedence for name in rule.over), "parents of parents come later"
    if isinstance(rule, WithdrawRule):
        assert rule in withdrawers_of(rule.withdraws) and isinstance(named(rule.withdraws), Rule)


def test_rules_come_by_precedence() -> None:
    """What takes life first is asked first."""
    assert [rule.precedence for rule in rules()] == sorted(rule.precedence for rule in rules())
    assert rules()[0].name == "panic"
