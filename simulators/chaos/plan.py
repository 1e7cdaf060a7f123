"""What is to go wrong, and when: all of it drawn from one seed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

HUB, BROKER, STORE = "hub", "broker", "store"
SHARES = {HUB: 0.12, BROKER: 0.13, STORE: 0.07}
"""Of all kills; the gateways share the rest."""
DOWN_S = (0.1, 2.5)
"""How long what was killed stays dead before it is started again."""
TROUBLE_EVERY_S = 14.0
"""Mean time between troubles of one link."""
LOCK_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL for a part (a gateway's id, "hub", "broker", "store") at `at_s`, or as soon after as it runs."""

    at_s: float
    part: str
    down_s: float


class Bad(StrEnum):
    """What may become of a link."""

    CUT = "cut"
    REFUSED = "refused"
    SLOW = "slow"
    NARROW = "narrow"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A link (by whom it serves) is bad from `at_s` for `for_s`, by `delay_s` or `bytes_per_s` where told."""

    at_s: float
    link: str
    bad: Bad
    for_s: float
    delay_s: float
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Lock:
    """A store of the hub takes no writes from `at_s` for `for_s`: another process holds its file."""

    at_s: float
    store: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of one run, in order of time."""

    kills: tuple[Kill, ...]
    troubles: tuple[Trouble, ...]
    locks: tuple[Lock, ...]


def draw(
    seed: int,
    span_s: float,
    kills: int,
    gateways: Sequence[str],
    stores: Sequence[str],
    parts: Sequence[str] = (HUB, BROKER),
) -> Plan:
    """Draw the plan of a run of `span_s` seconds; `parts` are killed beside the gateways, `stores` are locked."""
    rng = Random(f"plan {seed}")
    return Plan(
        tuple(sorted(_kills(rng, span_s, kills, gateways, parts), key=lambda kill: kill.at_s)),
        tuple(sorted(_troubles(rng, span_s, [*gateways, HUB]), key=lambda trouble: trouble.at_s)),
        tuple(sorted(_locks(rng, span_s, stores), key=lambda lock: lock.at_s)),
    )


def _kills(rng: Random, span_s: float, kills: int, gateways: Sequence[str], parts: Sequence[str]) -> list[Kill]:
    some = [part for part in parts for _ in range(max(1, round(SHARES[part] * kills)))][:kills]
    some += [rng.choice(gateways) for _ in range(kills - len(some))]
    return [Kill(rng.uniform(0, span_s), part, rng.uniform(*DOWN_S)) for part in some]


def _troubles(rng: Random, span_s: float, links: Sequence[str]) -> list[Trouble]:
    found = []
    for link in links:
        at_s = rng.expovariate(1 / TROUBLE_EVERY_S)
        while at_s < span_s:
            for_s = rng.uniform(0.5, 6.0)
            rate = rng.uniform(8_000, 32_000) * (4 if link == HUB else 1)
            found.append(Trouble(at_s, link, rng.choice(list(Bad)), for_s, rng.uniform(0.05, 0.5), rate))
            at_s += for_s + rng.expovariate(1 / TROUBLE_EVERY_S)
    return found


def _locks(rng: Random, span_s: float, stores: Sequence[str]) -> list[Lock]:
    found = []
    for store in stores:
        at_s = rng.expovariate(1 / LOCK_EVERY_S)
        while at_s < span_s:
            for_s = rng.uniform(1.0, 4.0)
            found.append(Lock(at_s, store, for_s))
            at_s += for_s + rng.expovariate(1 / LOCK_EVERY_S)
    return found
