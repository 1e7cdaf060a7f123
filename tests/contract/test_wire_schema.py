"""The committed AsyncAPI document is the code's own, and its schemas refuse what the readers refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

from protocol import asyncapi
from protocol.codec import MESSAGES, Reason, RemoteError
from protocol.topics import DOWN, RETAINED, UP, Channel, hub_topic, owner_topic, topic
from tests.support.wire import SAMPLES, kind_of, read, schema_of

PATH = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.json"
COMMITTED = json.loads(PATH.read_text(encoding="utf-8"))
REGISTRY: Registry[Any] = Registry().with_resource("urn:wire", DRAFT7.create_resource(COMMITTED))
Place = tuple[str | int, ...]


def validator(name: str) -> Draft7Validator:
    """The committed schema of a message."""
    return Draft7Validator({"$ref": f"urn:wire#/components/schemas/{name}"}, registry=REGISTRY)


def test_committed_document_is_the_generated_one() -> None:
    """`python -m protocol.asyncapi > docs/asyncapi.json` was run after the last change to the wire."""
    assert asyncapi.text() == PATH.read_text(encoding="utf-8")


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    """No reader of the document meets a dead link."""
    resolver = REGISTRY.resolver("urn:wire")
    found = set(_references(COMMITTED))
    assert len(found) > 40
    for reference in found:
        resolver.lookup(reference)


def test_addresses_are_those_the_code_makes() -> None:
    """A client that fills in the document's addresses meets ours."""
    made = {way.name: way.address.format(area="350102", gateway="gw-01", hub="hub-a") for way in asyncapi.ways()}
    expected = {channel.value: topic("350102", "gw-01", channel) for channel in Channel}
    assert expected | {"hub": hub_topic("hub-a"), "owner": owner_topic("350102")} == made


@pytest.mark.parametrize("channel", Channel)
def test_each_end_sends_what_the_other_receives(channel: Channel) -> None:
    """Direction and retention stand in the document as in the code."""
    operations = COMMITTED["operations"]
    sender, reader = ("gateway", "hub") if channel in UP else ("hub", "gateway")
    assert (channel in UP) != (channel in DOWN)
    for operation in (operations[f"{sender}-send-{channel}"], operations[f"{reader}-receive-{channel}"]):
        assert {"$ref": f"#/channels/{channel}"} == operation["channel"]
        assert (1, channel in RETAINED) == (
            operation["bindings"]["mqtt"]["qos"],
            operation["bindings"]["mqtt"]["retain"],
        )
    assert MESSAGES[channel].__name__ in COMMITTED["channels"][channel]["messages"]


@pytest.mark.parametrize("name", COMMITTED["components"]["schemas"])
def test_schema_is_itself_valid(name: str) -> None:
    """Each schema keeps the rules of JSON Schema draft 7."""
    Draft7Validator.check_schema(COMMITTED["components"]["schemas"][name])


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_fits_its_committed_schema(name: str) -> None:
    """What both ends read, the document allows."""
    errors = validator(kind_of(name).__name__).iter_errors(json.loads(SAMPLES[name]))
    assert [error.message for error in errors] == []


def _places(node: dict[str, Any], value: Any, at: Place = (), kind: Place = ()) -> Iterator[tuple[Place, Place]]:
    """Every place in a message, with its path and what the path is called for all items of a list alike."""
    yield at, kind
    schema = schema_of(node, value)
    if isinstance(value, dict):
        for key, part in value.items():
            known = "properties" in schema
            inside = schema["properties"][key] if known else schema["additionalProperties"]
            yield from _places(inside, part, (*at, key), (*kind, key if known else "*"))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            row = isinstance(schema["items"], dict)
            inside = schema["items"] if row else schema["items"][index]
            yield from _places(inside, part, (*at, index), (*kind, "*" if row else index))


def _kinds_of_place() -> dict[tuple[str, Place], tuple[str, Place]]:
    found: dict[tuple[str, Place], tuple[str, Place]] = {}
    for name, data in SAMPLES.items():
        message = kind_of(name).__name__
        for at, kind in _places({"$ref": f"#/components/schemas/{message}"}, json.loads(data)):
            if at:
                found.setdefault((message, kind), (name, at))
    return found


PLACES = _kinds_of_place()
ALIENS: tuple[Any, ...] = (
    None, True, 0, 1, -1, 1.5, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**15, 3_600_001, "", "a", "a\n", "A", "-a",
    "a" * 63, "a" * 64, "a" * 65, "a" * 129, "a" * 513, "声" * 512, "YWJj", "YWJ", "YWJj\n", "panic", "normal", [],
    [None], [1, 2], {}, {"a": 1}, {"": 1}, {"a" * 65: "x"}, {"alarm": 1}, {"a": "b" * 513}, {"a": 2**70},
)  # fmt: skip


def _put(message: Any, at: Place, alien: Any) -> None:
    for key in at[:-1]:
        message = message[key]
    message[at[-1]] = alien


def _refusal(data: bytes, name: str) -> str:
    try:
        read(data, kind_of(name))
    except RemoteError as refused:
        return str(refused)
    return ""


def _beyond_schema(kind: Place, alien: Any, refusal: str) -> bool:
    """Descending ranges, and whole numbers beyond 64 bits where a fraction is allowed too (1e19 is one to a schema)."""
    if "runs upwards" in refusal:
        return True
    numbers = [*alien.values()] if isinstance(alien, dict) else [alien]
    open_ended = kind[-1] == "detail" or kind[-2:-1] == ("detail",) or kind[-3:] == ("*", 1, 2)
    return open_ended and any(type(number) is int and not -(2**63) <= number < 2**63 for number in numbers)


@pytest.mark.parametrize(("message", "kind"), PLACES, ids=lambda part: part if isinstance(part, str) else str(part))
def test_schema_and_reader_agree_on_every_alien_value(message: str, kind: Place) -> None:
    """In each place of each message, the schema and the reader take and refuse the same values."""
    name, at = PLACES[message, kind]
    differ = []
    for alien in ALIENS:
        changed = json.loads(SAMPLES[name])
        _put(changed, at, alien)
        data = json.dumps(changed).encode()
        allowed, refusal = validator(message).is_valid(changed), _refusal(data, name)
        if allowed == bool(refusal) and not (allowed and _beyond_schema(kind, alien, refusal)):
            differ.append((alien, allowed, refusal))
    assert differ == [], "value, allowed by the schema, refusal by the code"


BEYOND_SCHEMA = {
    "a whole number with a fraction": ("session-heartbeat", ("beat",), 412.0),
    "a committed range that runs down": (
        "receipt-credit",
        ("committed", "5f0c2b7e9a4d4c1f8e6b3a2d1c0f9e8d", 0),
        [9, 3],
    ),
    "a gap that runs down": ("telemetry-gaps", ("gaps", 0), {"first": 9, "last": 3, "reason": "x"}),
    "a lone surrogate": ("config-site", ("toml",), "\ud800"),
}


@pytest.mark.parametrize("case", BEYOND_SCHEMA)
def test_reader_refuses_what_no_schema_can_say(case: str) -> None:
    """The document names these four in words; the reader refuses them."""
    name, at, alien = BEYOND_SCHEMA[case]
    changed = json.loads(SAMPLES[name])
    _put(changed, at, alien)
    assert validator(kind_of(name).__name__).is_valid(changed)
    assert _refusal(json.dumps(changed).encode(), name).startswith(Reason.UNPARSABLE)
