"""Only the very bytes a known key signed for this very gateway become an order."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import decode, encode
from protocol.messages import Action, Command, Order
from protocol.signing import sign, verify
from tests.support.wire import SAMPLE_KEY, SAMPLES

PRIVATE = Ed25519PrivateKey.from_private_bytes(SAMPLE_KEY)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
KEYS = {"hub-a": PRIVATE.public_key(), "hub-b": OTHER.public_key()}
ORDER = Order("o-1", "350102", "gw-02", Action.SIREN, 1_000, 31_000, premises=["h11"], keys=["k-1"])
COMMAND = sign(ORDER, "hub-a", PRIVATE)
RAW = bytes(COMMAND.order)


def test_signed_order_is_verified() -> None:
    """The order comes back as it was given."""
    assert verify(COMMAND, KEYS, "350102", "gw-02") == ORDER


def test_signed_order_is_verified_after_the_wire() -> None:
    """Encoding and decoding keeps the signed bytes."""
    assert verify(decode(encode(COMMAND), Command), KEYS, "350102", "gw-02") == ORDER


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("command-")])
def test_sample_commands_are_signed_by_the_sample_key(name: str) -> None:
    """Every golden command verifies, and signing its order again makes the same command."""
    command = decode(SAMPLES[name], Command)
    order = decode(bytes(command.order), Order)
    assert verify(command, {command.key: PRIVATE.public_key()}, order.area, order.gateway) == order
    assert encode(sign(order, command.key, PRIVATE)) == SAMPLES[name]


def test_command_for_another_gateway_does_nothing() -> None:
    """A command replayed to the neighbour's gateway is refused with both addresses."""
    assert verify(COMMAND, KEYS, "350102", "gw-03") == "for 350102/gw-02, not for 350102/gw-03"


def test_command_for_another_area_does_nothing() -> None:
    """The same gateway name in another township is another gateway."""
    assert verify(COMMAND, KEYS, "350103", "gw-02") == "for 350102/gw-02, not for 350103/gw-02"


def test_unknown_key_is_named_with_the_known() -> None:
    """An installer sees which keys the gateway trusts."""
    stranger = msgspec.structs.replace(COMMAND, key="hub-c")
    assert verify(stranger, KEYS, "350102", "gw-02") == "unknown key 'hub-c'; known: hub-a, hub-b"
    assert verify(stranger, {}, "350102", "gw-02") == "unknown key 'hub-c'; known: none"


def test_key_of_another_hub_does_not_verify() -> None:
    """Naming a trusted key is not having it."""
    forged = sign(ORDER, "hub-a", OTHER)
    assert verify(forged, KEYS, "350102", "gw-02") == "forged: the signature is not by key 'hub-a'"


def test_signature_over_the_bare_order_does_not_verify() -> None:
    """What a key signed for another purpose is no command: the signed bytes begin with ours."""
    bare = msgspec.structs.replace(COMMAND, signature=PRIVATE.sign(RAW))
    assert verify(bare, KEYS, "350102", "gw-02") == "forged: the signature is not by key 'hub-a'"


@pytest.mark.parametrize("raw", [b"null", b"[]", b"{}", b'{"id":"o-1"}', b"\xff", b""])
def test_signed_nonsense_is_refused_in_words(raw: bytes) -> None:
    """Even a hub with the key cannot make a gateway stumble."""
    command = Command(1, "hub-a", msgspec.Raw(raw), PRIVATE.sign(b"lf/1/command\x00" + raw))
    answer = verify(command, KEYS, "350102", "gw-02")
    assert isinstance(answer, str)
    assert answer.startswith("unparsable: ")


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(RAW) * 8 - 1))
def test_flipping_a_bit_of_the_order_does_not_verify(bit: int) -> None:
    """Every bit of the order is signed."""
    changed = bytearray(RAW)
    changed[bit // 8] ^= 1 << bit % 8
    command = msgspec.structs.replace(COMMAND, order=msgspec.Raw(bytes(changed)))
    assert verify(command, KEYS, "350102", "gw-02") == "forged: the signature is not by key 'hub-a'"


@pytest.mark.parametrize("byte", range(64))
def test_flipping_a_bit_of_the_signature_does_not_verify(byte: int) -> None:
    """Every bit of the signature counts."""
    for bit in range(8):
        changed = bytearray(COMMAND.signature)
        changed[byte] ^= 1 << bit
        command = msgspec.structs.replace(COMMAND, signature=bytes(changed))
        assert verify(command, KEYS, "350102", "gw-02") == "forged: the signature is not by key 'hub-a'"


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(min_size=64, max_size=64)))
def test_no_made_up_signature_verifies(signature: bytes) -> None:
    """Signatures of any length and content are refused alike."""
    command = msgspec.structs.replace(COMMAND, signature=signature)
    assert verify(command, KEYS, "350102", "gw-02") == "forged: the signature is not by key 'hub-a'"


def test_same_order_with_other_blanks_does_not_verify() -> None:
    """The bytes are signed, not their meaning."""
    command = msgspec.structs.replace(COMMAND, order=msgspec.Raw(RAW.replace(b",", b", ")))
    assert isinstance(verify(command, KEYS, "350102", "gw-02"), str)
