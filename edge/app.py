"""The gateway put together: drivers to fold, fold to outputs, outbox and uplink; everything else hangs on these."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import structlog

from edge import beginning, fold, port
from edge.buses import KeptDriver
from edge.clock import Clock
from edge.committer import Committer
from edge.config import Config
from edge.connections import Connections
from edge.core.delivery import Delivery
from edge.core.entries import ALARM, TELEMETRY
from edge.core.io import Input, Looked, Receipted, Stored, Troubled
from edge.core.site import Role
from edge.desired import Desired
from edge.effects import Effects
from edge.inbox import Inbox
from edge.inward import Inward
from edge.lane import LaneBox
from edge.outputs import Outputs
from edge.self_watch import SelfWatch
from edge.store import Loaded, SqliteStore
from edge.uplink import Uplink
from edge.watchdog import Watchdog
from protocol.records import Lane

ALARM_DISK_BYTES = 64 * 1024 * 1024
TELEMETRY_DISK_BYTES = 96 * 1024 * 1024
OFF_S_MAX = 0.5
CLOSE_S_MAX = 0.7

Seqs: TypeAlias = tuple[int, ...]

log = structlog.get_logger("lianfang.app")


class App:
    """One gateway process. `run` until cancelled; it ends within 2 s."""

    def __init__(self, config: Config, desired: Desired | None = None) -> None:
        self.config = config
        self.inbox = Inbox()
        self._desired = desired
        self._watchdog = Watchdog()
        self._outputs: Outputs | None = None
        self._led = 0
        self.alarm = self._box(
            Lane.ALARM,
            lambda seqs: self.put(Stored(seqs)),
            lambda instance, seqs: self.put(Receipted(seqs, instance)),
        )
        self.telemetry = self._box(Lane.TELEMETRY, _no_lamp, _no_lamp)

    async def run(self) -> None:
        """Build from what is on disk, then run everything as named tasks."""
        config, lanes = self.config, (self.alarm, self.telemetry)
        self.committers = {box.lane: Committer(box.lane, box.outbox) for box in lanes}
        kept = [await self._open(box) for box in lanes]
        self.clock = Clock(beginning.floor_ms(config, kept))
        self.me = me = beginning.identity(config, kept, self.clock)
        self.kboot_before = beginning.kboot_before(kept, me.kboot)
        for box in lanes:
            box.me = me
            box.outbox.put([], beginning.chained(me, self.kboot_before))
        self.gateway = beginning.gateway(
            config, kept[0], me, self.clock, lambda: self.put(Troubled("memory_unreadable", True))
        )
        self.drivers = {bus.id: KeptDriver(bus, self.clock.mono_ns) for bus in config.buses}
        self._outputs = outputs = self._outputs_of()
        self.inward = Inward(
            me,
            self.clock,
            config.hub_keys,
            on_order=self.put,
            on_config=self._desired.store if self._desired is not None else lambda text: [],
            on_alarm_receipt=self._alarm_receipted,
            on_behind=self._behind,
        )
        zones = self.gateway.birth_zones
        self.uplink = Uplink(me, *lanes, self.inward, self.clock, zones)
        where = {output.id: output.premises for output in config.site.outputs}
        self.effects = Effects(me, self.clock, lanes, outputs, self.uplink, where)
        log.info("gateway starts", area=me.area, gateway=me.gateway, boot=me.boot, config=me.config)
        try:
            await self._run_tasks(outputs)
        finally:
            await self._end()

    def put(self, item: Input) -> None:
        """Give the fold an input."""
        self.inbox.put(item)

    def save_time(self) -> None:
        """Keep on both cards what time is past: the clock of the next start may not know."""
        for box in (self.alarm, self.telemetry):
            box.emit([], {"wall_ms": b"%d" % self.clock.past_ms()})

    async def _open(self, box: LaneBox) -> Loaded:
        loaded = await self.committers[box.lane].open()
        box.take_up(loaded)
        return loaded

    async def _run_tasks(self, outputs: Outputs) -> None:
        async with asyncio.TaskGroup() as tasks:
            for bus, driver in self.drivers.items():
                tasks.create_task(driver.run(self._looked), name=f"bus {bus}")
                tasks.create_task(outputs.run(bus), name=f"outputs {bus}")
            self.effects.perform(self.gateway.start(self.clock.now()))
            for receipted in beginning.receipted(self.gateway, self.alarm):
                self.put(receipted)
            tasks.create_task(fold.run(self.gateway, self.inbox, self.clock, self.effects), name="fold")
            tasks.create_task(Connections(self.uplink, beginning.endpoint(self.config)).run(), name="connections")
            tasks.create_task(SelfWatch(self).run(), name="self-watch")
            tasks.create_task(self._watchdog.run(), name="watchdog")
            self._watchdog.ready()

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

    def _looked(self, reading: port.Reading) -> None:
        self.put(Looked(reading))

    def _outputs_of(self) -> Outputs:
        bus_of = {device: bus for bus, driver in self.drivers.items() for device in driver.devices}
        outputs = Outputs(self.drivers, bus_of)
        outputs.on_trouble = self._output_trouble
        return outputs

    def _output_trouble(self, output: str, reason: str | None) -> None:
        detail: dict[str, str | int | float | bool] = {"reason": reason[:200]} if reason is not None else {}
        self.put(Troubled(f"output/{output}", reason is not None, detail))

    async def silence(self) -> None:
        """Before the end, while the drivers still run: nobody will be there to end a ringing later.

        The memory keeps it, so a restart in time rings on.
        """
        self._watchdog.stopping()
        if self._outputs is not None:
            sirens = [output.target for output in self.config.site.outputs if output.role is Role.SIREN]
            await self._outputs.all_off(sirens, OFF_S_MAX)

    async def _end(self) -> None:
        self.save_time()
        closed = await asyncio.gather(*(one.close(CLOSE_S_MAX) for one in self.committers.values()))
        log.info("gateway ends", stored=all(closed), alarms_waiting=len(self.alarm.delivery))

    def _box(self, lane: Lane, on_stored: Callable[[Seqs], None], on_receipted: Callable[[str, Seqs], None]) -> LaneBox:
        alarm = lane is Lane.ALARM
        path = self.config.data_dir / f"{lane}.db"
        return LaneBox(
            lane,
            Delivery(ALARM if alarm else TELEMETRY),
            SqliteStore(path, "FULL" if alarm else "NORMAL", ALARM_DISK_BYTES if alarm else TELEMETRY_DISK_BYTES),
            on_stored=on_stored,
            on_receipted=on_receipted,
            on_fault=lambda name, active, detail: self.put(Troubled(name, active, detail)),
        )


def _no_lamp(*words: object) -> None:
    """Telemetry lights no lamp."""
