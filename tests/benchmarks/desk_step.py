"""What one panic press costs the desk with 100 groups and with 100,000: a step must not know how large the town is."""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter_ns

from hub.core.desk import Desk
from hub.core.io import Recorded
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
    """A desk whose groups are pressed one after another, each for the first time."""

    def __init__(self, groups: int) -> None:
        self.desk = Desk(registry_of(groups), load_defaults())
        self.groups = groups
        self.pressed = 0

    def press(self, presses: int) -> list[float]:
        """Microseconds of begin, step and commit of each press."""
        costs = []
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
            began_ns = perf_counter_ns()
            self.desk.begin()
            self.desk.step(item, at_ms)
            self.desk.commit()
            costs.append((perf_counter_ns() - began_ns) / 1_000)
        return costs


def run() -> None:
    """Both towns in turn, so that a slow moment of the machine meets both."""
    small, large = (Town(size) for size in SIZES)
    gc.freeze()  # what is loaded is not looked through again, as in a hub that has been up for a while
    costs: tuple[list[float], list[float]] = ([], [])
    ratios = []
    for _ in range(ROUNDS):
        now = small.press(PRESSES // ROUNDS), large.press(PRESSES // ROUNDS)
        ratios.append(median(now[1]) / median(now[0]))
        for kept, new in zip(costs, now, strict=True):
            kept += new
    for size, found in zip(SIZES, costs, strict=True):
        spread(f"one press, {size} groups", found, "µs")
    line("ratio of medians", f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", "at most 1.3")
