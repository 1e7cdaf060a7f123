"""The wires of one gateway's site: every bus of its configuration served for real, every zone moved by its name."""

from __future__ import annotations

import math
import time
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.config import Bus, Config
from edge.core.ohms import value_of
from edge.core.site import Contact, Loop, Role, Zone, ZoneKind
from edge.gpio.lines import LineSettings
from edge.port import Value
from protocol.faults import Fault, Refused, shown
from protocol.records import Condition
from simulators import nvr
from simulators.gpio import GpioChip, Transition
from simulators.modbus import RtuServer, Silent, SimUnit, TcpServer
from simulators.nvr import Nvr

STALE_S = 3_900.0
"""How old a stopped recorder's newest file is made: the one that says "recording" and has not for over an hour."""


class Plant:
    """Enter it to put the site on its wires, all of them well; `overrides` then tells the gateway where they are.

    `folder` takes sockets and serial-line links; keep its path short, a Unix socket's path has 107 bytes.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.overrides: dict[str, str | int] = {}
        self.zones = {zone.id: zone for zone in config.site.zones}
        self.units: dict[str, SimUnit] = {}
        self.chips: dict[str, GpioChip] = {}
        self.recorders: dict[str, Nvr] = {}
        self._folder = folder
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for bus in self.config.buses:
                await self._serve(stack, bus)
            self._stack = stack.pop_all()
        self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _serve(self, stack: AsyncExitStack, bus: Bus) -> None:
        key = f"bus.{bus.id}"
        if isinstance(bus.settings, LineSettings):
            path = self._folder / f"{bus.id}.sock"
            chip = GpioChip(path, bus.settings.named("in"), bus.settings.named("out"))
            self.chips[bus.id] = await stack.enter_async_context(chip)
            self.overrides |= {f"{key}.driver": "gpio_sim", f"{key}.socket": str(path)}
            return
        units = [self._unit(bus, index) for index in range(len(bus.devices))]
        if bus.driver == "modbus_tcp":
            rtu = getattr(bus.settings, "framer", "socket") == "rtu"
            server = await stack.enter_async_context(TcpServer(units, framing="rtu" if rtu else "socket"))
            self.overrides |= {f"{key}.host": server.host, f"{key}.port": server.port}
        elif bus.driver == "modbus_rtu":
            line = await stack.enter_async_context(RtuServer(units, link=self._folder / f"{bus.id}.tty"))
            self.overrides |= {f"{key}.port": line.port}
        else:
            raise self._refused(
                f"{key}.driver", bus.driver, "gpio_sim, modbus_rtu or modbus_tcp (they have simulators)"
            )

    def _unit(self, bus: Bus, index: int) -> SimUnit:
        device = bus.devices[index]
        if device.profile.name == nvr.PROFILE:
            recorder = Nvr(time.monotonic, unit=device.unit, profile=device.profile)
            self.recorders[device.id] = recorder
            self.units[device.id] = recorder.unit
        else:
            self.units[device.id] = SimUnit(device.profile, device.unit)
        return self.units[device.id]

    def set(self, source: str, value: Value) -> None:
        """Put a raw value on "device/point". Raises Refused naming what there is."""
        device, _, point = source.partition("/")
        try:
            if device in self.chips:
                self.chips[device].set(point, bool(value))
            else:
                self.units[device].set(point, value)
        except (KeyError, ValueError) as cause:
            known = ", ".join(sorted({*self.chips, *self.units}))
            raise self._refused(source, value, f"{cause}; devices: {known}") from cause

    def trip(self, zone: str) -> None:
        """The zone's sensor sees an alarm."""
        found = self.zone(zone)
        recorder = self.recorders.get(found.source.partition("/")[0])
        if recorder is None or not _break(recorder, found.kind):
            self.set(found.source, raw(found, Condition.ALARM))

    def restore(self, zone: str) -> None:
        """The zone's sensor sees nothing wrong."""
        found = self.zone(zone)
        recorder = self.recorders.get(found.source.partition("/")[0])
        if recorder is None or not _mend(recorder, found.kind):
            self.set(found.source, raw(found, Condition.NORMAL))

    def tamper(self, zone: str) -> None:
        """The zone's loop is cut or bridged; a zone that is a tamper contact opens. Raises Refused otherwise."""
        found = self.zone(zone)
        condition = Condition.ALARM if found.kind is ZoneKind.TAMPER else Condition.TAMPER
        self.set(found.source, raw(found, condition))

    def silence(self, device: str) -> None:
        """A Modbus device stops answering."""
        self._device(device).fault = Silent()

    def heal(self, device: str) -> None:
        """It answers again."""
        self._device(device).fault = None

    def mend(self) -> None:
        """Every device answers and every zone is well."""
        for device in self.units:
            self.heal(device)
        for zone in self.zones:
            self.restore(zone)

    def zone(self, zone: str) -> Zone:
        """A zone by its id. Raises Refused."""
        if zone not in self.zones:
            raise self._refused("zone", zone, f"one of {', '.join(self.zones)}")
        return self.zones[zone]

    def sounding(self) -> dict[str, bool]:
        """Every siren output and whether it sounds."""
        return {
            output.id: self._output(output.target) for output in self.config.site.outputs if output.role is Role.SIREN
        }

    def switched(self, output: str) -> list[Transition]:
        """Every switching of an output on a GPIO line since the plant was made."""
        target = next(found.target for found in self.config.site.outputs if found.id == output)
        device, _, point = target.partition("/")
        return self.chips[device].transitions(point)

    def _output(self, target: str) -> bool:
        device, _, point = target.partition("/")
        return self.chips[device].get(point) if device in self.chips else bool(self.units[device].get(point))

    def _device(self, device: str) -> SimUnit:
        if device not in self.units:
            raise self._refused("device", device, f"one of {', '.join(self.units)}")
        return self.units[device]

    def _refused(self, key: str, value: object, allowed: str) -> Refused:
        return Refused([Fault(self.config.site.gateway, key, shown(value), allowed)])


def raw(zone: Zone, condition: Condition) -> Value:
    """A raw value that means `condition` to the zone. Raises Refused where none does (a contact knows no tamper)."""
    if isinstance(zone.judge, Contact):
        if condition in (Condition.ALARM, Condition.NORMAL):
            return zone.judge.alarm is (condition is Condition.ALARM)
        raise Refused([Fault(zone.id, "condition", condition, "normal or alarm: it is a plain contact")])
    loop = zone.judge if isinstance(zone.judge, Loop) else None
    bands = zone.judge if isinstance(zone.judge, tuple) else zone.judge.bands
    for band in bands:
        if band.condition is condition:
            inside = _inside(band.low, band.high)
            return inside if loop is None else value_of(loop, max(0.0, inside))
    known = ", ".join(sorted({band.condition for band in bands}))
    raise Refused([Fault(zone.id, "condition", condition, f"one of {known}")])


def _inside(low: float, high: float) -> float:
    if math.isinf(low):
        return 0.0 if math.isinf(high) else min(0.0, high - 1)
    return low + 1 if math.isinf(high) else (low + high) / 2


def _break(recorder: Nvr, kind: ZoneKind) -> bool:
    match kind:
        case ZoneKind.NVR_ONLINE:
            recorder.go_offline()
        case ZoneKind.NVR_DISK:
            recorder.fail_disk(1)
        case ZoneKind.NVR_CHANNELS:
            recorder.lose_channel(1)
        case ZoneKind.NVR_RECORDING:
            recorder.stop_writing(STALE_S)
        case _:
            return False
    return True


def _mend(recorder: Nvr, kind: ZoneKind) -> bool:
    match kind:
        case ZoneKind.NVR_ONLINE:
            recorder.come_back()
        case ZoneKind.NVR_DISK:
            recorder.replace_disk(1)
        case ZoneKind.NVR_CHANNELS:
            recorder.restore_channel(1)
        case ZoneKind.NVR_RECORDING:
            recorder.resume_writing()
        case _:
            return False
    return True
