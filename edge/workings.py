"""A gateway process without its tasks: lanes, fold, effects and uplink as they hang together.

`edge.app` drives it in asyncio, the simulated world in virtual time: neither decides anything of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge import beginning
from edge.clock import Clock
from edge.core.delivery import Delivery
from edge.core.entries import ALARM, TELEMETRY
from edge.core.io import Receipted, Stored, Troubled
from edge.core.site import Site
from edge.effects import Effects, Trial
from edge.fold import Fold
from edge.inbox import Inbox
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.store import Loaded, Store
from edge.uplink import Uplink
from protocol.faults import Fault
from protocol.messages import Result
from protocol.records import Lane

log = structlog.get_logger("lianfang.workings")


def lane_of(lane: Lane, store: Store, inbox: Inbox, make: Callable[..., LaneBox] = LaneBox) -> LaneBox:
    """A lane whose word reaches the fold; telemetry lights no lamp."""
    alarm = lane is Lane.ALARM
    return make(
        lane,
        Delivery(ALARM if alarm else TELEMETRY),
        store,
        on_stored=(lambda seqs: inbox.put(Stored(seqs))) if alarm else _no_lamp,
        on_receipted=(lambda instance, seqs: inbox.put(Receipted(seqs, instance))) if alarm else _no_lamp,
        on_fault=lambda name, active, detail: inbox.put(Troubled(name, active, detail)),
    )


class Workings(Generic[Trial]):
    """From what both lanes' disks had. `drive` and `answer` are the driver's, as edge.effects has them; `on_config`
    takes in a desired configuration and gives its faults."""

    def __init__(
        self,
        site: Site,
        me: Identity,
        clock: Clock,
        inbox: Inbox,
        lanes: tuple[LaneBox, LaneBox],
        kept: list[Loaded],
        keys: Mapping[str, Ed25519PublicKey],
        *,
        on_config: Callable[[str], Sequence[Fault]],
        drive: Callable[[str, str, bool], Trial],
        answer: Callable[[str, tuple[Result, ...], list[tuple[str, Trial]]], None],
    ) -> None:
        self.me, self.clock, self.inbox = me, clock, inbox
        self.alarm, self.telemetry = lanes
        self.kboot_before = beginning.kboot_before(kept, me.kboot)
        for box in lanes:
            box.me = me
            box.outbox.put([], beginning.chained(me, self.kboot_before))
        self.gateway = beginning.gateway(
            site, kept[0], me, clock, lambda: inbox.put(Troubled("memory_unreadable", True))
        )
        self.inward = Inward(
            me,
            clock,
            keys,
            on_order=inbox.put,
            on_config=on_config,
            on_alarm_receipt=self._alarm_receipted,
            on_behind=self._behind,
        )
        self.uplink = Uplink(me, *lanes, self.inward, clock, self.gateway.birth_zones)
        where = {output.id: output.premises for output in site.outputs}
        self.effects = Effects(me, clock, lanes, self.uplink, where, drive=drive, answer=answer)
        self.fold = Fold(self.gateway, inbox, clock, self.effects.perform)
        self._led = 0

    def start(self) -> None:
        """What the fold begins with, and what the last process heard and could not remember."""
        self.effects.perform(self.gateway.start(self.clock.now()))
        for receipted in beginning.receipted(self.gateway, self.alarm):
            self.inbox.put(receipted)

    def save_time(self) -> None:
        """Keep on both cards what time is past: the clock of the next start may not know."""
        for box in (self.alarm, self.telemetry):
            box.emit([], {"wall_ms": b"%d" % self.clock.past_ms()})

    def _alarm_receipted(self) -> None:
        self.uplink.alarm_receipted()

    def _behind(self, boot: int) -> None:
        """The next process leads the boot number, and this one speaks with it."""
        if boot > self._led:
            log.warning("the hub knows a later process of this gateway", boot=self.me.boot, led=boot)
            self._led = boot
            self.uplink.lead(boot)
            for box in (self.alarm, self.telemetry):
                box.outbox.put([], {"boot": b"%d" % boot})


def _no_lamp(*words: object) -> None:
    """Telemetry lights no lamp."""
