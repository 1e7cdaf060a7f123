"""InfluxDB's line protocol, made and checked here: a line that leaves is one the server can read back to the bit.

measurement,tag=value field=1i,other=1.5,text="words" 1700000000000000000
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from hub.measures.point import Point, Value

LINE_BYTES_MAX = 64 * 1024
"""A longer line is refused here. InfluxDB takes no key (measurement and tags) above 65,535 bytes."""
INT64 = range(-(2**63), 2**63)
TIMES = range(-(2**63) + 2, 2**63 - 1)
"""Times InfluxDB takes, ns; the outermost are its own."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
"""Names of measurements, tags and fields are ours: they need no escaping, and none is a word of InfluxQL's `time`."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAG_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_TEXT_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})
RESERVED = frozenset({"time", "_field", "_measurement"})


class LineRefused(ValueError):
    """A point that cannot be said in a line; says which part and why."""


def line(point: Point) -> bytes:
    """The point as one line without its end. Raises LineRefused."""
    name = _name("measurement", point.measurement)
    if not point.fields:
        raise LineRefused(f"{name}: no fields; a point has at least one")
    if point.at_ns not in TIMES:
        raise LineRefused(f"{name}: time {point.at_ns}; allowed: ns in 64 bits")
    tags = "".join(f",{_name('tag', key)}={_tag(key, value)}" for key, value in sorted(point.tags))
    if len({key for key, _ in point.tags}) < len(point.tags):
        raise LineRefused(f"{name}: the same tag twice")
    if both := {key for key, _ in point.tags} & point.fields.keys():
        raise LineRefused(f"{name}: {', '.join(sorted(both))} as tag and as field")
    fields = ",".join(f"{_name('field', key)}={_value(key, value)}" for key, value in point.fields.items())
    try:
        made = f"{name}{tags} {fields} {point.at_ns}".encode()
    except UnicodeEncodeError as cause:
        raise LineRefused(f"{name}: no Unicode text ({cause.reason})") from cause
    if len(made) > LINE_BYTES_MAX:
        raise LineRefused(f"{name}: {len(made)} bytes; allowed: at most {LINE_BYTES_MAX}")
    return made


def chunks(lines: Iterable[bytes], bytes_max: int) -> Iterable[list[bytes]]:
    """The lines in their order, as many together as `bytes_max` takes (each with its end), one at least."""
    some: list[bytes] = []
    size = 0
    for one in lines:
        if some and size + len(one) + 1 > bytes_max:
            yield some
            some, size = [], 0
        some.append(one)
        size += len(one) + 1
    if some:
        yield some


def _name(what: str, name: str) -> str:
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise LineRefused(f"{what} {name[:80]!r}; allowed: a letter, then letters, digits and _ (63 at most)")
    return name


def _tag(key: str, value: str) -> str:
    if not value or _CONTROL.search(value) or "\\" in value:
        raise LineRefused(f"tag {key}: {value[:80]!r}; allowed: text without control characters and backslashes")
    return value.translate(_TAG_ESCAPES)


def _value(key: str, value: Value) -> str:
    if isinstance(value, bool):
        raise LineRefused(f"field {key}: a boolean; 0 or 1 is said instead, so that it can be averaged")
    if isinstance(value, int):
        if value not in INT64:
            raise LineRefused(f"field {key}: {value}; allowed: a whole number of 64 bits")
        return f"{value}i"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise LineRefused(f"field {key}: {value}; allowed: a finite number")
        return repr(value)
    return f'"{value.translate(_TEXT_ESCAPES)}"'
