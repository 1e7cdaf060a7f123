"""The Modbus application protocol from the unit's side, on bytes.

Written from the standard and not from a library, so that the driver is not tested against its own mistakes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from edge.profiles import Table

READS: dict[int, Table] = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES: dict[int, Table] = {5: "coil", 6: "holding", 15: "coil", 16: "holding"}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class Store(Protocol):
    """What a unit holds. Both raise LookupError for addresses the device does not have."""

    def read(self, table: Table, address: int, count: int) -> Sequence[int]: ...
    def write(self, table: Table, address: int, words: Sequence[int]) -> None: ...


def table_of(request: bytes) -> Table | None:
    """Which table a request is for; None for a function no unit of ours has."""
    return READS.get(request[0]) or WRITES.get(request[0])


def exception(request: bytes, code: int) -> bytes:
    """The exception response to a request."""
    return bytes([request[0] | 0x80, code])


def answer(store: Store, request: bytes) -> bytes:
    """The response to a request, which may be an exception."""
    handlers: dict[int, Callable[[Store, bytes], bytes]] = {15: _write_coils, 16: _write_registers}
    handlers |= dict.fromkeys((1, 2), _read_bits) | dict.fromkeys((3, 4), _read_registers)
    handlers |= dict.fromkeys((5, 6), _write_one)
    handler = handlers.get(request[0])
    if handler is None:
        return exception(request, ILLEGAL_FUNCTION)
    try:
        return handler(store, request)
    except LookupError:
        return exception(request, ILLEGAL_ADDRESS)
    except (ValueError, struct.error):
        return exception(request, ILLEGAL_VALUE)


def _read_bits(store: Store, request: bytes) -> bytes:
    address, count = _range(request, 2000)
    bits = store.read(READS[request[0]], address, count)
    packed = sum(bit << place for place, bit in enumerate(bits)).to_bytes((count + 7) // 8, "little")
    return bytes([request[0], len(packed)]) + packed


def _read_registers(store: Store, request: bytes) -> bytes:
    address, count = _range(request, 125)
    words = store.read(READS[request[0]], address, count)
    return bytes([request[0], 2 * count]) + struct.pack(f">{count}H", *words)


def _write_one(store: Store, request: bytes) -> bytes:
    address, word = struct.unpack(">HH", request[1:])
    if request[0] == 5:
        if word not in (0x0000, 0xFF00):
            raise ValueError(word)
        word = int(word == 0xFF00)
    store.write(WRITES[request[0]], address, [word])
    return request


def _write_coils(store: Store, request: bytes) -> bytes:
    address, count = struct.unpack(">HH", request[1:5])
    packed = int.from_bytes(request[6:], "little")
    if not 1 <= count <= 1968 or len(request) != 6 + (count + 7) // 8:
        raise ValueError(count)
    store.write("coil", address, [packed >> place & 1 for place in range(count)])
    return request[:5]


def _write_registers(store: Store, request: bytes) -> bytes:
    address, count = struct.unpack(">HH", request[1:5])
    if not 1 <= count <= 123 or len(request) != 6 + 2 * count:
        raise ValueError(count)
    store.write("holding", address, struct.unpack(f">{count}H", request[6:]))
    return request[:5]


def _range(request: bytes, limit: int) -> tuple[int, int]:
    address, count = struct.unpack(">HH", request[1:])
    if not 1 <= count <= limit:
        raise ValueError(count)
    return address, count
