"""Registers and what they mean."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.modbus.values import decode, encode
from edge.profiles import PointMap


def point(**keys: Any) -> PointMap:
    """A holding register unless said otherwise."""
    return PointMap.model_validate({"table": "holding", "address": 0, "type": "uint16", **keys})


@pytest.mark.parametrize(
    ("keys", "words", "value"),
    [
        ({"type": "uint16"}, [65535], 65535),
        ({"type": "int16"}, [65535], -1),
        ({"type": "uint16", "scale": 0.1}, [2301], 230.1),
        ({"type": "int16", "scale": 0.1, "offset": -40}, [250], -15.0),
        ({"type": "uint32"}, [1, 2], 65538),
        ({"type": "uint32", "word_order": "little"}, [2, 1], 65538),
        ({"type": "int32"}, [0xFFFF, 0xFFFE], -2),
        ({"type": "uint64"}, [0, 0, 1, 0], 65536),
        ({"type": "uint64", "word_order": "little"}, [0, 1, 0, 0], 65536),
        ({"type": "float32"}, [0x4366, 0x8000], 230.5),
        ({"type": "float32", "word_order": "little"}, [0x8000, 0x4366], 230.5),
        ({"type": "float64"}, [0x3FF8, 0, 0, 0], 1.5),
        ({"table": "coil", "type": "bool"}, [1], True),
    ],
)
def test_value_of_registers(keys: dict[str, Any], words: list[int], value: float) -> None:
    """Each type reads as the Modbus manuals show it, and writes back to the same registers."""
    assert decode(point(**keys), words) == value
    assert encode(point(**keys), value) == words


def test_bit_of_a_register() -> None:
    """A bit is taken from its place and nothing else."""
    assert [decode(point(type="bool", bit=bit), [0b0100]) for bit in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("words", [[0x7FC0, 0], [0x7F80, 0]])
def test_no_number_is_no_value(words: list[int]) -> None:
    """A float that is NaN or infinite is refused rather than handed on."""
    with pytest.raises(ValueError, match="not a number"):
        decode(point(type="float32"), words)


@pytest.mark.parametrize(
    ("keys", "value", "allowed"),
    [
        ({}, -1, "0 to 65535"),
        ({}, 65536, "0 to 65535"),
        ({}, True, "0 to 65535"),
        ({}, math.nan, "0 to 65535"),
        ({"scale": 0.1, "unit": "V"}, 7000, "0 to 6553.5 V"),
        ({"minimum": 1, "maximum": 5}, 6, "1 to 5"),
        ({"table": "coil", "type": "bool"}, 2, "true or false"),
    ],
)
def test_value_that_does_not_fit(keys: dict[str, Any], value: float, allowed: str) -> None:
    """A value out of range is refused with what is allowed, in the point's unit."""
    with pytest.raises(ValueError, match=allowed):
        encode(point(**keys), value)


@given(value=st.integers(0, 2**64 - 1), order=st.sampled_from(["big", "little"]))
def test_integers_survive_exactly(value: int, order: str) -> None:
    """A 64-bit counter comes back to the last digit."""
    counter = point(type="uint64", word_order=order)
    assert decode(counter, encode(counter, value)) == value


@given(raw=st.integers(0, 65535), scale=st.sampled_from([0.001, 0.01, 0.1, 2.0, -0.5]))
def test_scaled_values_survive(raw: int, scale: float) -> None:
    """Every raw value of a scaled register can be written as it was read."""
    scaled = point(scale=scale)
    assert encode(scaled, decode(scaled, [raw])) == [raw]
