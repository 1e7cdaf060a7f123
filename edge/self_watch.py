"""The gateway looks after itself: health as telemetry every minute, and a trouble where a limit is crossed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import structlog

from edge import health
from edge.clock import Step
from edge.core.io import Troubled
from edge.lane import NS
from protocol.records import ClockQuality

if TYPE_CHECKING:
    from edge.app import App

LOOK_S = 5.0
SAVE_LOOKS = 120
"""Looks between savings of the wall time: every ten minutes, for the sake of the card."""

DISK_SLOW_S = 5.0
"""A transaction that takes longer is a fault of the card: until it ends, records are in memory alone."""

HUB_TOLD_NS = 6 * 3_600 * 1_000_000_000
"""How often the hub's time is told back to it: clocks drift apart meanwhile."""
Detail: TypeAlias = dict[str, str | int | float | bool]

log = structlog.get_logger("lianfang.self_watch")


class SelfWatch:
    """Watches one app: the machine, the clock, the links, the inbox, the devices."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._watcher = health.Watcher()
        self._link_down = False
        self._clock_unset = False
        self._hub_told_ns: int | None = None
        self._inbox_lost = 0
        self._slow: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        every = int(health.PERIOD_MS / 1000 / LOOK_S)
        look = 0
        self._begin()
        while True:
            self._clock()
            self._link()
            self._inbox()
            self._disk()
            found = await asyncio.to_thread(health.look, self._app.config.data_dir)
            for fault, active, value in self._watcher.judge(found):
                log.warning("health", fault=fault, active=active, value=value)
                self._app.put(Troubled(fault, active, {"value": value}))
            if look % every == 0:
                self._report(found)
            if look % SAVE_LOOKS == SAVE_LOOKS - 1:
                self._app.save_time()
            look += 1
            await asyncio.sleep(LOOK_S)

    def _begin(self) -> None:
        clock, before = self._app.clock, self._app.kboot_before
        if before:
            self._app.put(Troubled("clock_set", True, {"source": "start", "before": before}))
        self._tell_clock(Step(0, clock.now().quality, clock.error_ms()))

    def _clock(self) -> None:
        step = self._app.clock.check()
        if step is not None:
            self._tell_clock(step)
        self._tell_hub_time()

    def _tell_clock(self, step: Step) -> None:
        """A clock that is right now lets the hub place what was recorded before in this kernel boot."""
        now = self._app.clock.now()
        unset = step.quality is ClockQuality.UNSET
        if unset != self._clock_unset:
            self._clock_unset = unset
            self._app.put(Troubled("clock", unset, {"quality": str(step.quality)}))
        if step.by_ms or step.quality is ClockQuality.SYNCED:
            offset_ms = now.wall_ms - now.mono_ns // NS
            detail: Detail = {"source": "clock", "quality": str(now.quality), "offset_ms": offset_ms}
            if step.error_ms is not None and now.quality is ClockQuality.SYNCED:
                detail["error_ms"] = step.error_ms
            self._app.put(Troubled("clock_set", True, {**detail, "by_ms": step.by_ms}))

    def _tell_hub_time(self) -> None:
        """Whoever has no time service places by the hub's time: by its receipts it was at least so late."""
        heard, now_ns = self._app.inward.hub_clock.heard_at(), self._app.clock.mono_ns()
        if heard is None or (self._hub_told_ns is not None and now_ns - self._hub_told_ns < HUB_TOLD_NS):
            return
        hub_ms, at_ns = heard
        self._hub_told_ns = now_ns
        heard_ms = at_ns // NS + 1
        detail: Detail = {"source": "hub", "offset_ms": hub_ms - heard_ms, "heard_ms": heard_ms}
        self._app.put(Troubled("clock_set", True, detail))

    def _link(self) -> None:
        since_ns = self._app.uplink.down_since_ns
        now_ns = self._app.clock.mono_ns()
        down = since_ns is not None and now_ns - since_ns >= self._app.me.profile_ms * NS
        if down != self._link_down:
            self._link_down = down
            self._app.put(Troubled("link", down))

    def _inbox(self) -> None:
        inbox = self._app.inbox
        lost, self._inbox_lost = inbox.lost - self._inbox_lost, inbox.lost
        if lost:
            log.error("looks at devices, or orders, were given up: the inbox was full", lost=lost)
        elif inbox.lost:
            inbox.lost = self._inbox_lost = 0
            self._app.put(Troubled("inbox_full", False))

    def _disk(self) -> None:
        for lane, committer in self._app.committers.items():
            slow_s, fault = committer.slow_s(), f"disk_{lane}_slow"
            if (slow_s > DISK_SLOW_S) != (fault in self._slow):
                self._slow ^= {fault}
                log.warning("health", fault=fault, active=fault in self._slow, took_s=round(slow_s, 1))
                self._app.put(Troubled(fault, fault in self._slow))

    def _report(self, found: dict[str, health.Value]) -> None:
        app = self._app
        for point, value in found.items():
            app.effects.report(point, value)
        app.effects.report("health/clock", str(app.clock.now().quality))
        app.effects.report("health/link_up", app.uplink.down_since_ns is None)
        app.effects.report("health/link_failures", app.uplink.counts.failures)
        app.effects.report("health/alarms_waiting", len(app.alarm.delivery))
        app.effects.report("health/telemetry_waiting", len(app.telemetry.delivery))
        app.effects.report("health/messages_refused", sum(app.inward.refused.values()))
        for bus, driver in app.drivers.items():
            app.effects.report(f"health/bus/{bus}/breaks", driver.breaks)
            for device in driver.health():
                app.effects.report(f"health/device/{device.device}/online", device.online)
                app.effects.report(f"health/device/{device.device}/polls", device.polls)
                app.effects.report(f"health/device/{device.device}/failures", sum(device.failures.values()))
                if device.latency_ms is not None:
                    app.effects.report(f"health/device/{device.device}/latency_ms", round(device.latency_ms, 2))
