"""The gateway put together: drivers to fold, fold to outputs, outbox and uplink; everything else hangs on these."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Awaitable, Sequence
from importlib.metadata import version

import msgspec
import structlog

from edge import port
from edge.buses import KeptDriver
from edge.clock import Clock, kernel_boot
from edge.config import Config
from edge.core.bounds import stamp_at
from edge.core.delivery import Delivery
from edge.core.entries import ALARM, TELEMETRY
from edge.core.gateway import Gateway
from edge.core.io import (
    Answer,
    Drive,
    Effect,
    Emit,
    Input,
    Looked,
    Memory,
    Receipted,
    Remember,
    Report,
    Stored,
    Tick,
    Troubled,
)
from edge.core.site import Role
from edge.desired import Desired
from edge.inward import Inward
from edge.lane import Identity, LaneBox
from edge.outputs import Outputs
from edge.self_watch import SelfWatch
from edge.store import Loaded, SqliteStore
from edge.uplink import Uplink
from edge.watchdog import Watchdog
from protocol.link import Endpoint
from protocol.messages import VERSION, Outcome, Reply, Result
from protocol.records import ClockQuality, Event, Lane, Reading

INBOX_MAX = 10_000
"""Inputs waiting for the fold. Beyond it the newest look at a device is given up: the next look says how it is."""
STEPS_MAX = 200
"""Inputs taken in one go before the other tasks have their turn."""
ALARM_DISK_BYTES = 64 * 1024 * 1024
TELEMETRY_DISK_BYTES = 96 * 1024 * 1024
OFF_S_MAX = 0.5
ANSWER_S_MAX = 5.0
"""How long a reply waits to know whether the sirens obeyed."""
CLOSE_S_MAX = 0.7

log = structlog.get_logger("lianfang.app")


class App:
    """One gateway process. `run` until cancelled; it ends within 2 s."""

    def __init__(self, config: Config, desired: Desired | None = None) -> None:
        self.config = config
        self._desired = desired
        self._inbox: deque[Input] = deque()
        self._wake = asyncio.Event()
        self._watchdog = Watchdog()
        self._seq = 0
        self.inbox_lost = 0
        self._background: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Build from what is on disk, then run everything as named tasks."""
        config = self.config
        self.alarm, self.telemetry = self._box(Lane.ALARM), self._box(Lane.TELEMETRY)
        kept = [await self.alarm.open(), await self.telemetry.open()]
        self.clock = Clock(_saved(kept, "wall_ms"))
        self.me = self._identity(kept)
        for box in (self.alarm, self.telemetry):
            box.me = self.me
            box.outbox.put([], {"boot": b"%d" % self.me.boot})
        now = self.clock.now()
        self.gateway = Gateway(config.site, self._memory(kept[0]), boot=self.me.boot, kboot=self.me.kboot, now=now)
        self.drivers = {bus.id: KeptDriver(bus, self.clock.mono_ns) for bus in config.buses}
        bus_of = {device: bus for bus, driver in self.drivers.items() for device in driver.devices}
        self.outputs = Outputs(self.drivers, bus_of)
        self.outputs.on_trouble = self._output_trouble
        self.inward = Inward(
            self.me,
            self.clock,
            config.hub_keys,
            on_order=self.put,
            on_config=self._desired.store if self._desired is not None else lambda text: [],
            on_alarm_receipt=self._receipt_came,
        )
        self.uplink = Uplink(
            self.me,
            _endpoint(config),
            self.alarm,
            self.telemetry,
            self.inward,
            self.clock,
            self.gateway.birth_zones,
        )
        log.info("gateway starts", area=self.me.area, gateway=self.me.gateway, boot=self.me.boot, config=self.me.config)
        try:
            await self._run_tasks()
        finally:
            await self._end()

    def put(self, item: Input) -> None:
        """Give the fold an input. When the inbox is full the newest look is the victim, counted and told."""
        if len(self._inbox) >= INBOX_MAX and isinstance(item, Looked):
            self.inbox_lost += 1
            if self.inbox_lost == 1:
                self._inbox.append(Troubled("inbox_full", True))
            return
        self._inbox.append(item)
        self._wake.set()

    async def _run_tasks(self) -> None:
        watch = SelfWatch(self)
        async with asyncio.TaskGroup() as tasks:
            for bus, driver in self.drivers.items():
                tasks.create_task(driver.run(self._looked), name=f"bus {bus}")
                tasks.create_task(self.outputs.run(bus), name=f"outputs {bus}")
            self._perform(self.gateway.start(self.clock.now()))
            tasks.create_task(self._pump(), name="fold")
            tasks.create_task(self.uplink.run(), name="uplink")
            tasks.create_task(watch.run(), name="self-watch")
            tasks.create_task(self._feed_watchdog(), name="watchdog")
            self._watchdog.ready()

    def _looked(self, reading: port.Reading) -> None:
        self.put(Looked(reading))

    async def _pump(self) -> None:
        """Take the inputs in their order; deadlines only once none is waiting."""
        while True:
            self._wake.clear()
            for _ in range(STEPS_MAX):
                if not self._inbox:
                    break
                self._perform(self.gateway.step(self._inbox.popleft(), self.clock.now()))
            if self._inbox:
                await asyncio.sleep(0)
                continue
            due_ns = self.gateway.next_due_ns()
            now = self.clock.now()
            if due_ns is not None and due_ns <= now.mono_ns:
                self._perform(self.gateway.step(Tick(), now))
                await asyncio.sleep(0)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due_ns is None else (due_ns - now.mono_ns) / 1e9):
                    await self._wake.wait()

    def _perform(self, effects: Sequence[Effect]) -> None:
        """Outbox and uplink take the records of a step side by side; outputs and answers go their own ways."""
        if not effects:
            return
        events = [effect.event for effect in effects if isinstance(effect, Emit)]
        memories = [effect.memory for effect in effects if isinstance(effect, Remember)]
        if events or memories:
            self._emit(events, memories)
        tried: list[tuple[str, Awaitable[str | None]]] = []
        for effect in effects:
            match effect:
                case Drive(output, target, on):
                    tried.append((output, self.outputs.drive(output, target, on)))
                case Report(point, value, at_ns):
                    self.report(point, value, at_ns)
                case Answer(order, results):
                    task = asyncio.create_task(self._answer(order, results, list(tried)), name=f"answer {order}")
                    self._background.add(task)
                    task.add_done_callback(self._background.discard)
                case _:
                    pass

    def _emit(self, events: list[Event], memories: list[Memory]) -> None:
        values = {"memory": msgspec.json.encode(memories[-1])} if memories else None
        self.alarm.emit(events, values)
        if events:
            self.uplink.alarm_made()

    def report(self, point: str, value: bool | int | float | str, at_ns: int | None = None) -> None:
        """Number and stamp a telemetry record."""
        now = self.clock.now()
        self._seq += 1
        at = stamp_at(now, now.mono_ns if at_ns is None else at_ns)
        self.telemetry.report(Reading(self._seq, point, value, at))

    async def _answer(
        self, order: str, results: tuple[Result, ...], tried: list[tuple[str, Awaitable[str | None]]]
    ) -> None:
        """Reply once the outputs of this step were tried: a siren that did not obey is no DONE."""
        premises = {output.id: output.premises for output in self.config.site.outputs}
        failed: dict[str, str] = {}
        for output, outcome in tried:
            try:
                async with asyncio.timeout(ANSWER_S_MAX):
                    reason = await outcome
            except TimeoutError:
                reason = f"still being tried after {ANSWER_S_MAX} s"
            if reason is not None:
                failed[premises[output]] = f"{output}: {reason}"[:512]
        told = [
            msgspec.structs.replace(result, outcome=Outcome.FAILED, reason=failed[result.premises])
            if result.premises in failed and result.outcome is Outcome.DONE
            else result
            for result in results
        ]
        self.uplink.replies.put(Reply(VERSION, self.me.instance, self.me.boot, order, told, at=self.clock.now()))

    def _output_trouble(self, output: str, reason: str | None) -> None:
        detail: dict[str, str | int | float | bool] = {"reason": reason[:200]} if reason is not None else {}
        self.put(Troubled(f"output/{output}", reason is not None, detail))

    def _receipt_came(self) -> None:
        self.uplink.alarm_receipted()

    async def _feed_watchdog(self) -> None:
        if self._watchdog.period_s is None:
            return
        while True:
            await asyncio.sleep(self._watchdog.period_s)
            self._watchdog.alive()

    async def silence(self) -> None:
        """Before the end, while the drivers still run: nobody will be there to end a ringing later.

        The memory keeps it, so a restart in time rings on.
        """
        self._watchdog.stopping()
        sirens = [output.target for output in self.config.site.outputs if output.role is Role.SIREN]
        await self.outputs.all_off(sirens, OFF_S_MAX)

    async def _end(self) -> None:
        self.alarm.emit([], {"wall_ms": b"%d" % self.clock.now().wall_ms})
        closed = await asyncio.gather(*(box.outbox.close(CLOSE_S_MAX) for box in (self.alarm, self.telemetry)))
        log.info("gateway ends", stored=all(closed), alarms_waiting=len(self.alarm.delivery))

    def _box(self, lane: Lane) -> LaneBox:
        alarm = lane is Lane.ALARM
        path = self.config.data_dir / f"{lane}.db"
        return LaneBox(
            lane,
            Delivery(ALARM if alarm else TELEMETRY),
            SqliteStore(path, "FULL" if alarm else "NORMAL", ALARM_DISK_BYTES if alarm else TELEMETRY_DISK_BYTES),
            on_stored=(lambda seqs: self.put(Stored(seqs))) if alarm else _no_lamp,
            on_receipted=(lambda seqs: self.put(Receipted(seqs))) if alarm else _no_lamp,
            on_fault=lambda name, active, detail: self.put(Troubled(name, active, detail)),
        )

    def _identity(self, kept: list[Loaded]) -> Identity:
        """The boot number rises even past a lost or replaced card, where the clock is good enough to lead it."""
        now = self.clock.now()
        led = now.wall_ms // 1000 if now.quality is not ClockQuality.UNSET else 0
        return Identity(
            area=self.config.site.area,
            gateway=self.config.site.gateway,
            instance=secrets.token_hex(16),
            boot=max(_saved(kept, "boot") + 1, led),
            kboot=kernel_boot(),
            software=f"lianfang {version('lianfang')}",
            config=self.config.sha256,
            heartbeat_ms=self.config.heartbeat_ms,
            profile_ms=self.config.profile_ms,
        )

    def _memory(self, kept: Loaded) -> Memory:
        try:
            return msgspec.json.decode(kept.values.get("memory", b"{}"), type=Memory)
        except msgspec.DecodeError as cause:
            log.error("the memory of the last process cannot be read; starting without it", why=str(cause))
            self.put(Troubled("memory_unreadable", True))
            return Memory()


def _saved(kept: list[Loaded], name: str) -> int:
    found = [one.values[name] for one in kept if name in one.values]
    return max((int(value) for value in found if value.isdigit()), default=0)


def _endpoint(config: Config) -> Endpoint:
    mqtt = config.mqtt
    return Endpoint(
        host=mqtt.host,
        port=mqtt.port,
        client_id="-",  # each lane's link has its own
        tls=mqtt.tls,
        username=mqtt.username,
        password=mqtt.password,
        keepalive_s=max(3, min(10, config.heartbeat_ms // 1000)),
    )


def _no_lamp(seqs: tuple[int, ...]) -> None:
    """Telemetry lights no lamp."""
