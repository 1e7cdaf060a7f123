"""What is asked on the wire: the requests for a block and for one output, and the shape of their good replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from edge.modbus.plan import Block
from edge.modbus.replies import Expected
from edge.profiles import PointMap, Table

READS: dict[Table, type[ModbusPDU]] = {
    "coil": bits.ReadCoilsRequest,
    "discrete": bits.ReadDiscreteInputsRequest,
    "input": registers.ReadInputRegistersRequest,
    "holding": registers.ReadHoldingRegistersRequest,
}
EXCEPTIONS = {
    1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure", 5: "acknowledge",
    6: "device busy", 8: "memory parity error", 10: "gateway path unavailable", 11: "gateway target did not respond",
}  # fmt: skip
GATEWAY_SILENCE = (10, 11)  # a gateway says so after a time-out of its own: the unit is silent and costs its neighbours


@dataclass(frozen=True, slots=True)
class Request:
    """One request, what answers it, and both frames' length in bytes (for the time they take on a serial line)."""

    pdu: ModbusPDU
    expected: Expected
    frame_bytes: int


def read(unit: int, block: Block) -> Request:
    """Ask a unit for one block."""
    size = 2 + ((block.count + 7) // 8 if block.in_bits else 2 * block.count)
    pdu = READS[block.table](address=block.address, count=block.count, dev_id=unit)
    return Request(pdu, Expected(unit, pdu.function_code, size, bytes([size - 2])), 8 + size + 3)


def write(unit: int, point: PointMap, words: Sequence[int]) -> Request:
    """Write one output; a value of several registers goes in one request, never in halves."""
    pdu: ModbusPDU
    if point.table == "coil":
        pdu = bits.WriteSingleCoilRequest(address=point.address, bits=[bool(words[0])], dev_id=unit)
    elif len(words) == 1:
        pdu = registers.WriteSingleRegisterRequest(address=point.address, registers=list(words), dev_id=unit)
    else:
        pdu = registers.WriteMultipleRegistersRequest(address=point.address, registers=list(words), dev_id=unit)
    return Request(pdu, Expected(unit, pdu.function_code, 5, pdu.encode()[:4]), 9 + 2 * len(words) + 8)


def words_of(block: Block, reply: ModbusPDU) -> Sequence[int]:
    """The block's registers, or its bits as 0 and 1 (a reply pads bits to whole bytes)."""
    return [int(bit) for bit in reply.bits[: block.count]] if block.in_bits else reply.registers


def exception_text(code: int) -> str:
    """A Modbus exception in words."""
    return f"exception {code}: {EXCEPTIONS.get(code, 'unknown to the standard')}"
