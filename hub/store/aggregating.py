"""Coarser copies at a server: what it is asked of a window, and the points that its answer makes. Pure.

The hub asks and writes itself, so that InfluxDB 1.x, 2.x and 3 do it alike: InfluxQL to read, lines to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.measures.point import NS_PER_MS, Point, Value, tags_of
from hub.measures.readings import numbers_of
from hub.measures.schema import BY_NAME, KINDS, STAMP, Measurement, Source
from hub.store.levels import Level
from hub.store.port import Aggregate
from hub.store.server import named, quoted
from hub.store.windows import Window

_OPEN = ("mean", "max", "last")


def question(window: Window) -> str:
    """The InfluxQL that reads a window: events whole, of everything else one row a series."""
    known = BY_NAME[window.what]
    start_ns, end_ns = window.start_ms * NS_PER_MS, window.end_ms * NS_PER_MS
    where = f"time >= {start_ns} AND time < {end_ns}" + (f" AND area={quoted(window.area)}" if window.area else "")
    if known.source is Source.EVENT:
        return f"SELECT * FROM {named(known.name)} WHERE {where} GROUP BY *"
    chosen = ", ".join(f"{how}({name}) AS {named(alias)}" for how, name, alias in _chosen(known))
    chosen = chosen or ", ".join(f"{how}(*)" for how in _OPEN)
    return f"SELECT {chosen} FROM {named(known.name)} WHERE {where} GROUP BY time({window.level.literal}), * fill(none)"


def points(window: Window, answer: Iterable[Mapping[str, Any]]) -> Iterator[Point]:
    """The points of the coarser copy. JSON does not tell 1.0 from 1, so that the schema says what is a fraction."""
    known = BY_NAME[window.what]
    kinds = _kinds(known)
    for series in answer:
        tags = tags_of(**series.get("tags", {}))
        for values in series["values"]:
            row = dict(zip(series["columns"], values, strict=True))
            fields = {
                name: _value(kind, row[name])
                for name in row
                if (kind := kinds.get(name, "f" if known.open_fields else "")) and row[name] is not None
                if name != "time"
            }
            if fields:
                yield Point(known.name, tags, fields, int(row["time"]))


def copied(area: str, gateway: str, point: str, level: Level, database: str, span_ms: tuple[int, int]) -> Iterator[str]:
    """The InfluxQL that reads a point's numbers from a coarser copy, one statement a measurement it may be in."""
    for measurement, tags, field in numbers_of(point):
        equal = " AND ".join(f"{name}={quoted(value)}" for name, value in tags.items())
        chosen = ", ".join(f"{named(f'{how}_{field}')} AS {how}" for how in ("count", "mean", "min", "max"))
        yield (
            f"SELECT {chosen} FROM {named(database)}.{named(level.name)}.{named(measurement)} "
            f"WHERE area={quoted(area)} AND gateway={quoted(gateway)}{' AND ' + equal if equal else ''} "
            f"AND time >= {span_ms[0] * NS_PER_MS} AND time < {span_ms[1] * NS_PER_MS}"
        )


def aggregate(row: Mapping[str, Any]) -> Aggregate:
    """A row of such an answer."""
    mean, least, most = (float(row[name]) for name in ("mean", "min", "max"))
    return Aggregate(int(row["time"]) // NS_PER_MS, int(row["count"]), mean, least, most)


def _chosen(known: Measurement) -> Iterator[tuple[str, str, str]]:
    """(how, field, its name in the copy): mean, min, max and last of every number, last of a word, and of readings how
    many there are; a reading's stamp is of one reading alone."""
    if known.open_fields:
        return
    numbers = ("mean", "min", "max", "last") if known.source is not Source.READING else (
        "count", "mean", "min", "max", "last",
    )  # fmt: skip
    for field in known.fields:
        if field not in STAMP:
            for how in ("last",) if field.kind == "s" else numbers:
                yield how, named(field.name), f"{how}_{field.name}"


def _kinds(known: Measurement) -> dict[str, str]:
    """Fields of the copy, and their kinds."""
    kinds = {field.name: field.kind for field in known.fields}
    if known.source is Source.EVENT:
        return kinds
    special = {"count": "i", "mean": "f"}
    return {
        f"{how}_{field.name}": special.get(how, field.kind)
        for field in known.fields
        if field not in STAMP and not known.open_fields
        for how in ("count", "mean", "min", "max", "last")
    }


def _value(kind: str, value: Any) -> Value:
    made: Value = KINDS[kind](value)
    return made
