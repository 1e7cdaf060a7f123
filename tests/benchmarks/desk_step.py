"""What one panic press costs the desk with 100 groups and with 100,000: a step must not know how large the town is.

Every press is the first of its group, in a desk begun anew each round: a second press joins the incident of the first,
calls nobody, and costs less, so a small town pressed more often than it has groups would be measured by other work.

The step does the same in both towns: it walks no table, and a timer's heap push is of log n. What is left of the
difference is cold memory: a press looks up its group's members, their premises, gateways and zones, some fifty small
objects that are in the processor's cache in a town of 100 groups, and must be fetched in one of 100,000 (a million
households). The last line shows how much: the same presses with those entries read once just before the clock starts.
"""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter_ns

from hub.core.desk import Desk
from hub.core.heard import Recorded
from hub.core.registry import Area, GatewayEntry, Group, Premises, PremisesKind, Registry, Station, ZoneEntry
from hub.defaults import load_defaults
from protocol.kinds import Kind, Priority, Qualifier
from protocol.records import ClockQuality, Event, Stamp
from tests.benchmarks._figures import line, spread

SIZES = (100, 100_000)
MEMBERS = 10
PRESSES = 400
ROUNDS = 5
START_MS = 1_800_000_000_000


def registry_of(groups: int) -> Registry:
    """`groups` groups of ten households in one area, a gateway each, a panic zone each household."""
    area = "town"
    made = Registry(areas={area: Area(area, "centre", "county")}, stations={(area, "s"): Station("s", area)})
    for number in range(groups):
        group, gateway = f"g{number}", f"gw{number}"
        members = tuple(f"{group}-h{place}" for place in range(MEMBERS))
        made.groups[area, group] = Group(group, area, "s", members)
        made.gateways[area, gateway] = GatewayEntry(gateway, area)
        for member in members:
            made.premises[area, member] = Premises(member, area, PremisesKind.HOUSEHOLD, gateway, (group,))
            made.zones[area, f"{member}-panic"] = ZoneEntry(f"{member}-panic", area, member, gateway, "panic")
    return made


class Town:
    """A registry and a desk whose groups are pressed one after another, each for the first time."""

    def __init__(self, groups: int) -> None:
        self._registry = registry_of(groups)
        self.groups = groups
        self.pressed = 0

    def press(self, presses: int, *, warm: bool = False) -> list[float]:
        """Microseconds of begin, step and commit of each press; `warm`: its group's registry entries were just read."""
        costs = []
        desk = Desk(self._registry, load_defaults())
        assert presses <= self.groups
        for _ in range(presses):
            number = self.pressed * 7919 % self.groups
            self.pressed += 1
            at_ms = START_MS + self.pressed * 1_000
            stamp = Stamp(0, at_ms, ClockQuality.SYNCED)
            home = f"g{number}-h3"
            event = Event(
                self.pressed, Kind.PANIC, Qualifier.NEW, Priority.P1, stamp, f"k{self.pressed}", home, f"{home}-panic"
            )
            item = Recorded("town", f"gw{number}", "a" * 32, 1, event, 5)
            if warm:
                self._read(number)
            began_ns = perf_counter_ns()
            desk.begin()
            desk.step(item, at_ms)
            desk.commit()
            costs.append((perf_counter_ns() - began_ns) / 1_000)
        return costs

    def _read(self, number: int) -> None:
        group = self._registry.groups["town", f"g{number}"]
        for member in group.members:
            repr((self._registry.premises["town", member], self._registry.zones["town", f"{member}-panic"]))
        repr(self._registry.gateways["town", f"gw{number}"])


def run() -> None:
    """Both towns in turn, so that a slow moment of the machine meets both."""
    small, large = (Town(size) for size in SIZES)
    gc.freeze()  # what is loaded is not looked through again, as in a hub that has been up for a while
    costs: tuple[list[float], list[float]] = ([], [])
    ratios, warmed = [], []
    for _ in range(ROUNDS):
        now = small.press(PRESSES // ROUNDS), large.press(PRESSES // ROUNDS)
        ratios.append(median(now[1]) / median(now[0]))
        for kept, new in zip(costs, now, strict=True):
            kept += new
        warm = small.press(PRESSES // ROUNDS, warm=True), large.press(PRESSES // ROUNDS, warm=True)
        warmed.append(median(warm[1]) / median(warm[0]))
    for size, found in zip(SIZES, costs, strict=True):
        spread(f"one press, {size} groups", found, "µs")
    line("ratio of medians", f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", "at most 1.3")
    line("the same with the registry's entries warm", f"{median(warmed):.2f} ({min(warmed):.2f} to {max(warmed):.2f})")
