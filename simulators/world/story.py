"""The story of a run, drawn from its seed before it begins: what people and plant do, and what fails when."""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from simulators.world.loop import stream
from simulators.world.together import striking
from simulators.world.village import GATEWAYS, House, village

SITES = (*GATEWAYS, "hub")
CALM_S = 120
"""At the end of a story nothing new begins, so that what is under way may end."""


class Act(NamedTuple):
    """One thing that happens by itself at `at_ms`: `what` to `where`, for `for_ms` if it lasts, with a number."""

    at_ms: int
    what: str
    where: str
    for_ms: int = 0
    number: float = 0.0

    def __str__(self) -> str:
        lasts = f" for {self.for_ms / 1000:.1f} s" if self.for_ms else ""
        number = f" ({self.number:g})" if self.number else ""
        return f"{self.at_ms / 1000:9.3f} s  {self.what} {self.where}{lasts}{number}"


class Profile(StrEnum):
    """What a night is like."""

    CALM = "calm"
    FLAKY = "flaky"
    BROKER = "broker"
    HUB = "hub"
    POWER = "power"
    CLOCKS = "clocks"
    CARDS = "cards"
    STORM = "storm"


class Noise(NamedTuple):
    """What the network does to single messages all night: shares lost, doubled and late, and the usual delay."""

    lost: float
    doubled: float
    late: float
    delay_ms: float


class Story(NamedTuple):
    """A seed's night. `acts` are in order of time."""

    seed: int
    hours: float
    profile: Profile
    noise: Noise
    acts: tuple[Act, ...]

    @property
    def end_ms(self) -> int:
        """When everything heals."""
        return int(self.hours * 3_600_000)


CAUSES: dict[str, tuple[float, tuple[int, int]]] = {
    "press": (14, (500, 500)),
    "press_again": (4, (500, 500)),
    "duress": (3, (2_000, 6_000)),
    "smoke": (2, (20_000, 400_000)),
    "gas": (1, (20_000, 400_000)),
    "door": (5, (3_000, 60_000)),
    "break_in": (2, (3_000, 60_000)),
    "tamper": (4, (3_000, 300_000)),
    "flap": (3, (4_000, 40_000)),
    "recorder": (4, (20_000, 1_200_000)),
    "mains": (3, (20_000, 1_200_000)),
    "chatter": (1, (5_000, 12_000)),
    "left_open": (4, (0, 0)),
}
"""How often an hour, and for how long in ms."""

FAULTS: dict[str, tuple[str, tuple[int, int]]] = {
    "cut": ("site", (2_000, 240_000)),
    "cut_up": ("site", (2_000, 60_000)),
    "cut_down": ("site", (2_000, 60_000)),
    "half_open": ("site", (5_000, 90_000)),
    "broker_kill": ("", (1_000, 200_000)),
    "broker_amnesia": ("", (1_000, 60_000)),
    "hub_kill": ("", (1_000, 120_000)),
    "journal_down": ("", (1_000, 150_000)),
    "journal_slow": ("", (5_000, 60_000)),
    "telemetry_down": ("", (5_000, 300_000)),
    "kill": ("gateway", (1_000, 30_000)),
    "power": ("gateway", (5_000, 180_000)),
    "power_unset": ("gateway", (5_000, 180_000)),
    "card_back": ("gateway", (5_000, 60_000)),
    "clock_step": ("gateway", (0, 0)),
    "clock_unset": ("gateway", (60_000, 900_000)),
    "card_full": ("gateway", (5_000, 200_000)),
    "card_read_only": ("gateway", (5_000, 200_000)),
    "card_slow": ("gateway", (5_000, 120_000)),
    "bus_dead": ("device", (2_000, 120_000)),
    "backlog": ("gateway", (60_000, 400_000)),
    "dark": ("gateway", (240_000, 600_000)),
}

PROFILES: dict[Profile, tuple[Noise, dict[str, float]]] = {
    Profile.CALM: (Noise(0.0, 0.0, 0.0, 20), {"cut": 1, "kill": 1, "clock_step": 1}),
    Profile.FLAKY: (
        Noise(0.05, 0.05, 0.05, 60),
        {"cut": 12, "cut_up": 5, "cut_down": 5, "half_open": 5, "backlog": 2, "hub_kill": 1, "kill": 2},
    ),
    Profile.BROKER: (
        Noise(0.02, 0.03, 0.02, 30), {"broker_kill": 8, "broker_amnesia": 5, "hub_kill": 2, "cut": 3, "clock_step": 1}
    ),
    Profile.HUB: (
        Noise(0.01, 0.02, 0.02, 30),
        {"hub_kill": 10, "journal_down": 6, "journal_slow": 4, "telemetry_down": 4, "cut": 3, "backlog": 2},
    ),
    Profile.POWER: (
        Noise(0.01, 0.02, 0.02, 40), {"kill": 14, "power": 6, "power_unset": 5, "bus_dead": 5, "cut": 3, "half_open": 2}
    ),
    Profile.CLOCKS: (
        Noise(0.02, 0.03, 0.05, 40),
        {"clock_step": 10, "clock_unset": 6, "power_unset": 6, "cut": 4, "kill": 3, "backlog": 2, "dark": 3},
    ),
    Profile.CARDS: (
        Noise(0.02, 0.02, 0.02, 40),
        {"card_full": 5, "card_read_only": 4, "card_slow": 6, "card_back": 4, "kill": 6, "power": 4, "cut": 4},
    ),
    Profile.STORM: (
        Noise(0.04, 0.04, 0.05, 80),
        dict.fromkeys(FAULTS, 2.5),
    ),
}  # fmt: skip


def draw(seed: int, hours: float, *, together: bool = True) -> Story:
    """The story of a seed; without what strikes `together`, as it was before anything did."""
    rng = stream(seed, "story")
    profile = list(Profile)[seed % len(Profile)]
    noise, faults = PROFILES[profile]
    last_ms = max(1_000, int(hours * 3_600_000) - CALM_S * 1000)
    acts = [
        act
        for what, (rate, span) in CAUSES.items()
        for _ in range(_count(rng, rate * hours))
        for act in _cause(rng, what, rng.randrange(15_000, max(15_001, last_ms)), span, int(hours * 3_600_000))
    ]
    acts += [_fault(rng, what, last_ms) for what, rate in faults.items() for _ in range(_count(rng, rate * hours))]
    if together:
        acts += [Act(*one) for one in striking(stream(seed, "together"), hours, last_ms)]
    return Story(seed, hours, profile, noise, tuple(sorted(acts)))


def _count(rng: random.Random, expected: float) -> int:
    whole = int(expected)
    return whole + (rng.random() < expected - whole)


def _cause(rng: random.Random, what: str, at_ms: int, span: tuple[int, int], end_ms: int) -> list[Act]:
    fits: Callable[[House], bool] = lambda house: house.armed if what in ("door", "break_in") else True  # noqa: E731
    house = rng.choice([one for one in village().houses if fits(one)]).id
    for_ms = rng.randint(*span)
    if what == "press_again":  # somebody who is afraid presses again, just before the first ringing would end
        gaps = (rng.randint(3_000, 60_000), rng.randint(240_000, 299_000))
        return [Act(at, "press", house, for_ms) for at in (at_ms, *(at_ms + gap for gap in gaps)) if at < end_ms]
    if what == "break_in":
        return [Act(at_ms, "door", house, for_ms), Act(at_ms + rng.randint(2_000, 60_000), "window", house, for_ms)]
    if what == "flap":
        return [Act(at_ms, what, house, for_ms, rng.randint(2, 4))]
    return [Act(at_ms, what, house, for_ms)]


def _fault(rng: random.Random, what: str, last_ms: int) -> Act:
    sort, span = FAULTS[what]
    devices = sorted({house.device for house in village().houses})
    where = {"site": rng.choice(SITES), "gateway": rng.choice(GATEWAYS), "device": rng.choice(devices), "": ""}[sort]
    number = float(rng.choice((-86_400_000, -3_600_000, -5_000, 5_000, 3_600_000, 40_000_000)))
    at_ms = rng.randrange(10_000, max(10_001, last_ms))
    return Act(at_ms, what, where, rng.randint(*span), number if what == "clock_step" else 0.0)
