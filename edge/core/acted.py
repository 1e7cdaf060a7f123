"""Which orders have been acted on: each acts once, in its time, and never again when time goes back."""

from __future__ import annotations

from collections import deque

from edge.core.io import Memory
from protocol.messages import Order, Result

LIFE_MAX_MS = 24 * 3_600_000
"""Longest time to live of an order, ms; its id is remembered so long, so it is bounded."""
ORDERS_MAX = 4_096
"""Orders remembered as acted on. With so many still living a new one is refused: to forget one could repeat it."""
ANSWERS_MAX = 256


class Acted:
    """`expiries` maps an order to its expiry, `expired_ms` is the latest expiry of those forgotten; hub ms."""

    def __init__(self, memory: Memory) -> None:
        self.expiries = dict(memory.acted)
        self.expired_ms = memory.expired_ms
        self._answers: dict[str, tuple[Result, ...]] = {}
        self._recent: deque[str] = deque()

    def __contains__(self, order: str) -> bool:
        return order in self.expiries

    def answer(self, order: str) -> tuple[Result, ...] | None:
        """What was answered to it, where that is still known."""
        return self._answers.get(order)

    def reason_against(self, order: Order, hub_ms: int | None) -> str | None:
        """Why an order must not act at `hub_ms`, None where the hub's time is unknown; None if it may."""
        if hub_ms is None:
            return "the hub's time is not known here yet, so the order may be an old one"
        if hub_ms > order.expires_ms:
            return f"expired {hub_ms - order.expires_ms} ms ago"
        if order.expires_ms - hub_ms > LIFE_MAX_MS:
            return f"expires in {order.expires_ms - hub_ms} ms; allowed: at most {LIFE_MAX_MS} ms"
        self._forget(hub_ms)
        if order.expires_ms <= self.expired_ms:
            return "expired with orders acted on and forgotten since; the hub's time seems to have gone back"
        if len(self.expiries) >= ORDERS_MAX:
            return f"{ORDERS_MAX} orders have not expired yet; no more are taken until one has"
        return None

    def remember(self, order: Order, results: tuple[Result, ...]) -> None:
        """It acted, with these results."""
        self.expiries[order.id] = order.expires_ms
        self._answers[order.id] = results
        self._recent.append(order.id)
        if len(self._recent) > ANSWERS_MAX:
            self._answers.pop(self._recent.popleft(), None)

    def _forget(self, hub_ms: int) -> None:
        """Forget orders that have expired, but not how far that went: were the hub's time set back (receipts are not
        signed), an old order would be good once more."""
        expired = [expires_ms for expires_ms in self.expiries.values() if expires_ms < hub_ms]
        self.expired_ms = max([self.expired_ms, *expired])
        self.expiries = {known: expires_ms for known, expires_ms in self.expiries.items() if expires_ms >= hub_ms}
