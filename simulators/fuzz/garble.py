"""What is done to a message before it is said: at its values, at its bytes, at its topic. Every one a named sort."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import TypeAlias

from simulators.fuzz.place import AREA, MUTE, OTHER
from simulators.fuzz.reader import INT64, SIZE_MAX
from simulators.fuzz.speech import Json, Said, written

Places: TypeAlias = list[tuple[Json, str | int]]
DEEP = 20_000
NUMBERS = (
    *(-1, 0, 1, 2, 5, 2**31, 2**53, INT64 - 1, INT64, 2**63, 2**64, -INT64 - 1, -INT64 - 2, 10**30),
    *(1.0, 0.5, -0.5, 1e5, 1e308, 5e-324),
)
WORDS = (
    *("", " ", "\n", "g01\n", "\x00", "é", "警", "\U0001f6a8", "A", "-", "a" * 63, "a" * 64, "a" * 512, "a" * 513),
    *(
        "new",
        "panic",
        "1",
        "null",
        "NaN",
        "synced",
        "0" * 32,
        "f" * 32,
        "F" * 32,
        "0" * 64,
        "\ud800",
        "../../etc",
        "%s",
    ),
    *("h1", "h3", "o1", "h1-panic", "o1-panic", "works-door", "g1", "go", "zone/h1-door/condition", "zone/h3-panic/x"),
    *(
        "premises/h1/armed",
        "zone/nowhere/health",
        "duress",
        "records_lost",
        "\\",
        '"',
        "$(reboot)",
        "'; DROP TABLE entry;",
    ),
)
PLACED = ("h1", "h2", "h3", "works", "o1", "h1-panic", "h3-panic", "works-door", "o1-panic", "g1", "go", "nobody", None)
POINTED = (
    *("zone/h1-door/condition", "zone/h1-panic/x", "zone/h1-door/", "zone/h1-door", "zone/h1-door/health/x", "zone/"),
    *("zone/h3-panic/health", "zone/nowhere/health", "zone/o1-panic/value", "premises/h1/armed", "household/h1/mode"),
    *("partition/h2/mode", "premises/nobody/armed", "premises/works", "zones/h1-door/condition", "self/zone/h1-door"),
)
OTHERS: tuple[Json, ...] = (None, True, False, [], {}, [[]], {"": None}, [None, None], [1, 2, "synced"])
VERSIONS: tuple[Json, ...] = (0, 2, -1, "1", 1.0, True, None, [1], {"v": 1}, 2**63, 10**30)
TOPICS = (
    "", "/", "lf", "lf/1", "lf/1/town", "lf/1/town/gw-1", "lf/1/town/gw-1/alarm/", "/lf/1/town/gw-1/alarm",
    "lf/2/town/gw-1/alarm", "LF/1/town/gw-1/alarm", "lf/1/town/gw-1/ALARM", "lf/1/town/gw-1/alarms",
    "lf/1/+/gw-1/alarm", "lf/1/town/#", "lf/1/town/gw-1/alarm\n", "lf/1/town\n/gw-1/alarm",
    "lf/1/town/gw-1\x00/alarm", "lf/1/Town/gw-1/alarm", "lf/1/hub/hub-1", "lf/1/hub/gw-1/alarm", "lf/1/town/owner",
    "lf/1/town/owner/alarm", "lf/1//gw-1/alarm", "lf/1/town//alarm", "lf/1/" + "a" * 63 + "/gw-1/alarm",
    "lf/1/" + "a" * 64 + "/gw-1/alarm", "警/1/town/gw-1/alarm", "lf/1/town/" + "x" * 65_000 + "/alarm",
    "$SYS/broker/uptime", "/" * 2_000, "lf/1/\ud800/gw-1/alarm",
)  # fmt: skip


def places(value: Json, depth: int = 0) -> Places:
    """Every place inside a message, as (container, key)."""
    found: Places = []
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        if depth < 6:
            found += places(value[key], depth + 1)
    return found


def odd(rng: random.Random) -> Json:
    """A value that may not fit."""
    roll = rng.random()
    if roll < 0.4:
        return rng.choice(NUMBERS)
    if roll < 0.8:
        return rng.choice(WORDS)
    if roll < 0.98:
        return json.loads(json.dumps(rng.choice(OTHERS)))
    nested: Json = rng.choice(NUMBERS)
    for _ in range(rng.randint(1, 60)):
        nested = [nested] if rng.random() < 0.5 else {"x": nested}
    return nested


def replaced(message: Json, rng: random.Random) -> None:
    """Another value somewhere."""
    where, key = rng.choice(places(message))
    where[key] = odd(rng)


def removed(message: Json, rng: random.Random) -> None:
    """Something is missing."""
    where, key = rng.choice(places(message))
    del where[key]


def added(message: Json, rng: random.Random) -> None:
    """Something that nobody knows, or one more of what is there."""
    where, key = rng.choice(places(message))
    if isinstance(where, dict):
        where[rng.choice(WORDS)] = odd(rng)
    else:
        where.insert(rng.randint(0, len(where)), odd(rng) if rng.random() < 0.5 else where[key])


def swapped(message: Json, rng: random.Random) -> None:
    """Two values in each other's place."""
    found = places(message)
    (one, here), (two, there) = rng.choice(found), rng.choice(found)
    if not (_inside(one[here], two) or _inside(two[there], one)):
        one[here], two[there] = two[there], one[here]


def _inside(value: Json, where: Json) -> bool:
    return value is where or any(box[key] is where or box is where for box, key in places(value, 0))


def versioned(message: Json, rng: random.Random) -> None:
    """Another version."""
    message["v"] = rng.choice(VERSIONS)


def downwards(message: Json, rng: random.Random) -> None:
    """Gaps, upside down or as wide as can be."""
    ends = sorted(rng.choice((1, 2, 7, 2**53, INT64)) for _ in range(2))
    message["gaps"] = [{"first": ends[-rng.randint(0, 1)], "last": ends[rng.randint(-1, 0)], "reason": "g"}]


def misplaced(message: Json, rng: random.Random) -> None:
    """A good form, and a zone, premises, group or point of somebody else, of nobody, or one that stays in the house."""
    for item in message.get("items", ()):
        if isinstance(item[1], dict):
            item[1][rng.choice(("zone", "premises", "group"))] = rng.choice(PLACED)
        else:
            item[1][1] = rng.choice(POINTED)
    for zone in message.get("zones", ()):
        zone[rng.choice(("id", "premises"))] = rng.choice(PLACED)


def numbered(message: Json, rng: random.Random) -> None:
    """A good form, and sequences at the ends of what they may be."""
    for item in message.get("items", ()):
        item[1]["seq" if isinstance(item[1], dict) else 0] = rng.choice((1, 2**53, INT64 - 1, INT64, INT64 + 1, 0))
        item[0] = rng.choice((0, 1, 315_360_000_000, 315_360_000_001, -1, None))
    message["boot"] = rng.choice((0, 1, 7, INT64, INT64 + 1))


VALUES: tuple[Callable[[Json, random.Random], None], ...] = (
    *(replaced, replaced, replaced, replaced, removed, removed, added, swapped, versioned, downwards),
)
SHAPED = (misplaced, numbered)
"""What needs a message whose form is still good."""


def truncated(data: bytes, rng: random.Random) -> bytes:
    """Cut short."""
    return data[: rng.randrange(len(data) + 1)]


def concatenated(data: bytes, rng: random.Random) -> bytes:
    """Twice in one, or with something after it."""
    return data + rng.choice((data, b" ", b"\n\t ", b"\x00", b"}", b",", b"null", b"{}"))


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Some bytes are others."""
    bytes_ = bytearray(data or b"x")
    for _ in range(rng.randint(1, 4)):
        bytes_[rng.randrange(len(bytes_))] = rng.randrange(256)
    return bytes(bytes_)


def twice_keyed(data: bytes, rng: random.Random) -> bytes:
    """A key stands twice: another value first, or last."""
    key, value = rng.choice(("v", "instance", "seq", "kind", "items", "boot", "online", "x")), written(odd(rng))
    pair = written(key) + b":" + value
    if rng.random() < 0.5:
        return data.replace(b"{", b"{" + pair + b",", rng.randint(1, 2))
    return data[:-1] + b"," + pair + b"}"


def no_utf8(data: bytes, rng: random.Random) -> bytes:
    """Bytes that are no UTF-8, inside a text."""
    at = data.find(b'"', rng.randrange(len(data) + 1)) + 1
    return data[:at] + rng.choice((b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80")) + data[at:]


def no_number(data: bytes, rng: random.Random) -> bytes:
    """Something that JSON has no number for."""
    words = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"07", b"+1", b"1.", b".5", b"0x10", b"9" * 300)
    return data.replace(b":1", b":" + rng.choice(words), 1) if b":1" in data else data + rng.choice(words)


def deep(data: bytes, rng: random.Random) -> bytes:
    """Nested deeper than anybody reads."""
    opening = rng.choice((b"[", b'{"x":'))
    return data.replace(b"{", b'{"deep":' + opening * DEEP + (b"]" * DEEP if opening == b"[" else b"") + b",", 1)


def encoded(data: bytes, rng: random.Random) -> bytes:
    """Another encoding, or a byte order mark."""
    text = data.decode("utf-8", "replace")
    return rng.choice(
        (b"\xef\xbb\xbf" + data, text.encode("utf-16"), text.encode("utf-32"), text.encode("latin-1", "replace"))
    )


def large(data: bytes, rng: random.Random) -> bytes:
    """As large as may be, one byte more, or far more."""
    size = SIZE_MAX + rng.choice((0, 0, 1, 2, 4_096, SIZE_MAX))
    return data[:1] + b" " * (size - len(data)) + data[1:]


def noise(data: bytes, rng: random.Random) -> bytes:
    """Random bytes."""
    return rng.randbytes(rng.choice((0, 1, 2, 16, 300)))


def random_json(data: bytes, rng: random.Random) -> bytes:
    """JSON of no meaning."""
    return written(rng.choice((odd(rng), {"v": 1, "items": odd(rng)}, [odd(rng)] * 3, {"v": 1, "instance": odd(rng)})))


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(
        truncated,
        concatenated,
        flipped,
        flipped,
        twice_keyed,
        twice_keyed,
        no_utf8,
        no_number,
        encoded,
        noise,
        random_json,
    ),
)
RARE: tuple[Callable[[bytes, random.Random], bytes], ...] = (deep, large)
"""What takes so long to read that a thousandth of the messages is enough of it."""


def readdressed(said: Said, rng: random.Random) -> Said:
    """To or from somebody else."""
    parts = said.topic.split("/")
    roll = rng.random()
    if roll < 0.3 or len(parts) < 5:
        return said._replace(topic=rng.choice(TOPICS))
    if roll < 0.5:
        parts[2] = rng.choice((AREA, OTHER, "nowhere", "hub"))
    elif roll < 0.7:
        parts[3] = rng.choice(("gw-1", "gw-2", "gw-o", "gw-9", "owner"))
    else:
        parts[4] = rng.choice(("birth", "session", "alarm", "telemetry", "reply", "receipt", "command", "config"))
    return said._replace(topic="/".join(parts))


def muted(said: Said) -> Said:
    """In the name of the gateway that never says anything valid: what is said is broken for certain."""
    return Said(f"lf/1/{AREA}/{MUTE}/{said.topic.rpartition('/')[2]}", b"}" + said.data, said.retain)
