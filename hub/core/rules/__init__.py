"""Rules of correlation, one a file; the folder is the registry."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from hub.core.rules.base import AnyRule, OutageRule, ParentRule, Rule, WithdrawRule

HELPERS = frozenset({"base", "losses", "windows"})


@cache
def rules() -> tuple[AnyRule, ...]:
    """Every rule of this folder, by precedence."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name not in HELPERS)
    found: list[AnyRule] = [import_module(f"{__name__}.{name}").RULE for name in names]
    assert len({rule.name for rule in found}) == len(found), "every rule has its own name"
    assert len({rule.precedence for rule in found}) == len(found), "every rule has its own precedence"
    return tuple(sorted(found, key=lambda rule: rule.precedence))


@cache
def reader(what: str) -> Rule | WithdrawRule | None:
    """The rule that takes this kind of record; None where it raises nothing."""
    return next((r for r in rules() if isinstance(r, Rule | WithdrawRule) and what in r.reads), None)


@cache
def parents_of(name: str) -> tuple[ParentRule | OutageRule, ...]:
    """The rules that put incidents of rule `name` under a parent, by precedence."""
    return tuple(r for r in rules() if isinstance(r, ParentRule | OutageRule) and name in r.follows)


@cache
def named(name: str) -> AnyRule:
    """The rule of that name."""
    return next(rule for rule in rules() if rule.name == name)


@cache
def withdrawers_of(name: str) -> tuple[WithdrawRule, ...]:
    """The rules that mark incidents of rule `name` as cancelled."""
    return tuple(r for r in rules() if isinstance(r, WithdrawRule) and r.withdraws == name)
