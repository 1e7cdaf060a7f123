"""InfluxQL made from the schema: a measurement, tag or field that does not exist is an error when the query is made.

What is picked is written as `last(open_p1)`, `percentile(after_ms, 95) AS p95` or a bare name. InfluxDB 1.x, 2.x and 3
all read what comes out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hub.measures.schema import BY_NAME, Measurement

PLACES = ("area", "village", "group", "gateway")
"""Tags that variables of the same name choose from."""
NUMERIC = frozenset({"mean", "sum", "max", "min", "spread", "percentile", "rate", "top"})
ANY_KIND = frozenset({"last", "first", "count", "distinct", "mode"})
COMPARES = ("=", "!=", ">", ">=", "<", "<=")
INTERVAL = "$__interval"

_PICK = re.compile(
    r"(?:(?P<fn>[a-z]+)\()?(?P<field>[a-zA-Z_][a-zA-Z0-9_]*)(?:, ?(?P<arg>[a-z0-9]+))?\)?(?: AS (?P<as_>\w+))?"
)
_HEAD = re.compile(r'SELECT (?P<columns>.+?) FROM (?:"(?P<measurement>\w+)"|\()')
_FROM = re.compile(r'FROM "(\w+)"')
_COLUMN = re.compile(r'(?:(?P<fn>\w+)\()?(?:\w+\()?"(?P<field>\w+)"[^A]*AS "(?P<name>\w+)"')
_WHERE = re.compile(r"(?P<name>\w+) (?P<compare>=|!=|>=?|<=?) (?P<value>'[\w-]*'|-?\d+)")


class QueryError(ValueError):
    """A query that the schema does not bear; says what it names and what there is."""


class Pick(NamedTuple):
    """One column: a function (or none) of a field (or tag), and the column's name."""

    text: str
    name: str


def graph(
    measurement: str,
    *picks: str,
    by: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
    every: str = INTERVAL,
    fill: str = "none",
) -> str:
    """A series over time for each combination of the tags `by`."""
    found = _measurement(measurement)
    groups = ", ".join([f"time({every})", *(_tag(found, tag) for tag in by)])
    return f"SELECT {_columns(found, picks)} {_from(found, where)} GROUP BY {groups} fill({fill})"


def now(measurement: str, *picks: str, by: tuple[str, ...] = (), where: tuple[str, ...] = ()) -> str:
    """One row for each combination of the tags `by`, over the whole time asked for."""
    found = _measurement(measurement)
    groups = f" GROUP BY {', '.join(_tag(found, tag) for tag in by)}" if by else ""
    return f"SELECT {_columns(found, picks)} {_from(found, where)}{groups}"


def everywhere(measurement: str, *picks: str, by: tuple[str, ...] = ()) -> str:
    """As `now`, of all places: alert rules have no variables."""
    found = _measurement(measurement)
    groups = ", ".join(_tag(found, tag) for tag in by)
    return f'SELECT {_columns(found, picks)} FROM "{measurement}" WHERE $timeFilter GROUP BY {groups}'


def rows(measurement: str, *columns: str, where: tuple[str, ...] = (), limit: int = 100) -> str:
    """The points themselves, the newest first."""
    found = _measurement(measurement)
    return f"SELECT {_columns(found, columns)} {_from(found, where)} ORDER BY time DESC LIMIT {limit}"


def over(inner: str, *picks: str, every: str = "", by: tuple[str, ...] = (), fill: str = "none") -> str:
    """A query over the answer of another, whose columns it names."""
    columns = ", ".join(_made(pick, None).text for pick in picks)
    groups = ", ".join([*([f"time({every})"] if every else []), *(f'"{tag}"' for tag in by)])
    tail = f" GROUP BY {groups}" + (f" fill({fill})" if every else "") if groups else ""
    return f"SELECT {columns} FROM ({inner}) WHERE $timeFilter{tail}"


def total(
    measurement: str, pick: str, fn: str = "sum", by: tuple[str, ...] = ("area",), where: tuple[str, ...] = ()
) -> str:
    """The newest word of each of `by`, made one number: their sum, mean or max."""
    name = _made(pick, None).name
    return over(now(measurement, pick, by=by, where=where), f"{fn}({name}) AS {name}")


def most(inner: str, column: str, tags: tuple[str, ...], limit: int) -> str:
    """The rows of an answer with the largest values of a column, and whose they are."""
    names = ", ".join(f'"{tag}"' for tag in tags)
    return f'SELECT top("{column}", {names}, {limit}) AS "{column}" FROM ({inner}) WHERE $timeFilter'


def values(tag: str, measurement: str, within: tuple[str, ...] = ()) -> str:
    """The values of a tag, for a variable; `within` are variables before it."""
    found = _measurement(measurement)
    where = " AND ".join(_chosen(one) for one in within if one in found.tags)
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = {_tag(found, tag)}' + (f" WHERE {where}" if where else "")


class Column(NamedTuple):
    """One column of an answer: its name, and whether it is a number."""

    name: str
    number: bool


def columns_of(query: str) -> list[Column]:
    """What a query made here answers with, besides time and the tags it groups by."""
    head = _HEAD.match(query)
    if head is None:
        raise QueryError(f"{query[:60]!r}: no SELECT made here")
    found = BY_NAME.get(head["measurement"] or "")
    return [
        Column(one["name"], _is_number(found, one["fn"], one["field"])) for one in _COLUMN.finditer(head["columns"])
    ]


def placed(query: str) -> bool:
    """Whether what it asks for is of an area, so that choosing one must narrow it down."""
    return any("area" in BY_NAME[name].tags for name in _FROM.findall(query) if name in BY_NAME)


def _is_number(found: Measurement | None, fn: str | None, field: str) -> bool:
    if found is None or fn not in (None, "last", "first", "distinct", "mode"):
        return True
    return found.kind(field) != "s" and field not in found.tags


def _measurement(name: str) -> Measurement:
    found = BY_NAME.get(name)
    if found is None:
        raise QueryError(f"measurement {name}: not in the schema; there are: {', '.join(BY_NAME)}")
    return found


def _columns(found: Measurement, picks: tuple[str, ...]) -> str:
    return ", ".join(_made(pick, found).text for pick in picks)


def _made(pick: str, found: Measurement | None) -> Pick:
    parts = _PICK.fullmatch(pick)
    if parts is None:
        raise QueryError(f"column {pick!r}; allowed: field, fn(field), fn(field, number), each with AS name")
    fn, field, argument, name = parts["fn"], parts["field"], parts["arg"], parts["as_"] or parts["field"]
    if found is not None:
        _check(found, fn, field)
    if fn == "rate":
        text = f'non_negative_derivative(last("{field}"), {argument or "1m"})'
    elif fn is not None:
        text = f'{fn}("{field}"{f", {argument}" if argument else ""})'
    else:
        text = f'"{field}"'
    return Pick(f'{text} AS "{name}"', name)


def _check(found: Measurement, fn: str | None, field: str) -> None:
    kind = found.kind(field)
    if fn is None and field in found.tags:
        return
    if kind is None and not found.open_fields:
        have = ", ".join(one.name for one in found.fields)
        raise QueryError(f"{found.name}: no field {field}; there are: {have}")
    if fn is not None and fn not in NUMERIC | ANY_KIND:
        raise QueryError(f"{found.name}: function {fn}; allowed: {', '.join(sorted(NUMERIC | ANY_KIND))}")
    if fn in NUMERIC and kind == "s":
        raise QueryError(f"{found.name}: {fn}({field}): that field is a text")


def _from(found: Measurement, where: tuple[str, ...]) -> str:
    chosen = [_chosen(tag) for tag in PLACES if tag in found.tags]
    conditions = [*chosen, *(_condition(found, one) for one in where), "$timeFilter"]
    return f'FROM "{found.name}" WHERE {" AND ".join(conditions)}'


def _chosen(tag: str) -> str:
    return f'"{tag}" =~ /^${{{tag}:regex}}$/'


def _condition(found: Measurement, text: str) -> str:
    parts = _WHERE.fullmatch(text)
    if parts is None:
        raise QueryError(f"condition {text!r}; allowed: name, one of {' '.join(COMPARES)}, and a number or 'text'")
    name, tag = parts["name"], parts["name"] in found.tags
    if not tag and found.kind(name) is None and not found.open_fields:
        raise QueryError(f"{found.name}: no tag or field {name} to compare")
    quoted = parts["value"].startswith("'")
    if quoted is not (tag or found.kind(name) == "s"):
        raise QueryError(f"{found.name}: {text}: a tag or text is compared with 'text', a number with a number")
    return f'"{name}" {parts["compare"]} {parts["value"]}'


def _tag(found: Measurement, name: str) -> str:
    if name not in found.tags:
        raise QueryError(f"{found.name}: no tag {name}; there are: {', '.join(found.tags)}")
    return f'"{name}"'
