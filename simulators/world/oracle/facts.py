"""Trips and losses as they happened, each with every time that may be told of it, and how far they are apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from protocol.kinds import Kind, Qualifier
from simulators.world.oracle.found import Found

if TYPE_CHECKING:
    from simulators.world.world import World

TRIP, MAINS, VIDEO, LINK, EXPANDER = "trip", "mains", "video", "link", "expander"
SORT_OF = {
    Kind.INTRUSION: TRIP, Kind.ENTRY_EXIT: TRIP, Kind.MAINS_LOST: MAINS, Kind.NVR_OFFLINE: VIDEO,
    Kind.VIDEO_LOSS: VIDEO, Kind.DEVICE_LOST: EXPANDER,
}  # fmt: skip
RULE_OF = {TRIP: "intrusion", MAINS: "fault", VIDEO: "nvr_blind", LINK: "gateway_lost", EXPANDER: "fault"}
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """A trip or a loss. `spans`: when it truly was (hub wall ms), and when it is placed, which may be off by the error
    it states; between them either answer is right. Open from `known_ms`, its commit, until its incident is over."""

    ident: str
    sort: str
    gateway: str
    house: str | None
    way: str
    spans: tuple[Span, ...]
    known_ms: int
    over_ms: int
    incident: str

    def __str__(self) -> str:
        where = self.house or self.way
        return f"{self.sort} of {where} at {self.spans[0][0] / 1000:.3f} s"


Near: TypeAlias = Callable[[Fact, Fact], int]


def most_ms(one: Fact, other: Fact) -> int:
    """How far apart two are at most, whichever of their times is taken."""
    return max(_gap_ms(a, b) for a in one.spans for b in other.spans)


def least_ms(one: Fact, other: Fact) -> int:
    """How far apart they are at least."""
    return _gap_ms(_hull(one.spans), _hull(other.spans))


def together(facts: Iterable[Fact]) -> bool:
    """Whether all of them stood open at one time, for sure."""
    held = list(facts)
    return max(fact.known_ms for fact in held) < min(fact.over_ms for fact in held)


def perhaps_together(facts: Iterable[Fact]) -> bool:
    """Whether they may have: what is known in the ms in which another is over may be either side of it."""
    held = list(facts)
    return max(fact.known_ms for fact in held) <= min(fact.over_ms for fact in held)


def pairs(facts: Sequence[Fact], near: Near, window_ms: int) -> Iterator[tuple[Fact, Fact]]:
    """Every two that are within a window by `near`."""
    return ((a, b) for a, b in combinations(facts, 2) if near(a, b) <= window_ms)


def happened(world: World, found: Found) -> list[Fact]:
    """Every trip and loss that some incident of its rule holds; that each has one is judged elsewhere."""
    facts: list[Fact] = []
    for name, marks in found.marks.items():
        root, rule = found.root(name), found.incidents[name]["rule"]
        if rule not in RULE_OF.values() or root != name:
            continue
        for mark in marks:
            fact = _recorded(world, found, name, mark[1], mark[0])
            if fact is not None and RULE_OF[fact.sort] == rule:
                facts.append(fact)
    return [*facts, *_lost(world, found)]


def _recorded(world: World, found: Found, incident: str, ident: str, placed_ms: int) -> Fact | None:
    gateway, _, rest = ident.partition("/")
    instance, _, seq = rest.partition("/")
    key = (gateway, instance, int(seq) if seq.isdigit() else -1)
    made, known_ms = world.witness.made.get(key), world.witness.known.get(key)
    if made is None or known_ms is None or made.event.qualifier is Qualifier.RESTORE:
        return None
    sort = SORT_OF.get(made.event.kind)
    if sort is None:
        return None
    times = [world.start_ms + made.true_ms, placed_ms]
    if made.event.qualifier is Qualifier.PRESENT and made.cause is not None:
        times.append(world.start_ms + world.witness.causes[made.cause].start_ms)
    house = made.event.zone.partition("-")[0] if made.event.zone is not None else None
    way = f"{gateway}/{made.event.detail.get('device', '')}" if sort == EXPANDER else gateway
    spans = tuple((ms, ms) for ms in times)
    return Fact(ident, sort, gateway, house, way, spans, known_ms, found.over_ms(incident), incident)


def _lost(world: World, found: Found) -> Iterator[Fact]:
    """Losses of link, each from when the gateway truly was last heard, and from when that is said to be."""
    holders = {
        mark[1]: found.root(name)
        for name, marks in found.marks.items()
        if found.incidents[name]["rule"] == RULE_OF[LINK]
        for mark in marks
    }
    for loss in world.witness.losses:
        ident = f"{loss.gateway}/link/{loss.said_ms}"
        incident = holders.get(ident)
        if loss.said_ms > loss.heard_ms + 1_000 or loss.known_ms - loss.heard_ms < world.village.profile_ms - 1_000:
            text = f"{loss.gateway} is said to be silent from {loss.said_ms - world.start_ms} ms; it was heard later"
            world.witness.broken("silence", text)
        elif incident is None:
            world.witness.broken("silence", f"the loss of {loss.gateway} at {loss.known_ms} belongs to no incident")
        else:
            spans = ((loss.heard_ms, loss.known_ms), (loss.said_ms, loss.known_ms))
            over_ms = found.over_ms(incident)
            yield Fact(ident, LINK, loss.gateway, None, loss.gateway, spans, loss.known_ms, over_ms, incident)


def _gap_ms(one: Span, other: Span) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)


def _hull(spans: Iterable[Span]) -> Span:
    held = list(spans)
    return min(begins for begins, _ in held), max(ends for _, ends in held)
