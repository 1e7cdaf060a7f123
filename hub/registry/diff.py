"""What another registry would change: who came, who went, who moved. Ids and places only; of people how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec.structs import asdict

from hub.core.registry import Key, PremisesKind, Registry, of_area
from hub.registry.contacts import ContactBook

SHOWN_MAX = 200
"""Changes told one by one; the rest is counted."""


class What(StrEnum):
    """What became of an entry. A household that has another group or gateway moved, and is the same household."""

    ADDED = "added"
    MOVED = "moved"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a table; `fields` are those that differ, as they were and as they would be."""

    table: str
    area: str
    id: str
    what: What
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        differing = "; ".join(f"{key} {_shown(old)} → {_shown(new)}" for key, (old, new) in self.fields.items())
        return f"{self.table} {self.area}/{self.id} {self.what}{': ' if differing else ''}{differing}"


@dataclass(slots=True)
class Diff:
    """All of it: how many by table and kind, and by area; the first changes in words; the households that are gone or
    moved; and every gateway that is new, other, or gone."""

    counts: Counter[tuple[str, What]] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    gone: list[Key] = field(default_factory=list)
    moved: list[Key] = field(default_factory=list)
    areas: dict[str, Counter[tuple[str, What]]] = field(default_factory=dict)
    gateways: dict[Key, What] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def take(self, change: Change) -> None:
        """One more."""
        self.count(change.area or change.id, change.table, change.what)
        if len(self.first) < SHOWN_MAX:
            self.first.append(str(change))
        if change.table == "premises" and change.what in (What.GONE, What.MOVED):
            (self.gone if change.what is What.GONE else self.moved).append((change.area, change.id))
        elif change.table == "gateway":
            self.gateways[change.area, change.id] = change.what

    def count(self, area: str, table: str, what: What) -> None:
        """One more of an area."""
        self.counts[table, what] += 1
        self.areas.setdefault(area, Counter())[table, what] += 1

    def summary(self, area: str | None = None) -> dict[str, dict[str, int]]:
        """How many by table and kind; of one area, or of all."""
        found: dict[str, dict[str, int]] = {}
        for (table, what), count in sorted((self.counts if area is None else self.areas.get(area, Counter())).items()):
            found.setdefault(table, {})[what.value] = count
        return found


def between(old: Registry, new: Registry, people: tuple[ContactBook, ContactBook] | None = None) -> Diff:
    """What changes from `old` to `new`, and of their `people` how many."""
    diff = Diff()
    for change in _changes(old, new):
        diff.take(change)
    if people is not None:
        before, after = ({(one.area, one.id): one for one in book} for book in people)
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                what = What.ADDED if key not in before else What.GONE if key not in after else What.CHANGED
                diff.count(key[0], "contact", what)
    return diff


def _changes(old: Registry, new: Registry) -> Iterator[Change]:
    yield from _of_table("area", "", old.areas, new.areas)
    names = ("station", "gateway", "premises", "group", "zone")
    for area in sorted(old.areas | new.areas):
        for table in names:
            before, after = ((getattr(one, table if table == "premises" else f"{table}s")) for one in (old, new))
            yield from _of_table(table, area, of_area(before, area), of_area(after, area))


def _of_table(table: str, area: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for one, was in old.items():
        now = new.get(one)
        if now is None:
            yield Change(table, area, one, What.GONE)
        elif now != was:
            before, after = asdict(was), asdict(now)
            fields = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
            moved = table == "premises" and not fields.keys().isdisjoint(("groups", "gateway"))
            yield Change(table, area, one, What.MOVED if moved else What.CHANGED, fields)
    for one in new:
        if one not in old:
            yield Change(table, area, one, What.ADDED)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        text = " ".join("/".join(one) if isinstance(one, tuple) else str(one) for one in value)
        return text or "none"
    return str(value.value if isinstance(value, PremisesKind) else value) or "none"
