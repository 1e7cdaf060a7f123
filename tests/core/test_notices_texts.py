"""What people read on their phones."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.rules import rules
from hub.notify.notice import Sort
from hub.notify.texts import WHAT, Facts, written
from protocol.kinds import Priority

AT = 1_800_000_000_000
"""2027-01-15 08:00 UTC."""


def text(language: str, **more: Any) -> str:
    given: dict[str, Any] = {"sort": Sort.PAGE, "what": "panic", "where": "横街 东站 h01", "who": "李家", "at_ms": AT}
    return written(Facts(**given | more), language, 480)[1]


def test_a_page_says_what_where_when_and_where_to_answer() -> None:
    """Both languages, with local time."""
    zh = text("zh", link="https://x/a/1")
    assert "【联防】P1 紧急求助，横街 东站 h01（李家），01-15 16:00。回复：https://x/a/1" == zh
    en = text("en", where="Hengjie east h01", who="Li", link="https://x/a/1")
    assert "[Lianfang] P1 panic button, Hengjie east h01 (Li), 01-15 16:00. Answer: https://x/a/1" == en
    assert f"{text('zh')}\n{text('en')}" == text("zh+en")


@pytest.mark.parametrize(
    "more, zh, en",
    [
        ({"late_ms": 180_000}, "迟到3分钟", "late by 3 min"),
        ({"late_ms": 7 * 3_600_000}, "迟到7小时", "late by 7 h"),
        ({"at_ms": None, "late_ms": None}, "时间不详", "time unknown"),
        ({"presses": 3}, "共3次", "3 times"),
        ({"count": 4}, "合并4条", "4 pages in one"),
        ({"why": "not accepted in 60 s: h01 pressed"}, "尚无人受理", "nobody has accepted it"),
        ({"conditions": ("cancelled",)}, "仍需查看", "please look"),
        ({"sort": Sort.STAND_DOWN}, "解除", "Stand down"),
        ({"sort": Sort.TEST}, "测试", "test"),
        ({"sort": Sort.TROUBLE, "what": "journal", "why": "disk full"}, "无法写入", "cannot write the journal"),
        ({"sort": Sort.TROUBLE_OVER, "what": "journal"}, "恢复", "again"),
        ({"sort": Sort.WAITING}, "请直接处置", "Act on this"),
        ({"priority": Priority.P3}, "P3", "P3"),
    ],
)
def test_what_matters_is_in_the_words(more: dict[str, Any], zh: str, en: str) -> None:
    """How late, how often, unaccepted, cancelled, over: each is said in both languages."""
    assert zh in text("zh", **more)
    assert en in text("en", **more)


def test_what_is_on_time_and_alone_says_no_more() -> None:
    """No lateness and no counts where there are none."""
    assert not [word for word in ("迟到", "共", "合并") if word in text("zh", late_ms=900, presses=1)]


def test_every_rule_that_pages_has_words() -> None:
    """A rule nobody translated would reach a phone as an identifier."""
    assert {"cancel"} == {rule.name for rule in rules()} - set(WHAT)
