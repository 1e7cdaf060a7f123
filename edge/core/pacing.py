"""How much telemetry goes into one message, so that an alarm never waits long behind it on a slow link.

One telemetry message is in flight at a time. Its size is steered by the time to the broker's acknowledgement: about
0.2 to 0.4 s of the link's capacity. While an alarm awaits its receipt telemetry stands back, for a bounded time.
"""

from __future__ import annotations

NS = 1_000_000
SIZE_MIN = 512
SIZE_FIRST = 1024
SIZE_MAX_SLOW = 16 * 1024
SIZE_MAX_FAST = 64 * 1024
FAST_BYTES_PER_S = 256 * 1024
QUICK_MS = 80
GOOD_MS = 200
SLOW_MS = 400
HOLD_MS = 2_000
"""How long one alarm without a receipt holds telemetry back."""
HOLD_RUN_MS = 10_000
"""How long alarms one after the other do, before one telemetry message passes between them."""


class Pacing:
    """The size of the next telemetry message in bytes, and whether one may go now. Times are monotonic ns."""

    def __init__(self) -> None:
        self.size = SIZE_FIRST
        self._hold_until_ns = 0
        self._held_since_ns: int | None = None

    def acked(self, size: int, took_ns: int) -> None:
        """A message of `size` bytes was acknowledged after `took_ns`. A small one says nothing about a large one."""
        if took_ns > SLOW_MS * NS:
            self.size = max(SIZE_MIN, self.size // 2)
        elif size >= self.size // 2 and took_ns < GOOD_MS * NS:
            fast = size / max(took_ns, 1) * 1e9 >= FAST_BYTES_PER_S
            grown = self.size * 2 if took_ns < QUICK_MS * NS else self.size + 512
            self.size = min(grown, SIZE_MAX_FAST if fast else max(SIZE_MAX_SLOW, self.size))

    def failed(self) -> None:
        """The link was lost, or the message timed out: start small again."""
        self.size = SIZE_FIRST

    def alarm(self, now_ns: int) -> None:
        """An alarm was made and awaits its receipt."""
        self._hold_until_ns = now_ns + HOLD_MS * NS
        if self._held_since_ns is None:
            self._held_since_ns = now_ns

    def alarms_receipted(self) -> None:
        """No alarm awaits a receipt any more."""
        self._hold_until_ns = 0
        self._held_since_ns = None

    def wait_ns(self, now_ns: int) -> int:
        """How long telemetry must stand back yet; 0 when a message may go."""
        if now_ns >= self._hold_until_ns:
            self._held_since_ns = None
            return 0
        assert self._held_since_ns is not None
        return max(0, min(self._hold_until_ns, self._held_since_ns + HOLD_RUN_MS * NS) - now_ns)

    def sent(self, now_ns: int) -> None:
        """A telemetry message goes; the next run of holding starts here."""
        if self._held_since_ns is not None:
            self._held_since_ns = now_ns
