"""A gateway's machine: its wires and outputs, its clock, its card, and whichever process runs on it just now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge.port import Reading, Value
from simulators.world.disk import Card
from simulators.world.loop import NS_PER_MS, stream
from simulators.world.process import Process

if TYPE_CHECKING:
    from simulators.world.world import World

START_MS = 2_000_000_000_000
"""True time when the world begins (2033): no file of ours is younger, so every clock before it is not set."""
STARTS_MS = 400
"""How long a process takes from its start to its first look."""
UNSET_MS = 86_400_000
DRIFT_PPM = 200
"""How fast a machine's quartz may be off: far more than any is."""


class Shown(NamedTuple):
    """What an output shows: on or off, since when, and how long it was on the last time."""

    on: bool
    since_ms: int
    was_on_ms: int = 0


class Machine:
    """One gateway as a thing on a wall."""

    def __init__(self, world: World, gateway: str) -> None:
        self.world, self.gateway, self.loop = world, gateway, world.loop
        self.site = world.village.sites[gateway]
        self.card = Card()
        self.values: dict[str, dict[str, Value]] = {device: {} for device in self.site.fresh}
        for zone in self.site.zones:
            device, _, point = zone.source.partition("/")
            self.values[device][point] = False
        self.dead_buses: set[str] = set()
        self.outputs: dict[str, Shown] = {}
        self.wanted: dict[str, bool] = {}
        self.process: Process | None = None
        self.rng = stream(world.story.seed, "machine", gateway)
        self.synced = True
        self.clock_off_ms = 0
        self.drift_ppm = self.rng.randint(-DRIFT_PPM, DRIFT_PPM)
        self.processes = 0
        self.boot_kernel()

    def boot_kernel(self) -> None:
        """Power comes on: monotonic time begins anew."""
        self.booted_ns = self.loop.now_ns
        self.kboot = f"{self.rng.getrandbits(128):032x}"

    def mono_ns(self) -> int:
        """Monotonic ns of this kernel boot, by a quartz that is a little off."""
        passed_ns = self.loop.now_ns - self.booted_ns
        return passed_ns + passed_ns * self.drift_ppm // 1_000_000

    def wall_ns(self) -> int:
        """What this machine's clock says. A time service slews it to the true time."""
        return (START_MS + self.clock_off_ms) * NS_PER_MS + self.loop.now_ns

    def unset_clock(self) -> None:
        """Without a battery the clock begins at 1970."""
        self.synced = False
        self.clock_off_ms = UNSET_MS - START_MS - self.loop.now_ms

    def step_clock(self, by_ms: int) -> None:
        """Somebody sets it, wrongly."""
        self.synced = False
        self.clock_off_ms += by_ms

    def set_clock(self) -> None:
        """A time service sets it right."""
        self.synced, self.clock_off_ms = True, 0

    def start(self) -> None:
        """The process begins, unless one runs."""
        if self.process is None:
            self.processes += 1
            self.process = Process(self)

    def kill(self) -> None:
        """The process is gone; its outputs fall off."""
        if self.process is not None:
            process, self.process = self.process, None
            process.die()
        for output in self.outputs:
            self._show(output, False)
        self.wanted.clear()

    def is_up(self, device: str) -> bool:
        """Whether somebody looks at this device now."""
        return self.process is not None and self.process.looks and device not in self.dead_buses

    def wire(self, zone: str, on: bool) -> None:
        """A contact changes; the kernel tells the process at once."""
        device, _, point = next(one.source for one in self.site.zones if one.id == zone).partition("/")
        self.put(device, point, on)

    def put(self, device: str, point: str, value: Value) -> None:
        """A point of a device has another value, seen at once where anybody looks."""
        self.values[device][point] = value
        if self.process is not None:
            self.process.edge(device)

    def reading(self, device: str, at_ns: int, since_ns: int) -> Reading:
        """A look at a device, with every point failed where the bus is dead."""
        if device in self.dead_buses:
            return Reading(device, at_ns, since_ns, {}, dict.fromkeys(self.values[device], "time-out"))
        return Reading(device, at_ns, since_ns, dict(self.values[device]))

    def drive(self, output: str, target: str, on: bool) -> bool:
        """The process wants an output on or off; False where the bus is dead."""
        self.wanted[output] = on
        if target.partition("/")[0] in self.dead_buses:
            return False
        self._show(output, on)
        return True

    def kill_bus(self, device: str) -> None:
        """A device loses its power: nothing is seen of it, and its outputs fall off."""
        self.dead_buses.add(device)
        for output in self.outputs:
            if self._device_of(output) == device:
                self._show(output, False)

    def heal_bus(self, device: str) -> None:
        """It is back; what was written to it meanwhile is written again."""
        self.dead_buses.discard(device)
        for output, on in self.wanted.items():
            if self._device_of(output) == device:
                self._show(output, on)
        if self.process is not None:
            self.process.edge(device)

    def _device_of(self, output: str) -> str:
        return next(one.target for one in self.site.outputs if one.id == output).partition("/")[0]

    def _show(self, output: str, on: bool) -> None:
        before = self.outputs.get(output, Shown(False, 0))
        if before.on != on:
            now_ms = self.loop.now_ms
            self.outputs[output] = Shown(on, now_ms, before.was_on_ms if on else now_ms - before.since_ms)
            self.world.witness.showed(self.gateway, output, on)
