"""The reply to the request in flight is found among everything else that may be on the wire."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.modbus.replies import Expected, find_rtu, find_socket
from simulators.modbus.frames import Asked, RtuFraming, SocketFraming

EXPECTED = Expected(unit=3, function=2, size=3, echo=b"\x01")
GOOD, OTHER = b"\x02\x01\x05", b"\x02\x01\xff"
RTU, TCP = RtuFraming(), SocketFraming()


def rtu(unit: int, pdu: bytes) -> bytes:
    """A frame on a serial line."""
    return RTU.frame(Asked(unit, 0, b""), pdu)


def tcp(unit: int, transaction: int, pdu: bytes) -> bytes:
    """A Modbus TCP frame."""
    return TCP.frame(Asked(unit, transaction, b""), pdu)


def test_late_reply_of_a_neighbour_is_passed_over() -> None:
    """A late reply of another unit in front of the right one does not hide it."""
    assert find_rtu(rtu(2, OTHER) + rtu(3, GOOD), EXPECTED) == GOOD
    assert find_socket(tcp(2, 6, OTHER) + tcp(3, 7, GOOD), EXPECTED, 7)[1] == GOOD


def test_late_reply_to_another_block_is_passed_over() -> None:
    """A reply of the right unit to another function or of another length is not the answer."""
    assert find_rtu(rtu(3, b"\x01\x01\xff") + rtu(3, b"\x02\x02\xff\xff"), EXPECTED) is None


def test_late_reply_of_an_old_transaction_is_passed_over() -> None:
    """On TCP a reply that fits in all but its transaction is not the answer."""
    frame = tcp(3, 6, OTHER)
    assert find_socket(frame, EXPECTED, 7) == (len(frame), None)


def test_exception_is_an_answer() -> None:
    """An exception response to the function is found."""
    assert find_rtu(rtu(3, b"\x82\x04"), EXPECTED) == b"\x82\x04"
    assert find_socket(tcp(3, 7, b"\x82\x04"), EXPECTED, 7)[1] == b"\x82\x04"


def test_bad_checksum_is_no_answer() -> None:
    """A frame with a wrong CRC is not the answer."""
    frame = rtu(3, GOOD)
    assert find_rtu(frame[:-1] + bytes([frame[-1] ^ 1]), EXPECTED) is None


def test_write_must_be_echoed() -> None:
    """A confirmation of another write is not taken for this one's."""
    write = Expected(unit=3, function=5, size=5, echo=b"\x00\x01\xff\x00")
    assert find_rtu(rtu(3, b"\x05\x00\x02\xff\x00"), write) is None
    assert find_rtu(rtu(3, b"\x05\x00\x01\xff\x00"), write) == b"\x05\x00\x01\xff\x00"


@given(noise=st.binary(max_size=40), cut=st.integers(0, 6))
def test_answer_survives_noise_before_it(noise: bytes, cut: int) -> None:
    """Noise in front never hides the answer on a serial line, nor does half of it count."""
    frame = rtu(3, GOOD)
    assert find_rtu(noise + frame, EXPECTED) is not None
    assert find_rtu(frame[: len(frame) - 1 - cut], EXPECTED) is None


@given(data=st.binary(max_size=300))
def test_no_bytes_upset_the_matching(data: bytes) -> None:
    """Whatever comes off a socket, matching ends, and claims no more bytes than there are."""
    used, _ = find_socket(data, EXPECTED, 7)
    assert 0 <= used <= len(data)
    find_rtu(data, EXPECTED)
