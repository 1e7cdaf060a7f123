"""Both catalogues of reports say the same, and have a word for everything the hub may name."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import hub.reports
from hub.core.acts import Disposition
from hub.core.effects import Rung
from hub.core.incident import State
from hub.core.rules import rules
from hub.core.rules.base import WithdrawRule
from hub.reports.layout import As, Cell
from hub.reports.sections.factors import Factor
from hub.reports.words import Language, Words, catalogue
from tests.support.desk import DEFAULTS

ZH, EN = catalogue(Language.ZH), catalogue(Language.EN)
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in Path(hub.reports.__file__).parent.rglob("*.py"))


def places_in(text: str) -> set[str]:
    """The names a text leaves room for."""
    return {field for _, field, _, _ in Formatter().parse(text) if field is not None}


def test_both_languages_have_the_same_texts() -> None:
    """No key is in one alone."""
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("key", sorted(EN))
def test_a_text_leaves_room_for_the_same_values_in_both(key: str) -> None:
    """And is not empty; figures are as people write them, words are translated."""
    assert places_in(EN[key]) == places_in(ZH[key])
    assert EN[key].strip()
    assert ZH[key].strip()


def test_every_text_of_the_source_is_in_the_catalogue() -> None:
    """Remarks, charts, tables and columns are named in code, and a missing one would end a report."""
    wanted = {f"remark.{key}" for key in re.findall(r'Remark\(\s*"(\w+)"', SOURCE)}
    wanted |= {f"chart.{key}" for key in re.findall(r'Chart\(\s*"(\w+)"', SOURCE)}
    wanted |= {f"table.{key}" for key in re.findall(r'table\(\s*"(\w+)"', SOURCE)}
    wanted |= {f"section.{key}" for key in re.findall(r'Section\(\s*"(\w+)"', SOURCE)}
    wanted |= {f"column.{key}" for key in re.findall(r'\("(\w+)", As\.', SOURCE)}
    assert len(wanted) > 100
    assert set() == wanted - EN.keys()


def test_everything_the_hub_may_name_has_a_word() -> None:
    """Rules, states, outcomes, rungs, causes and factors: a new rule needs its word here."""
    named = [rule.name for rule in rules() if not isinstance(rule, WithdrawRule)]
    named += [one.value for kind in (State, Disposition, Rung, Factor) for one in kind]
    named += [f"cause_{cause}" for cause in DEFAULTS.causes.false_alarm]
    named += [f"why_{factor}" for factor in Factor]
    assert [] == [name for name in named if f"word.{name}" not in EN]


@pytest.mark.parametrize(
    ("cell", "zh", "en"),
    [
        (Cell(As.SPAN, 3_900), "3.9秒", "3.9 secs"),
        (Cell(As.SPAN, 49), "< 0.1秒", "< 0.1 secs"),
        (Cell(As.SPAN, 80_000), "1分钟 20秒", "1 min 20 secs"),
        (Cell(As.SPAN, 24 * 3_600_000), "24小时", "24 hrs"),
        (Cell(As.SPAN, 7 * 86_400_000), "7天", "7 days"),
        (Cell(As.SHARE, 0.1234), "12.3 %", "12.3 %"),
        (Cell(As.COUNT, 12_345), "12,345", "12,345"),
        (Cell(As.NUMBER, 0.25), "0.25", "0.25"),
        (Cell(As.TIME, 1_790_524_800_000), "2026-09-28 00:00", "2026-09-28 00:00"),
        (Cell(As.SHARE, None), "不详", "not known"),
        (Cell(As.WORD, "cause_duck_pond"), "duck pond", "duck pond"),
    ],
)
def test_values_are_written_as_people_write_them(cell: Cell, zh: str, en: str) -> None:
    """In the time of the place; what is not known says so; what a centre added stands as it is called."""
    assert (zh, en) == tuple(Words(language, "Asia/Shanghai").cell(cell) for language in Language)
