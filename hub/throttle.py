"""How often somebody may be wrong. Pure: monotonic ms are arguments."""

from __future__ import annotations

from collections import OrderedDict

WRONG_MAX = 10
"""Mistakes in a row; then one every `EVERY_MS`."""
EVERY_MS = 6_000
ADDRESSES_MAX = 1_024


class Throttle:
    """A leaky bucket an address; of too many addresses the one that was wrong longest ago is forgotten."""

    def __init__(self) -> None:
        self._full: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wrong(self, address: str, mono_ms: int) -> bool:
        """Count a mistake of an address; True when it has made too many just now."""
        level, at_ms = self._full.pop(address, (0.0, mono_ms))
        level = max(0.0, level - (mono_ms - at_ms) / EVERY_MS)
        too_many = level + 1 > WRONG_MAX
        self._full[address] = (level if too_many else level + 1, mono_ms)
        while len(self._full) > ADDRESSES_MAX:
            self._full.popitem(last=False)
        return too_many
