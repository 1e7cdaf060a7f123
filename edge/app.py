"""The gateway put together: drivers to fold, fold to outputs, outbox and uplink; everything else hangs on these."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence

import structlog

from edge import beginning, fold, port, self_watch
from edge.answers import Answers
from edge.buses import KeptDriver
from edge.clock import Clock
from edge.committer import Committer
from edge.config import Config
from edge.connections import Connections
from edge.core.io import Looked, Troubled
from edge.core.site import Role
from edge.desired import Desired
from edge.inbox import Inbox
from edge.lane import LaneBox
from edge.outputs import Outputs
from edge.self_watch import SelfWatch
from edge.store import Loaded, SqliteStore
from edge.watchdog import Watchdog
from edge.workings import Workings, lane_of
from protocol.messages import Result
from protocol.records import Lane

ALARM_DISK_BYTES = 64 * 1024 * 1024
TELEMETRY_DISK_BYTES = 96 * 1024 * 1024
OFF_S_MAX = 0.5
CLOSE_S_MAX = 0.7

log = structlog.get_logger("lianfang.app")


class App:
    """One gateway process. `run` until cancelled; it ends within 2 s."""

    def __init__(self, config: Config, desired: Desired | None = None) -> None:
        self.config = config
        self._inbox = Inbox()
        self._desired = desired
        self._watchdog = Watchdog()
        self._outputs: Outputs | None = None
        self._lanes = (self._lane(Lane.ALARM), self._lane(Lane.TELEMETRY))

    async def run(self) -> None:
        """Build from what is on disk, then run everything as named tasks."""
        config = self.config
        self._committers = {box.lane: Committer(box.lane, box.outbox) for box in self._lanes}
        kept = [await self._open(box) for box in self._lanes]
        clock = Clock(beginning.floor_ms(config, kept))
        me = beginning.identity(config, kept, clock)
        self._drivers = {bus.id: KeptDriver(bus, clock.mono_ns) for bus in config.buses}
        self._outputs = outputs = self._outputs_of()
        self._inside = Workings(
            config.site,
            me,
            clock,
            self._inbox,
            self._lanes,
            kept,
            config.hub_keys,
            on_config=self._desired.store if self._desired is not None else lambda text: [],
            drive=outputs.drive,
            answer=Answers(self._reply).answer,
        )
        log.info("gateway starts", area=me.area, gateway=me.gateway, boot=me.boot, config=me.config)
        try:
            await self._run_tasks(self._inside, outputs)
        finally:
            await self._end(self._inside)

    async def _open(self, box: LaneBox) -> Loaded:
        loaded = await self._committers[box.lane].open()
        box.take_up(loaded)
        return loaded

    async def _run_tasks(self, inside: Workings[Awaitable[str | None]], outputs: Outputs) -> None:
        slow_s = {lane: committer.slow_s for lane, committer in self._committers.items()}
        watch = SelfWatch(inside, slow_s, self._drivers)
        async with asyncio.TaskGroup() as tasks:
            for bus, driver in self._drivers.items():
                tasks.create_task(driver.run(self._looked), name=f"bus {bus}")
                tasks.create_task(outputs.run(bus), name=f"outputs {bus}")
            inside.start()
            tasks.create_task(fold.run(inside.fold, inside.inbox), name="fold")
            tasks.create_task(Connections(inside.uplink, beginning.endpoint(self.config)).run(), name="connections")
            tasks.create_task(self_watch.run(watch, self.config.data_dir), name="self-watch")
            tasks.create_task(self._watchdog.run(), name="watchdog")
            self._watchdog.ready()

    def _reply(self, order: str, results: Sequence[Result], failed: Mapping[str, str]) -> None:
        self._inside.effects.reply(order, results, failed)

    def _looked(self, reading: port.Reading) -> None:
        self._inbox.put(Looked(reading))

    def _outputs_of(self) -> Outputs:
        bus_of = {device: bus for bus, driver in self._drivers.items() for device in driver.devices}
        beating = [output.id for output in self.config.site.outputs if output.pulses]
        outputs = Outputs(self._drivers, bus_of, beating)
        outputs.on_trouble = self._output_trouble
        return outputs

    def _output_trouble(self, output: str, reason: str | None) -> None:
        detail: dict[str, str | int | float | bool] = {"reason": reason[:200]} if reason is not None else {}
        self._inbox.put(Troubled(f"output/{output}", reason is not None, detail))

    @property
    def quiet(self) -> bool:
        """Whether no siren sounds; asked of a gateway that runs."""
        return not self._inside.gateway.memory().rings

    async def silence(self) -> None:
        """Before the end, while the drivers still run: nobody will be there to end a ringing later.

        The memory keeps it, so a restart in time rings on.
        """
        self._watchdog.stopping()
        if self._outputs is not None:
            sirens = [output.target for output in self.config.site.outputs if output.role is Role.SIREN]
            await self._outputs.all_off(sirens, OFF_S_MAX)

    async def _end(self, inside: Workings[Awaitable[str | None]]) -> None:
        inside.save_time()
        closed = await asyncio.gather(*(one.close(CLOSE_S_MAX) for one in self._committers.values()))
        log.info("gateway ends", stored=all(closed), alarms_waiting=len(inside.alarm.delivery))

    def _lane(self, lane: Lane) -> LaneBox:
        alarm = lane is Lane.ALARM
        path = self.config.data_dir / f"{lane}.db"
        bytes_max = ALARM_DISK_BYTES if alarm else TELEMETRY_DISK_BYTES
        return lane_of(lane, SqliteStore(path, "FULL" if alarm else "NORMAL", bytes_max), self._inbox)
