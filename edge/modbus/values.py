"""Between what a register holds and what it means: word order, bits, scale and offset."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from edge.port import Value
from edge.profiles import Kind, PointMap

FORMATS: dict[Kind, str] = {
    "uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
RANGES: dict[Kind, tuple[int, int]] = {
    "uint16": (0, 2**16 - 1), "int16": (-(2**15), 2**15 - 1), "uint32": (0, 2**32 - 1), "int32": (-(2**31), 2**31 - 1),
    "uint64": (0, 2**64 - 1), "int64": (-(2**63), 2**63 - 1),
}  # fmt: skip
DIGITS = 9  # decimals kept after scaling, so that 2301 * 0.1 reads 230.1


def decode(point: PointMap, words: Sequence[int]) -> Value:
    """The value of `point.words` registers (or of one coil), in the point's unit. Raises ValueError for NaN and Inf."""
    if point.type == "bool":
        return bool(words[0] if point.bit is None else words[0] >> point.bit & 1)
    ordered = words if point.word_order == "big" else list(reversed(words))
    raw = struct.unpack(FORMATS[point.type], struct.pack(f">{len(ordered)}H", *ordered))[0]
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError(f"the device gives {raw}, which is not a number")
    if (point.scale, point.offset) == (1.0, 0.0):
        return raw  # type: ignore[no-any-return]  # struct gives int or float by the format
    return float(round(raw * point.scale + point.offset, DIGITS))


def encode(point: PointMap, value: Value) -> list[int]:
    """The registers that say `value` (0 or 1 for a coil; a bit of a register alone). Raises ValueError: what fits."""
    if point.type == "bool":
        if value not in (False, True):
            raise ValueError("true or false")
        return [int(value) << (point.bit or 0)]
    low, high = allowed(point)
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{low:g} to {high:g} {point.unit}".rstrip())
    raw: float = (value - point.offset) / point.scale if (point.scale, point.offset) != (1.0, 0.0) else value
    packed = struct.pack(FORMATS[point.type], round(raw) if point.type in RANGES else raw)
    words = list(struct.unpack(f">{point.words}H", packed))
    return words if point.word_order == "big" else words[::-1]


def allowed(point: PointMap) -> tuple[float, float]:
    """Lowest and highest value a number point can take, in its unit: what its type holds, cut by the profile."""
    if point.type in RANGES:
        ends = sorted(end * point.scale + point.offset for end in RANGES[point.type])
    else:
        limit = 3.4028234663852886e38 if point.type == "float32" else 1.7976931348623157e308
        ends = [-limit, limit]
    low = ends[0] if point.minimum is None else max(ends[0], point.minimum)
    high = ends[1] if point.maximum is None else min(ends[1], point.maximum)
    return low, high
