"""A report's words, and how a language writes numbers, spans, days and times. One catalogue a language, in texts/."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from hub.reports.layout import As, Cell, Remark
from hub.reports.period import Period, Sort

TEXTS = Path(__file__).with_name("texts")
DAYS_FROM_MS = 48 * 3_600_000
"""Up to here people count in hours."""
TENTH_MS = 100
"""What is shortest that is told by its length."""
UNITS = (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000))


class Language(StrEnum):
    """The languages there are; each has a catalogue of its name."""

    ZH = "zh"
    EN = "en"


LOCALES = {Language.ZH: Locale("zh", "CN", script="Hans"), Language.EN: Locale("en", "GB")}


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Every text of a language by "table.key"."""
    raw = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{key}": text for table, texts in raw.items() for key, text in texts.items()}


class Words:
    """One language, in the time of one place."""

    def __init__(self, language: Language, zone: str) -> None:
        self.language = language
        self.tag = "zh-CN" if language is Language.ZH else "en"
        self._locale = LOCALES[language]
        self._zone = ZoneInfo(zone)
        self._texts = catalogue(language)

    def text(self, key: str, **values: str) -> str:
        """A text of the catalogue. Raises KeyError for one that is not there."""
        return self._texts[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts

    def word(self, key: str) -> str:
        """A word; a cause or a rule that a centre or a later version added stands as it is called."""
        found = self._texts.get(f"word.{key}")
        return key.removeprefix("cause_").replace("_", " ") if found is None else found

    def remark(self, remark: Remark) -> str:
        """A sentence with its values."""
        return self.text(f"remark.{remark.key}", **{name: self.cell(one) for name, one in remark.cells.items()})

    def cell(self, cell: Cell) -> str:
        """A value as people read it."""
        value = cell.value
        if value is None:
            return self.word("not_known")
        if cell.shown is As.WORD:
            return self.word(str(value))
        if isinstance(value, date):
            return format_date(value, self._texts["format.day"], locale=self._locale)
        if isinstance(value, str):
            return value
        if cell.shown is As.SHARE:
            return format_percent(value, "0.0 %", locale=self._locale)
        if cell.shown is As.SPAN:
            return self.span(round(value))
        if cell.shown is As.TIME:
            return format_datetime(self._local(value), self._texts["format.time"], locale=self._locale)
        if cell.shown is As.HOUR:
            return f"{value:02d}"
        return format_decimal(value, "#,##0.0#" if cell.shown is As.NUMBER else "#,##0", locale=self._locale)

    def span(self, ms: int) -> str:
        """A length of time in its two largest units; below ten seconds with tenths."""
        if 0 < ms < TENTH_MS // 2:
            return f"< {self.span(TENTH_MS)}"
        if ms < 10_000:
            return format_unit(round(ms / 1000, 1), "duration-second", "short", locale=self._locale)
        rest = round(ms / 1000) * 1000
        parts: list[str] = []
        for name, length_ms in UNITS if rest > DAYS_FROM_MS else UNITS[1:]:
            count, rest = divmod(rest, length_ms)
            if count or parts:
                parts.append(format_unit(count, f"duration-{name}", "short", locale=self._locale) if count else "")
            if len(parts) == 2:
                break
        return " ".join(part for part in parts if part)

    def iso(self, at_ms: int | float) -> str:
        """A time for machines: local, with its offset."""
        return self._local(at_ms).isoformat(timespec="seconds")

    def days(self, period: Period) -> str:
        """Which days a period covers."""
        first = format_date(period.first, "full" if period.sort is Sort.DAILY else "long", locale=self._locale)
        if period.sort is Sort.DAILY:
            return first
        return self.text("format.from_to", first=first, last=format_date(period.last, "long", locale=self._locale))

    def _local(self, at_ms: int | float) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self._zone)
