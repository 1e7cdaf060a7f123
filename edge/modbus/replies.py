"""Tell the reply to the request in flight from everything else that may be on the wire.

pymodbus drops a whole buffer when a late reply and the right one arrive together, takes any reply of the right unit for
the answer, and closes the connection over a frame it cannot decode. On a bus with one sick unit all three make its
neighbours pay, so replies are matched here, by unit, function, length and (TCP) transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from pymodbus.framer.rtu import FramerRTU
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import ModbusPDU

EXCEPTION_SIZE = 2
HEADER_SIZE = 7
BUFFER_MAX = 4_096  # several late replies and the right one


@dataclass(frozen=True, slots=True)
class Expected:
    """The reply waited for: from which unit, to which function; a good one's size in bytes and what it begins with.

    `echo` follows the function code: the byte count of a read, the address and value of a write.
    """

    unit: int
    function: int
    size: int
    echo: bytes

    def matches(self, pdu: bytes) -> bool:
        """Whether a PDU answers the request, well or with an exception."""
        if pdu[:1] == bytes([self.function | 0x80]):
            return len(pdu) == EXCEPTION_SIZE
        return len(pdu) == self.size and pdu.startswith(bytes([self.function]) + self.echo)


def find_rtu(data: bytes, expected: Expected) -> bytes | None:
    """The expected PDU wherever it lies in what came off a serial line, or None."""
    for start in range(len(data) - 4):
        if data[start] != expected.unit or data[start + 1] & 0x7F != expected.function:
            continue
        size = EXCEPTION_SIZE if data[start + 1] & 0x80 else expected.size
        end = start + 1 + size
        pdu, crc = data[start + 1 : end], data[end : end + 2]
        if not expected.matches(pdu) or len(crc) < 2:
            continue
        if FramerRTU.compute_CRC(data[start:end]) == int.from_bytes(crc, "big"):
            return pdu
    return None


def find_socket(data: bytes, expected: Expected, transaction: int) -> tuple[int, bytes | None]:
    """How many bytes are done with, and the expected PDU or None. What is no Modbus TCP is done with as a whole."""
    used = 0
    while len(data) - used >= HEADER_SIZE:
        length = int.from_bytes(data[used + 4 : used + 6], "big")
        if data[used + 2 : used + 4] != b"\0\0" or not 2 <= length <= 254:
            return len(data), None
        end = used + 6 + length
        if end > len(data):
            break
        pdu = data[used + HEADER_SIZE : end]
        same = int.from_bytes(data[used : used + 2], "big") == transaction and data[used + 6] == expected.unit
        used = end
        if same and expected.matches(pdu):
            return used, pdu
    return used, None


class RtuReplies(FramerRTU):
    """pymodbus framer for RTU that only lets the expected reply through."""

    expected: Expected | None = None

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """The name and shape are pymodbus's."""
        found = find_rtu(data, self.expected) if self.expected else None
        reply = self.decoder.decode(found) if found else None
        if self.expected is None or reply is None:
            return 0 if self.expected else len(data), None
        reply.dev_id, self.expected = self.expected.unit, None
        return len(data), reply


class SocketReplies(FramerSocket):
    """pymodbus framer for Modbus TCP that only lets the expected reply through."""

    expected: Expected | None = None

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """The name and shape are pymodbus's."""
        if self.expected is None:
            return len(data), None
        used, found = find_socket(data, self.expected, exp_tid)
        reply = self.decoder.decode(found) if found else None
        if reply is not None:
            reply.dev_id, reply.transaction_id, self.expected = self.expected.unit, exp_tid, None
        return used, reply
