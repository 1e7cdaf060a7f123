"""The gateway looks after itself: health as telemetry every minute, and a trouble where a limit is crossed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import structlog

from edge import health, port
from edge.clock import Step
from edge.core.io import Troubled
from edge.lane import NS
from edge.workings import Workings
from protocol.records import ClockQuality, Lane

LOOK_S = 5.0
REPORT_LOOKS = int(health.PERIOD_MS / 1000 / LOOK_S)
SAVE_LOOKS = 120
"""Looks between savings of the wall time: every ten minutes, for the sake of the card."""

DISK_SLOW_S = 5.0
"""A transaction that takes longer is a fault of the card: until it ends, records are in memory alone."""

HUB_TOLD_NS = 6 * 3_600 * 1_000_000_000
"""How often the hub's time is told back to it: clocks drift apart meanwhile."""
Detail: TypeAlias = dict[str, str | int | float | bool]

log = structlog.get_logger("lianfang.self_watch")


class Bus(Protocol):
    """As much of a bus's driver as its health."""

    breaks: int

    def health(self) -> list[port.DeviceHealth]: ...


class SelfWatch:
    """Watches one gateway: the machine, the clock, the links, the inbox, the disks, the devices.

    `slow_s` says of each lane how long its disk takes for a transaction; `buses` are the drivers by their bus.
    """

    def __init__(
        self, inside: Workings[Any], slow_s: Mapping[Lane, Callable[[], float]], buses: Mapping[str, Bus]
    ) -> None:
        self._inside, self._slow_s, self._buses = inside, slow_s, buses
        self._watcher = health.Watcher()
        self._looks = 0
        self._link_down = False
        self._clock_unset = False
        self._hub_told_ns: int | None = None
        self._inbox_lost = 0
        self._slow: set[str] = set()

    def look(self, found: dict[str, health.Value]) -> None:
        """One round, every LOOK_S; `found` is what the machine says of itself."""
        self._clock()
        self._link()
        self._inbox()
        self._disk()
        for fault, active, value in self._watcher.judge(found):
            log.warning("health", fault=fault, active=active, value=value)
            self._put(Troubled(fault, active, {"value": value}))
        if self._looks % REPORT_LOOKS == 0:
            self._report(found)
        if self._looks % SAVE_LOOKS == SAVE_LOOKS - 1:
            self._inside.save_time()
        self._looks += 1

    def begin(self) -> None:
        """Before the first look: what the clock is worth, and which kernel boot came before."""
        clock, before = self._inside.clock, self._inside.kboot_before
        if before:
            self._put(Troubled("clock_set", True, {"source": "start", "before": before}))
        self._tell_clock(Step(0, clock.now().quality, clock.error_ms()))

    def _clock(self) -> None:
        step = self._inside.clock.check()
        if step is not None:
            self._tell_clock(step)
        self._tell_hub_time()

    def _tell_clock(self, step: Step) -> None:
        """A clock that is right now lets the hub place what was recorded before in this kernel boot."""
        now = self._inside.clock.now()
        unset = step.quality is ClockQuality.UNSET
        if unset != self._clock_unset:
            self._clock_unset = unset
            self._put(Troubled("clock", unset, {"quality": str(step.quality)}))
        if step.by_ms or step.quality is ClockQuality.SYNCED:
            offset_ms = now.wall_ms - now.mono_ns // NS
            detail: Detail = {"source": "clock", "quality": str(now.quality), "offset_ms": offset_ms}
            if step.error_ms is not None and now.quality is ClockQuality.SYNCED:
                detail["error_ms"] = step.error_ms
            self._put(Troubled("clock_set", True, {**detail, "by_ms": step.by_ms}))

    def _tell_hub_time(self) -> None:
        """Whoever has no time service places by the hub's time: by its receipts it was at least so late."""
        heard, now_ns = self._inside.inward.hub_clock.heard_at(), self._inside.clock.mono_ns()
        if heard is None or (self._hub_told_ns is not None and now_ns - self._hub_told_ns < HUB_TOLD_NS):
            return
        hub_ms, at_ns = heard
        self._hub_told_ns = now_ns
        heard_ms = at_ns // NS + 1
        detail: Detail = {"source": "hub", "offset_ms": hub_ms - heard_ms, "heard_ms": heard_ms}
        self._put(Troubled("clock_set", True, detail))

    def _link(self) -> None:
        since_ns = self._inside.uplink.down_since_ns
        now_ns = self._inside.clock.mono_ns()
        down = since_ns is not None and now_ns - since_ns >= self._inside.me.profile_ms * NS
        if down != self._link_down:
            self._link_down = down
            self._put(Troubled("link", down))

    def _inbox(self) -> None:
        inbox = self._inside.inbox
        lost, self._inbox_lost = inbox.lost - self._inbox_lost, inbox.lost
        if lost:
            log.error("looks at devices, or orders, were given up: the inbox was full", lost=lost)
        elif inbox.lost:
            inbox.lost = self._inbox_lost = 0
            self._put(Troubled("inbox_full", False))

    def _disk(self) -> None:
        for lane, took_s in self._slow_s.items():
            slow_s, fault = took_s(), f"disk_{lane}_slow"
            if (slow_s > DISK_SLOW_S) != (fault in self._slow):
                self._slow ^= {fault}
                log.warning("health", fault=fault, active=fault in self._slow, took_s=round(slow_s, 1))
                self._put(Troubled(fault, fault in self._slow))

    def _report(self, found: dict[str, health.Value]) -> None:
        inside = self._inside
        for point, value in found.items():
            inside.effects.report(point, value)
        inside.effects.report("health/clock", str(inside.clock.now().quality))
        inside.effects.report("health/link_up", inside.uplink.down_since_ns is None)
        inside.effects.report("health/link_failures", inside.uplink.counts.failures)
        inside.effects.report("health/alarms_waiting", len(inside.alarm.delivery))
        inside.effects.report("health/telemetry_waiting", len(inside.telemetry.delivery))
        inside.effects.report("health/messages_refused", sum(inside.inward.refused.values()))
        for bus, driver in self._buses.items():
            inside.effects.report(f"health/bus/{bus}/breaks", driver.breaks)
            for device in driver.health():
                inside.effects.report(f"health/device/{device.device}/online", device.online)
                inside.effects.report(f"health/device/{device.device}/polls", device.polls)
                inside.effects.report(f"health/device/{device.device}/failures", sum(device.failures.values()))
                if device.latency_ms is not None:
                    inside.effects.report(f"health/device/{device.device}/latency_ms", round(device.latency_ms, 2))

    def _put(self, trouble: Troubled) -> None:
        self._inside.inbox.put(trouble)


async def run(watch: SelfWatch, data_dir: Path) -> None:
    """Look until cancelled."""
    watch.begin()
    while True:
        watch.look(await asyncio.to_thread(health.look, data_dir))
        await asyncio.sleep(LOOK_S)
