"""Both ends read every golden sample, write the same bytes again, and skip what a later version may add."""

from __future__ import annotations

import json
from enum import Enum
from functools import cache
from typing import Any

import msgspec
import pytest

from protocol.codec import SIZE_MAX, RemoteError, decode, decode_event
from protocol.kinds import CODES
from protocol.messages import Alarms, Command, Order, Telemetry
from protocol.records import ClockQuality, Condition, Event, Stamp
from tests.support.wire import MESSAGE, SAMPLES, SCHEMAS, encode_again, kind_of, read, schema_of


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_read_and_written_again_byte_for_byte(name: str) -> None:
    """What was put on the wire once is read, and the same message makes the same bytes."""
    assert SAMPLES[name] == encode_again(decode(SAMPLES[name], kind_of(name)))


def test_every_message_has_a_sample() -> None:
    """No topic of the contract is without a golden sample."""
    assert set(MESSAGE) == {name.partition("-")[0] for name in SAMPLES}


def _seen(value: Any) -> list[Any]:
    parts: list[Any] = []
    if isinstance(value, msgspec.Struct):
        parts = [getattr(value, name) for name in value.__struct_fields__]
        parts = [decode_raw(value, part) if isinstance(part, msgspec.Raw) else part for part in parts]
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    return [value, *(found for part in parts for found in _seen(part))]


def decode_raw(owner: msgspec.Struct, raw: msgspec.Raw) -> msgspec.Struct:
    """The record or order inside."""
    return decode(bytes(raw), Order) if isinstance(owner, Command) else decode_event(raw)


@cache
def seen() -> dict[type, list[Any]]:
    """Every value in every sample, by its type."""
    by_type: dict[type, list[Any]] = {}
    for name, data in SAMPLES.items():
        for value in _seen(decode(data, kind_of(name))):
            by_type.setdefault(type(value), []).append(value)
    return by_type


# Optional fields and what leaving them out means; a record written years ago must keep its meaning.
DEFAULTS: dict[str, dict[str, Any]] = {
    "Alarms": {"gaps": []},
    "Config": {"instance": None},
    "Event": {
        "premises": None, "zone": None, "group": None, "count": 1, "first": None, "drill": False, "detail": {},
    },
    "Order": {
        "premises": [], "zone": None, "incident": None, "keys": [], "pressed": None, "kind": None, "mode": None,
        "duration_ms": 0, "drill": False, "instance": None, "force": False,
    },
    "Receipt": {"boot": 0},
    "Reply": {"results": [], "faults": [], "at": None, "meant": None},
    "Result": {"reason": ""},
    "Session": {"beat": 0, "at": None, "queued": {}},
    "Telemetry": {"gaps": []},
    "ZoneBorn": {"condition": None},
}  # fmt: skip


def test_samples_hold_every_struct_and_enumeration_of_the_wire() -> None:
    """Whatever the schemas know stands in a sample."""
    assert set(SCHEMAS) == {kind.__name__ for kind in seen() if issubclass(kind, msgspec.Struct | Enum)}


def test_samples_hold_every_member_of_every_enumeration() -> None:
    """Taking a word off the wire breaks the reading of a sample."""
    for kind, values in seen().items():
        if issubclass(kind, Enum):
            assert set(kind) == set(values)


def test_optional_fields_keep_the_meaning_of_being_left_out() -> None:
    """A default is part of the wire: changing one changes every record that relied on it."""
    found: dict[str, dict[str, Any]] = {}
    for kind in seen():
        if issubclass(kind, msgspec.Struct):
            for field in msgspec.structs.fields(kind):
                if not field.required:
                    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
                    found.setdefault(kind.__name__, {})[field.name] = made
    assert found == DEFAULTS


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in DEFAULTS.items() for field in fields])
def test_optional_field_is_seen_filled_and_left_out(name: str, field: str) -> None:
    """Renaming or retyping any optional field breaks a sample."""
    (values,) = [found for kind, found in seen().items() if kind.__name__ == name]
    left_out = [getattr(value, field) == DEFAULTS[name][field] for value in values]
    assert {True, False} == set(left_out)


def _grown(node: dict[str, Any], value: Any) -> Any:
    """The value as a later version might send it: one more key in each object, one more place in each record."""
    schema = schema_of(node, value)
    if isinstance(value, dict):
        known = schema.get("properties")
        if known is None:
            return {key: _grown(schema["additionalProperties"], part) for key, part in value.items()}
        return {key: _grown(known[key], part) for key, part in value.items()} | {"later": {"deep": [1, None]}}
    if isinstance(value, list):
        places = schema["items"]
        if isinstance(places, dict):
            return [_grown(places, part) for part in value]
        more = [] if schema.get("additionalItems") is False else [{"later": 1}]
        return [_grown(place, part) for place, part in zip(places, value, strict=True)] + more
    return value


@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_later_version_adds_is_skipped(name: str) -> None:
    """A message with unknown keys everywhere reads the same as without them."""
    kind = kind_of(name)
    grown = json.dumps(_grown({"$ref": f"#/components/schemas/{kind.__name__}"}, json.loads(SAMPLES[name]))).encode()
    assert b"later" in grown
    assert read(SAMPLES[name], kind) == read(grown, kind)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_required_key_may_go(name: str) -> None:
    """Leaving out a required key of a message is refused, by every reader."""
    kind = kind_of(name)
    for field in msgspec.structs.fields(kind):
        if field.required:
            message = json.loads(SAMPLES[name])
            del message[field.encode_name]
            with pytest.raises(RemoteError):
                decode(json.dumps(message).encode(), kind)


def test_places_of_a_stamp_are_mono_wall_quality() -> None:
    """The order inside an array is the contract; a swap of two numbers would read as well."""
    item = decode(SAMPLES["alarm-panic"], Alarms).items[0]
    event = decode_event(item.event)
    assert item.age_ms == 140
    assert Stamp(mono_ns=81_234_567_890, wall_ms=1_767_225_605_000, quality=ClockQuality.SYNCED) == event.at


def test_places_of_a_reading_are_seq_point_value_at() -> None:
    """A zone's condition travels as its word, and each kind of value keeps its type."""
    items = decode(SAMPLES["telemetry-every-type"], Telemetry).items
    condition = items[4].reading
    assert (condition.seq, condition.point, condition.value) == (904, "zone/station-door/condition", Condition.ALARM)
    assert [float, int, bool, bool, str, float, int, float] == [type(item.reading.value) for item in items]


def test_samples_use_the_priorities_of_their_kinds() -> None:
    """A sample is a model for others: its priorities are those of the table."""
    events: list[Event] = seen()[Event]
    assert [event for event in events if event.priority != CODES[event.kind].priority] == []


def test_full_batch_fits_a_slow_link() -> None:
    """The batch sample shows what a slow link takes: at most 16 KiB, and more than 15."""
    assert 15 * 1024 < len(SAMPLES["telemetry-full-batch"]) <= 16 * 1024 < SIZE_MAX
