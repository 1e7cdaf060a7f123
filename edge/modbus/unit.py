"""One device of a bus as the engine sees it: its plan, its slots, its back-off, and the readings its answers make.

No clock and no wire: time is an argument. One answer makes one reading of the points of its block, so that a contact's
reading is not held back by another block's time-out and its interval (since, at] is that of its own block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edge.modbus import backoff, values
from edge.modbus.backoff import Answered, Answering, Policy, Silent
from edge.modbus.plan import Block, plan
from edge.modbus.schedule import next_slot
from edge.port import Device, DeviceHealth, Reading, Value


class Unit:
    """A device with its place in the schedule and its history."""

    def __init__(self, device: Device, policy: Policy) -> None:
        self.device, self.policy = device, policy
        self.blocks = plan(device.profile)
        self.answering = Answering()
        self._slot_ns = 0
        self._good_ns: dict[Block, int] = {}
        self._online = False
        self._polls, self._failures = 0, Counter[str]()
        self._latency_ms: float | None = None

    @property
    def due_ns(self) -> int:
        """When it wants the bus: its next slot, or its probe when it is silent."""
        return self._slot_ns if self.answering.well else max(self._slot_ns, self.answering.retry_at_ns)

    @property
    def probing(self) -> bool:
        """Whether asking it will probably cost a time-out."""
        return not self.answering.well

    def start(self, now_ns: int) -> None:
        """Put the first slot of its grid at `now_ns`."""
        self._slot_ns = now_ns

    def begin_poll(self, now_ns: int) -> None:
        """A poll begins: count it and move on to the next slot."""
        self._polls += 1
        self._slot_ns = next_slot(self._slot_ns, self.device.poll_ms * 1_000_000, now_ns)

    def answered(self, block: Block, words: Sequence[int], at_ns: int, latency_ns: int) -> Reading:
        """A block came."""
        self.spoke()
        self._latency_ms = latency_ns / 1e6
        since_ns = self._good_ns.get(block, at_ns)
        self._good_ns[block] = at_ns
        good: dict[str, Value] = {}
        failed: dict[str, str] = {}
        for name in block.points:
            point = self.device.profile.points[name]
            first = point.address - block.address
            try:
                good[name] = values.decode(point, words[first : first + point.words])
            except ValueError as error:
                failed[name] = str(error)
                self._failures["value"] += 1
        return Reading(self.device.id, at_ns, since_ns, good, failed)

    def refused(self, block: Block, reason: str, at_ns: int) -> Reading:
        """The unit answered one block with an exception: its other blocks are as good as before."""
        self.spoke()
        self._failures["exception"] += 1
        self._good_ns.pop(block, None)
        return Reading(self.device.id, at_ns, at_ns, failed=dict.fromkeys(block.points, reason))

    def silent(self, reason: str, at_ns: int, jitter: float) -> Reading:
        """The unit let a request time out: nothing is known of any of its points."""
        self.answering = backoff.step(self.answering, Silent(at_ns, jitter), self.policy)
        self._failures["timeout"] += 1
        return self._all_failed(reason, at_ns)

    def cut_off(self, reason: str, at_ns: int) -> Reading:
        """The connection is gone; that says nothing about whether the unit would answer."""
        self._failures["connection"] += 1
        return self._all_failed(reason, at_ns)

    def spoke(self) -> None:
        """The unit said something."""
        self.answering = backoff.step(self.answering, Answered(), self.policy)
        self._online = True

    def health(self) -> DeviceHealth:
        """Counters since start."""
        return DeviceHealth(self.device.id, self._online, self._polls, dict(self._failures), self._latency_ms)

    def _all_failed(self, reason: str, at_ns: int) -> Reading:
        self._online = False
        self._good_ns.clear()
        return Reading(self.device.id, at_ns, at_ns, failed=dict.fromkeys(self.device.profile.points, reason))
