"""A naive reader of docs/wire.md: plain JSON and plain rules, written apart from the codec it is to judge.

It shares no code with `protocol` or `hub`. Two readers of JSON may differ in how deep they go: the fuzz nests less
than 100 or more than 10,000 deep, and every reader agrees on those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

SIZE_MAX = 262_144
INT64 = 2**63 - 1
WALL_MAX = INT64 // 1_000_000
TEN_YEARS_MS = 315_360_000_000
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
INSTANCE = re.compile(r"[0-9a-f]{32}")
DIGEST = re.compile(r"[0-9a-f]{64}")
KBOOT = re.compile(r"[0-9a-f-]{32,36}")
POINT = re.compile(r"[a-z0-9][a-z0-9_./-]{0,127}")
UP = ("birth", "session", "alarm", "telemetry", "reply")
DOWN = ("receipt", "command", "config")
CONDITIONS = ("normal", "alarm", "tamper", "fault", "unknown")
KINDS = (
    "panic", "duress", "silent_holdup", "fire", "gas", "water", "intrusion", "entry_exit", "tamper", "zone_fault",
    "device_lost", "mains_lost", "battery_low", "battery_missing", "nvr_offline", "nvr_disk", "video_loss",
    "recording_stale", "armed", "disarmed", "auto_armed", "auto_disarmed", "cancel", "bypass", "swinger_bypass",
    "chatter", "reset", "test", "walk_test", "clock", "gateway_fault", "records_lost",
)  # fmt: skip

Json: TypeAlias = Any
Check: TypeAlias = Callable[[Json], bool]
SURROGATE = re.compile("[\ud800-\udfff]")


class Refused(Exception):
    """What a hub must not take, by the reason it is to give."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def address(topic: str, data: bytes) -> tuple[str, str, str]:
    """(area, gateway, channel) of a message a hub is to read. Raises Refused."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[:2] != ["lf", "1"] or parts[4] not in (*UP, *DOWN):
        raise Refused("unknown_topic")
    if not ID.fullmatch(parts[2]) or not ID.fullmatch(parts[3]) or parts[2] == "hub" or parts[3] == "owner":
        raise Refused("unknown_topic")
    if len(data) > SIZE_MAX:
        raise Refused("oversized")
    if parts[4] not in UP:
        raise Refused("unknown_topic")
    return parts[2], parts[3], parts[4]


def parsed(data: bytes) -> dict[str, Json]:
    """The object of a message of version 1. Raises Refused."""
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_never, object_pairs_hook=_table)
    except (ValueError, RecursionError):
        raise Refused("unparsable") from None
    if not isinstance(found, dict):
        raise Refused("unparsable")
    if type(found.get("v")) is not int or found["v"] != 1:
        raise Refused("wrong_version")
    return found


def _never(name: str) -> Json:
    raise ValueError(name)


class Twice(dict[str, Any]):
    """An object in which a key stands more than once: the last counts, and `before` holds the others."""

    before: list[tuple[str, Json]]


def _table(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = Twice(found)
    twice.before = pairs
    return twice


def pairs(value: dict[str, Json]) -> Iterable[tuple[str, Json]]:
    """Every key with its value, each time it stands there."""
    return value.before if isinstance(value, Twice) else value.items()


def whole(low: int, high: int = INT64) -> Check:
    """An integer written as one."""
    return lambda value: type(value) is int and low <= value <= high


def matching(pattern: re.Pattern[str]) -> Check:
    """A text that matches to its very end."""
    return lambda value: type(value) is str and pattern.fullmatch(value) is not None


def text(low: int, high: int) -> Check:
    """A text of so many characters."""
    return lambda value: type(value) is str and low <= len(value) <= high and not SURROGATE.search(value)


def one_of(*allowed: Json) -> Check:
    """One of these, of the same type."""
    return lambda value: any(type(value) is type(one) and value == one for one in allowed)


def maybe(check: Check) -> Check:
    """Null, or what `check` takes."""
    return lambda value: value is None or check(value)


def finite(value: Json) -> bool:
    """A number with a fraction or an exponent, within a double."""
    return type(value) is float and value - value == 0


def flag(value: Json) -> bool:
    """True or false."""
    return type(value) is bool


def listed(check: Check) -> Check:
    """A list of what `check` takes."""
    return lambda value: type(value) is list and all(map(check, value))


def row(*checks: Check) -> Check:
    """An array of these; places at its end that are not known are skipped."""
    return lambda value: (
        type(value) is list and len(value) >= len(checks) and all(c(v) for c, v in zip(checks, value, strict=False))
    )


def table(required: dict[str, Check], **optional: Check) -> Check:
    """An object with these keys, good each time they stand there; what is not known is skipped."""
    every = {**required, **optional}
    return lambda value: (
        isinstance(value, dict)
        and all(name in value for name in required)
        and all(every[name](one) for name, one in pairs(value) if name in every)
    )


COUNT, SEQ, WALL, AGE = whole(0), whole(1), whole(0, WALL_MAX), maybe(whole(0, TEN_YEARS_MS))
NAME, WORDS, IDENT = text(1, 64), text(0, 512), matching(ID)
STAMP = row(COUNT, WALL, one_of("synced", "holdover", "unset"))
INT = whole(-INT64 - 1)


def value_of(value: Json) -> bool:
    """A reading's value, or a detail of an event."""
    return flag(value) or INT(value) or finite(value) or WORDS(value)


def _details(value: Json) -> bool:
    return isinstance(value, dict) and all(NAME(key) and value_of(inner) for key, inner in pairs(value))


def _upwards(gap: Json) -> bool:
    return bool(gap["first"] <= gap["last"])


_gap = table({"first": SEQ, "last": SEQ, "reason": WORDS})
GAPS = listed(lambda value: _gap(value) and _upwards(value))
EVENT = table(
    {
        "seq": SEQ,
        "kind": one_of(*KINDS),
        "qualifier": one_of("new", "restore", "present"),
        "priority": whole(1, 4),
        "at": STAMP,
        "key": IDENT,
    },
    premises=maybe(IDENT),
    zone=maybe(IDENT),
    group=maybe(IDENT),
    count=SEQ,
    first=maybe(STAMP),
    drill=flag,
    detail=_details,
)
READING = row(SEQ, matching(POINT), value_of, STAMP)
VERSION: Check = lambda value: type(value) is int  # noqa: E731  # which one, `parsed` has said
WHO: dict[str, Check] = {"v": VERSION, "instance": matching(INSTANCE), "boot": COUNT}
LANE = {**WHO, "kboot": matching(KBOOT)}
ZONE = table(
    {"id": IDENT, "premises": IDENT, "kind": NAME, "health": one_of("online", "fault", "unknown")},
    condition=maybe(one_of(*CONDITIONS)),
)
ANY: Check = lambda value: True  # noqa: E731
LETTERS = text(0, SIZE_MAX)
MESSAGE: dict[str, Check] = {
    "alarm": table({**LANE, "items": listed(row(AGE, ANY))}, gaps=GAPS),
    "telemetry": table({**LANE, "items": listed(row(AGE, READING))}, gaps=GAPS),
    "birth": table(
        {
            **LANE,
            "software": WORDS,
            "config": matching(DIGEST),
            "heartbeat_ms": whole(100, 86_400_000),
            "profile_ms": whole(300, 86_400_000),
            "at": STAMP,
            "zones": listed(ZONE),
        }
    ),
    "session": table(
        {**WHO, "connection": COUNT, "online": flag},
        beat=COUNT,
        at=maybe(STAMP),
        queued=lambda value: (
            isinstance(value, dict) and all(key in ("alarm", "telemetry") and COUNT(n) for key, n in pairs(value))
        ),
    ),
    "reply": table(
        {**WHO, "order": WORDS},
        meant=maybe(matching(INSTANCE)),
        results=listed(
            table({"premises": maybe(IDENT), "outcome": one_of("done", "joined", "refused", "failed")}, reason=WORDS)
        ),
        faults=listed(table({"where": LETTERS, "key": LETTERS, "value": LETTERS, "allowed": LETTERS})),
        at=maybe(STAMP),
    ),
}
