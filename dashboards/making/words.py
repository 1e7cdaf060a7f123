"""Texts in the two languages of the control rooms."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """What titles, descriptions and legends are written in."""

    EN = "en"
    ZH = "zh"


class Text(NamedTuple):
    """One text in both."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """In one of them."""
        return self.zh if language is Language.ZH else self.en


UNKNOWN = Text("unknown", "未知")
NOTHING = Text("none", "无")
