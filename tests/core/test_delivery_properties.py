"""For every history of offers, sends, receipts and losses: nothing vanishes, and credit holds."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.delivery import PASSING_MAX, Delivery
from edge.core.entries import NS, Entry, Limits

A = "a" * 32
LIMITS = Limits(
    records_max=12, bytes_max=3_000, reserved=0.25, extra_max=2, credit_first=3, silence_ms=50, backoff_ms=20
)

steps = st.one_of(
    st.tuples(st.just("offer"), st.integers(1, 4), st.integers(0, 400)),
    st.tuples(st.just("take"), st.integers(1, 4), st.integers(1, 1_000)),
    st.tuples(st.just("wait"), st.integers(1, 40_000), st.just(0)),
    st.tuples(st.just("receipt"), st.integers(0, 30), st.integers(0, 30)),
    st.tuples(st.just("credit"), st.integers(0, 6), st.just(0)),
    st.tuples(st.just("resend"), st.integers(0, 1), st.just(0)),
)


History: TypeAlias = list[tuple[str, int, int]]


class World:
    """A lane and what an onlooker knows of it."""

    def __init__(self) -> None:
        self.delivery = Delivery(LIMITS)
        self.now_ns = 0
        self.offered = 0
        self.sent: set[int] = set()
        self.receipted: set[int] = set()
        self.flying: dict[int, int] = {}
        self.priorities: dict[int, int] = {}

    def step(self, what: str, first: int, second: int) -> None:
        match what:
            case "offer":
                self.offered += 1
                self.priorities[self.offered] = first
                self.delivery.offer(Entry(A, 1, "k", self.offered, first, 0, b"x" * second))
            case "take":
                self.take(first, second)
            case "wait":
                self.now_ns += first * NS
            case "receipt":
                wanted = {seq for seq in self.sent if first <= seq <= first + second}
                self.receipted |= wanted
                self.delivery.receipt({A: [(seq, seq) for seq in sorted(wanted)]}, self.delivery.credit)
            case "credit":
                self.delivery.receipt({}, first)
            case "resend":
                self.delivery.resend(fresh_credit=bool(first))
                self.flying.clear()

    def take(self, rank: int, size: int) -> None:
        self.flying = {seq: until for seq, until in self.flying.items() if until > self.now_ns}
        self.flying = {seq: until for seq, until in self.flying.items() if seq not in self.receipted}
        batch = self.delivery.take(self.now_ns, size, rank_max=rank)
        for entry in batch.entries if batch else []:
            assert entry.seq not in self.receipted
            self.sent.add(entry.seq)
            self.flying[entry.seq] = self.now_ns + LIMITS.silence_ms * NS
        if batch and batch.entries:
            lesser = sum(self.priorities[seq] > 2 for seq in self.flying)
            assert lesser <= max(self.delivery.credit, 1)
            assert len(self.flying) - lesser <= max(self.delivery.credit, PASSING_MAX)

    def check(self) -> None:
        held = {entry.seq for entry in self.delivery}
        gaps = {seq for gap in self.delivery.gaps for seq in range(gap.first, gap.last + 1)}
        assert set(range(1, self.offered + 1)) - self.receipted == (held | gaps) - self.receipted
        assert not held & gaps
        assert len(held) <= LIMITS.records_max + LIMITS.extra_max
        assert self.delivery.held.bytes == sum(entry.size for entry in self.delivery)
        assert 0 <= self.delivery.in_flight <= len(held)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=80))
def test_every_record_is_held_receipted_or_declared_lost(history: History) -> None:
    """At every moment each record offered is held, receipted, or in a gap; bounds and counts agree."""
    world = World()
    for step in history:
        world.step(*step)
        world.check()


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=60))
def test_a_well_hub_gets_everything_in_the_end(history: History) -> None:
    """Whatever happened before, a hub that receipts what it is sent empties the lane, gaps told."""
    world = World()
    for step in history:
        world.step(*step)
    told: set[int] = set()
    for _ in range(400):
        due = world.delivery.next_due_ns(world.now_ns)
        if due is None:
            break
        world.now_ns = max(world.now_ns, due)
        batch = world.delivery.take(world.now_ns, 500)
        if batch is not None:
            told |= {seq for gap in batch.gaps for seq in range(gap.first, gap.last + 1)}
            told |= {entry.seq for entry in batch.entries}
            spans = [(gap.first, gap.last) for gap in batch.gaps] + [(one.seq, one.seq) for one in batch.entries]
            world.delivery.receipt({A: spans}, credit=5)
    assert (len(world.delivery), len(world.delivery.gaps)) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=50), st.lists(steps, max_size=50))
def test_lanes_know_nothing_of_each_other(
    alarm: list[tuple[str, int, int]], telemetry: list[tuple[str, int, int]]
) -> None:
    """A lane's state is the same whether another lane lives beside it or not."""
    alone, beside, other = World(), World(), World()
    for step in alarm:
        alone.step(*step)
    for one, two in zip([*alarm, *[None] * len(telemetry)], [*telemetry, *[None] * len(alarm)], strict=True):
        if one:
            beside.step(*one)
        if two:
            other.step(*two)
    assert [(e.seq, e.state) for e in alone.delivery] == [(e.seq, e.state) for e in beside.delivery]
