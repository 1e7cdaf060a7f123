"""The hub's signing key: made for its owner alone, never replaced, and refused in words when it cannot be used."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.core.effects import Send
from hub.orders import command, load_key, make_key, public_text
from protocol.codec import decode
from protocol.faults import Refused
from protocol.messages import Action, Command, Order
from protocol.signing import verify


def refusal(path: Path) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        load_key(path)
    (fault,) = refused.value.faults
    return fault.value, fault.allowed


def test_a_key_and_its_folder_are_its_owner_s_alone(tmp_path: Path) -> None:
    """The key is mode 0600 in a folder of mode 0700, and the same key is read back."""
    path = tmp_path / "data" / "hub.key"
    made = make_key(path)
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    assert public_text(made) == public_text(load_key(path))


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """Making one where one is changes nothing: the gateways know the one that is there."""
    make_key(tmp_path / "hub.key")
    before = (tmp_path / "hub.key").read_bytes()
    with pytest.raises(Refused, match="there already"):
        make_key(tmp_path / "hub.key")
    assert before == (tmp_path / "hub.key").read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    """Readable or writable by group or others, it is not used."""
    make_key(tmp_path / "hub.key")
    (tmp_path / "hub.key").chmod(mode)
    assert (f"open to others ({mode & 0o077:03o})", "mode 0600") == refusal(tmp_path / "hub.key")


def test_what_is_no_key_of_ours_is_refused(tmp_path: Path) -> None:
    """A file that is missing, is no key, or is a key of another kind is named as such."""
    path = tmp_path / "hub.key"
    assert "a key made by: lianfang hub keygen" == refusal(path)[1]
    path.write_bytes(b"no key")
    path.chmod(0o600)
    assert ("no private key", "an Ed25519 key in PEM") == refusal(path)
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "an Ed25519 key" == refusal(path)[1]


def test_an_order_sent_again_is_the_same_to_the_last_byte(tmp_path: Path) -> None:
    """So that a gateway acts once; and its signature holds for that gateway alone."""
    private = make_key(tmp_path / "hub.key")
    send = Send("town", "gw-1", "i-1-1", Action.SIREN, 1_000, 2_000, ("h1",), "i-1", ("k-1",), duration_ms=300_000)
    data = command(send, "hub-1", private)
    assert data == command(send, "hub-1", load_key(tmp_path / "hub.key"))
    keys = {"hub-1": private.public_key()}
    found = verify(decode(data, Command), keys, "town", "gw-1")
    assert isinstance(found, Order)
    assert ("i-1-1", ["h1"], 300_000) == (found.id, found.premises, found.duration_ms)
    assert not isinstance(verify(decode(data, Command), keys, "town", "gw-2"), Order)
