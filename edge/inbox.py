"""What waits for the fold: looks at devices, orders, word of disk and hub. Bounded, and it says what it gives up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edge.core.io import Input, Looked, Ordered, Troubled

WAITING_MAX = 10_000
"""Beyond it the newest look at a device, or order, is the victim: the next look says how it is, the hub asks again.

What else comes (the disk's word, receipts, troubles) is bounded by the records and faults it speaks of.
"""


class Inbox:
    """Inputs in their order of coming. `lost` counts the victims; `on_news` is for whoever takes: an input waits."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[Input] = deque()
        self.on_news: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Input) -> None:
        """Give the fold an input; when full, a look or an order is given up, counted and told."""
        if len(self._waiting) >= WAITING_MAX and isinstance(item, Looked | Ordered):
            self.lost += 1
            if self.lost > 1:
                return
            item = Troubled("inbox_full", True)
        self._waiting.append(item)
        self.on_news()

    def take(self) -> Input:
        """The input that waits longest; an IndexError when none does."""
        return self._waiting.popleft()
