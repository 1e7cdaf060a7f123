"""A point of a time series, as the hub makes it and every store takes it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Value: TypeAlias = int | float | str
Tags: TypeAlias = tuple[tuple[str, str], ...]
NS_PER_MS = 1_000_000


class Point(msgspec.Struct, frozen=True):
    """Fields of one series (measurement and tags) at one time, ns since 1970 UTC. The same series and time again is the
    same point: its fields are put over those that are there."""

    measurement: str
    tags: Tags
    fields: dict[str, Value]
    at_ns: int


def tags_of(**tags: str | None) -> Tags:
    """Tags in order of their names; those without a value are left out, as a line cannot say them."""
    return tuple((name, value) for name, value in sorted(tags.items()) if value)


def known(**fields: Value | None) -> dict[str, Value]:
    """Fields that have a value: what is not known is absent, never zero."""
    return {name: value for name, value in fields.items() if value is not None}
