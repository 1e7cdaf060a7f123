"""docs/wire.md says what the code does: its topics, its samples, its worked example and its limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.asyncapi import ways
from protocol.codec import SIZE_MAX, Reason, decode
from protocol.messages import VERSION, Command
from tests.support.wire import SAMPLE_KEY, SAMPLES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"`protocol/samples/([a-z-]+)\.json`\n\n```json\n(.*?)\n```", TEXT, re.DOTALL)
ROW = re.compile(r"^\| `(lf/1/\S+)` \| (\w+) → (\w+) \| (yes|no) \| `(\w+)` \|$", re.MULTILINE)


def test_every_json_block_is_a_golden_sample() -> None:
    """No sample on the page is made up, and at least one of each lane and direction is shown."""
    assert len(SHOWN) == TEXT.count("```json") >= 10
    for name, block in SHOWN:
        assert json.dumps(json.loads(SAMPLES[name])) == json.dumps(json.loads(block)), name


def test_table_of_topics_is_the_contract() -> None:
    """Topic, direction, retention and message of every channel."""
    expected = [
        (way.address, way.sender, way.reader, "yes" if way.retain else "no", way.message.__name__) for way in ways()
    ]
    assert ROW.findall(TEXT) == expected


def test_worked_example_of_a_signature_holds() -> None:
    """Key, signed bytes and signature of the page go together, and are those of the sample."""
    order, signature = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    secret, public = (bytes.fromhex(text) for text in re.findall(r"`([0-9a-f]{64})` \|", TEXT))
    command = decode(SAMPLES["command-siren"], Command)
    assert (bytes(command.order).decode(), json.loads(SAMPLES["command-siren"])["signature"]) == (order, signature)
    assert secret == SAMPLE_KEY
    assert Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() == public
    signed = b"lf/1/command\x00" + order.encode()
    Ed25519PublicKey.from_public_bytes(public).verify(msgspec.json.decode(f'"{signature}"', type=bytes), signed)
    assert f"these {len(order)} bytes" in TEXT


def test_limits_are_those_of_the_code() -> None:
    """Version, size and the reasons named on the page are the code's."""
    assert f"At most {SIZE_MAX} bytes" in TEXT
    assert f"says `v` first, now {VERSION}." in TEXT
    for reason in (Reason.WRONG_VERSION, Reason.OVERSIZED, Reason.UNPARSABLE):
        assert f"`{reason}`" in TEXT
