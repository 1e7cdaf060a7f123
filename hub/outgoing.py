"""What the hub has to say to gateways: orders before receipts (but for their own gateway's),
receipts before configurations, bounded.

An order that finds no room is sent again by the desk's own retry; a receipt that is lost is asked for by a resend; a
configuration waits at who composed it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from protocol.link import Said
from protocol.records import Lane
from protocol.topics import Channel

ORDERS_MAX = 4_096
RECEIPTS_MAX = 4_096
CONFIGS_MAX = 256


class Outgoing:
    """Waiting publications of one connection. The victim is the newest order, or the oldest receipt.

    `on_news` hears of each that comes.
    """

    def __init__(self) -> None:
        self.on_news: Callable[[], None] = lambda: None
        self._orders: deque[tuple[str, bytes]] = deque()
        self._receipts: dict[str, bytes] = {}
        self._configs: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._orders) + len(self._receipts) + len(self._configs)

    def order(self, topic: str, data: bytes) -> bool:
        """Queue an order; False when there is no room."""
        if len(self._orders) >= ORDERS_MAX:
            return False
        self._orders.append((topic, data))
        self.on_news()
        return True

    def receipt(self, topic: str, lane: str, data: bytes) -> None:
        """Queue a receipt in place of an older one of the same gateway and lane, which says less."""
        self._receipts.pop(f"{lane} {topic}", None)
        if len(self._receipts) >= RECEIPTS_MAX:
            del self._receipts[next(iter(self._receipts))]
        self._receipts[f"{lane} {topic}"] = data
        self.on_news()

    def config(self, topic: str, data: bytes) -> bool:
        """Queue a configuration, to be retained, in place of an older one of the same gateway; False when there is no
        room."""
        if topic not in self._configs and len(self._configs) >= CONFIGS_MAX:
            return False
        self._configs[topic] = data
        self.on_news()
        return True

    def take(self) -> Said | None:
        """What is published next; it waits no more, for whatever is lost is said again."""
        if self._orders:
            # what the hub had before an order is told before it: a stand-down says nothing of presses not receipted
            before = f"{Lane.ALARM} {self._orders[0][0].rpartition('/')[0]}/{Channel.RECEIPT}"
            if before in self._receipts:
                return Said(before.partition(" ")[2], self._receipts.pop(before))
            return Said(*self._orders.popleft())
        if self._receipts:
            key = next(iter(self._receipts))
            return Said(key.partition(" ")[2], self._receipts.pop(key))
        if self._configs:
            where = next(iter(self._configs))
            return Said(where, self._configs.pop(where), retain=True)
        return None
