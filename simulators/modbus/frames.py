"""Both framings from the unit's side: requests out of a byte stream, responses into frames, and wrong frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from simulators.modbus.faults import Wrong

NOISE = bytes.fromhex("ff00a55a13371337ffff")
RTU_SIZES = dict.fromkeys(range(1, 7), 8)  # unit, function, four bytes, CRC


@dataclass(frozen=True, slots=True)
class Asked:
    """One request off the wire; `transaction` is 0 on a serial line."""

    unit: int
    transaction: int
    pdu: bytes


class Framing(Protocol):
    """How requests and responses lie on the wire."""

    def split(self, data: bytes) -> tuple[list[Asked], bytes]:
        """The complete requests, and the rest to keep."""

    def frame(self, asked: Asked, pdu: bytes) -> bytes:
        """A response."""

    def wrong(self, asked: Asked, pdu: bytes, fault: Wrong) -> bytes:
        """A response that is not one."""


def crc16(data: bytes) -> bytes:
    """Modbus over Serial Line V1.02, 6.2.2: polynomial 0xA001, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class RtuFraming:
    """Serial lines, and RTU frames passed through TCP."""

    def split(self, data: bytes) -> tuple[list[Asked], bytes]:
        """Frames with a good CRC; a byte that begins none is skipped."""
        found: list[Asked] = []
        while len(data) >= 4:
            size = RTU_SIZES.get(data[1], 0)
            if data[1] in (15, 16):
                size = 9 + data[6] if len(data) > 6 else 9
            if size and len(data) < size:
                break
            if size and crc16(data[: size - 2]) == data[size - 2 : size]:
                found.append(Asked(data[0], 0, data[1 : size - 2]))
                data = data[size:]
            else:
                data = data[1:]
        return found, data

    def frame(self, asked: Asked, pdu: bytes) -> bytes:
        """Unit, PDU, CRC."""
        body = bytes([asked.unit]) + pdu
        return body + crc16(body)

    def wrong(self, asked: Asked, pdu: bytes, fault: Wrong) -> bytes:
        """As the fault says."""
        good = self.frame(asked, pdu)
        return {
            "noise": NOISE,
            "checksum": good[:-1] + bytes([good[-1] ^ 0xFF]),
            "unit": self.frame(Asked(asked.unit + 1, 0, b""), pdu),
            "transaction": self.frame(asked, bytes([pdu[0] ^ 3]) + pdu[1:]),
            "function": self.frame(asked, b"\x63" + pdu[1:]),
            "short": good[: len(good) // 2],
        }[fault.how]


class SocketFraming:
    """Modbus TCP."""

    def split(self, data: bytes) -> tuple[list[Asked], bytes]:
        """By the length in the header."""
        found: list[Asked] = []
        while len(data) >= 8 and len(data) >= (size := 6 + int.from_bytes(data[4:6], "big")):
            found.append(Asked(data[6], int.from_bytes(data[:2], "big"), data[7:size]))
            data = data[size:]
        return found, data

    def frame(self, asked: Asked, pdu: bytes) -> bytes:
        """Transaction, protocol 0, length, unit, PDU."""
        return self._frame(asked.transaction, 0, asked.unit, pdu)

    def wrong(self, asked: Asked, pdu: bytes, fault: Wrong) -> bytes:
        """As the fault says."""
        good = self.frame(asked, pdu)
        return {
            "noise": NOISE,
            "checksum": self._frame(asked.transaction, 0x1337, asked.unit, pdu),
            "unit": self._frame(asked.transaction, 0, asked.unit + 1, pdu),
            "transaction": self._frame(asked.transaction ^ 0x5555, 0, asked.unit, pdu),
            "function": self._frame(asked.transaction, 0, asked.unit, b"\x63" + pdu[1:]),
            "short": good[: len(good) // 2],
        }[fault.how]

    @staticmethod
    def _frame(transaction: int, protocol: int, unit: int, pdu: bytes) -> bytes:
        head = transaction, protocol, len(pdu) + 1
        return b"".join(word.to_bytes(2, "big") for word in head) + bytes([unit]) + pdu
