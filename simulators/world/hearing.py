"""What a gateway's processes were told by the hub, and whether they kept to it: credit, and no urgent record waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.entries import ALARM, Batch
from protocol.codec import decode
from protocol.kinds import Priority
from protocol.messages import HubSession, Receipt
from protocol.records import Event, Lane

if TYPE_CHECKING:
    from simulators.world.process import Process
    from simulators.world.world import World

WAIT_MS = 2_000
"""How long a P1 or P2 may wait for a line that is free."""


@dataclass
class _Hold:
    """A lane whose credit is none: since when, and what was sent since."""

    since_ms: int
    sent: int = 0


@dataclass
class _Ears:
    credit_ms: int = 0
    held: dict[Lane, _Hold] = field(default_factory=dict)
    sessions: dict[Lane, str] = field(default_factory=dict)


class Hearing:
    """Of every process: its sessions, its holds, and its records that were not sent yet. `waited_ms` is the longest
    that one of P1 or P2 waited for a line that was free."""

    def __init__(self, world: World, broken: Callable[[str, str], None]) -> None:
        self.waited_ms = 0
        self._world, self._broken = world, broken
        self._first: dict[tuple[str, int], tuple[int, bool]] = {}
        self._ears: dict[str, _Ears] = {}

    def began(self, process: Process) -> None:
        """A process begins."""
        self._ears[process.me.instance] = _Ears()

    def emitted(self, process: Process, event: Event) -> None:
        """A record was made."""
        self._first[process.me.instance, event.seq] = (self._world.loop.now_ms, event.priority <= Priority.P2)

    def sent(self, process: Process, lane: Lane, batch: Batch) -> None:
        """A batch was handed to a link."""
        now_ms = self._world.loop.now_ms
        held = self._ears[process.me.instance].held.get(lane)
        if held is not None:
            held.sent += sum(entry.priority > 1 or entry.sends > 1 for entry in batch.entries)  # a new P1 may pass
            allowed = 1 + (now_ms - held.since_ms) // ALARM.probe_ms
            if held.sent > allowed:
                text = f"{process.me.gateway} sent {held.sent} records of {lane} while told to hold; allowed {allowed}"
                self._broken("credit", text)
        if lane is Lane.ALARM:
            for entry in batch.entries:
                self._waited(process, entry.instance, entry.seq, now_ms)

    def _waited(self, process: Process, instance: str, seq: int, now_ms: int) -> None:
        made = self._first.pop((instance, seq), None)
        if made is None or not made[1] or instance != process.me.instance:
            return
        ears = self._ears[instance]
        if Lane.ALARM in ears.held:
            return
        line_ms = self._world.free_since_ms(process.me.gateway)
        free_ms = max(made[0], process.free_since_ms(), line_ms, ears.credit_ms)
        self.waited_ms = max(self.waited_ms, now_ms - free_ms)
        if now_ms - free_ms > WAIT_MS:
            self._broken("waiting", f"record {seq} of {process.me.gateway} waited {now_ms - free_ms} ms on a free line")

    def hears(self, process: Process, lane: Lane, topic: str, data: bytes) -> None:
        """A message from the hub came to a process."""
        ears = self._ears[process.me.instance]
        if topic.startswith("lf/1/hub/"):
            session = decode(data, HubSession)
            if session.online and ears.sessions.get(lane) != session.session:
                ears.sessions[lane] = session.session
                if ears.held.pop(lane, None) is not None and lane is Lane.ALARM:
                    ears.credit_ms = self._world.loop.now_ms
        elif topic.endswith("/receipt"):
            found = decode(data, Receipt)
            if found.lane is lane:
                if found.credit == 0:
                    ears.held.setdefault(lane, _Hold(self._world.loop.now_ms))
                elif ears.held.pop(lane, None) is not None and lane is Lane.ALARM:
                    ears.credit_ms = self._world.loop.now_ms
