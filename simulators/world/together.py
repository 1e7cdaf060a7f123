"""What strikes together: a cut fibre, a storm, expanders of one supply, a house whose wires go before its door, two
households of a group in one night. Drawn apart from everything else, so that a night without any of it stays as it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TypeAlias

from simulators.world.village import GATEWAYS, GROUPS, House, village

Strike: TypeAlias = tuple[int, str, str, int]
"""When (ms), what, where, and for how long: an act without a number."""
SHARE = 0.5
"""Of nights in which something strikes together."""
RATES = {"fibre": 0.5, "storm": 0.5, "supply": 0.4, "raid": 2.0, "gang": 1.2}
"""How often an hour of such a night."""
NEAR_MS = 330_000
"""A loss and the door are drawn to either side of the five minutes that make them a sabotage."""
BOTH_MS = 660_000
"""And two households to either side of ten."""


def striking(rng: random.Random, hours: float, last_ms: int) -> Iterator[Strike]:
    """The acts of a night, each before `last_ms`; none in every other night."""
    if rng.random() > SHARE:
        return
    for what, rate in RATES.items():
        for _ in range(int(rate * hours + rng.random())):
            at_ms = rng.randrange(10_000, max(10_001, last_ms))
            yield from (one for one in DRAWN[what](rng, at_ms) if 10_000 <= one[0] < max(10_001, last_ms))


def _fibre(rng: random.Random, at_ms: int) -> Iterator[Strike]:
    """The links of all gateways, or all but one, within a second."""
    lasts_ms = rng.randint(100_000, 500_000)
    for gateway in rng.sample(GATEWAYS, rng.choice((2, 3, 3))):
        yield at_ms + rng.randint(0, 1_000), "cut", gateway, lasts_ms


def _storm(rng: random.Random, at_ms: int) -> Iterator[Strike]:
    """The links of all gateways within a minute and a half, and the mains of some houses."""
    for gateway in GATEWAYS:
        yield at_ms + rng.randint(0, 90_000), "cut", gateway, rng.randint(60_000, 400_000)
    for house in rng.sample(village().houses, 3):
        yield at_ms + rng.randint(0, 90_000), "mains", house.id, rng.randint(20_000, 300_000)


def _supply(rng: random.Random, at_ms: int) -> Iterator[Strike]:
    """Expanders that hang on one supply do not answer any more, most of one gateway's."""
    devices = sorted({house.device for house in village().houses})
    first = rng.randrange(len(devices))
    for number in range(rng.randint(2, 4)):
        at = at_ms + rng.randint(0, 70_000)
        yield at, "bus_dead", devices[(first + number) % len(devices)], rng.randint(20_000, 150_000)


def _raid(rng: random.Random, at_ms: int) -> Iterator[Strike]:
    """A door is opened, and before or after it link, mains or recorder of that house are lost."""
    house = rng.choice(_armed(lambda _: True))
    yield at_ms, "door", house.id, rng.randint(3_000, 60_000)
    for _ in range(rng.randint(1, 2)):
        what = rng.choice(("cut", "mains", "recorder"))
        where = house.gateway if what == "cut" else house.id
        yield at_ms + rng.randint(-NEAR_MS, NEAR_MS), what, where, rng.randint(20_000, 300_000)


def _gang(rng: random.Random, at_ms: int) -> Iterator[Strike]:
    """Two or three households of a group, one after the other."""
    group = rng.choice(GROUPS)
    for house in rng.sample(_armed(lambda one: one.group == group), rng.randint(2, 3)):
        yield at_ms + rng.randint(0, BOTH_MS), "door", house.id, rng.randint(3_000, 60_000)


def _armed(fits: Callable[[House], bool]) -> list[House]:
    return [house for house in village().houses if house.armed and fits(house)]


DRAWN: dict[str, Callable[[random.Random, int], Iterator[Strike]]] = {
    "fibre": _fibre, "storm": _storm, "supply": _supply, "raid": _raid, "gang": _gang,
}  # fmt: skip
