"""Both ends of delivery over a channel that loses, repeats and reorders: nothing lost, nothing twice, bounds hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.core.delivery import Delivery
from edge.core.entries import NS, Batch, Entry, Limits
from hub.core.heard import Gapped
from protocol.kinds import Kind
from tests.support.desk import AREA, INSTANCE, REGISTRY, DeskAtWork

LIMITS = Limits(
    records_max=10,
    bytes_max=3_000,
    reserved=0.3,
    extra_max=3,
    credit_first=4,
    silence_ms=50,
    backoff_ms=20,
    probe_ms=500,
)
PREMISES = sorted(premises for area, premises in REGISTRY.premises if area == AREA)[0]
GATEWAY = REGISTRY.premises[AREA, PREMISES].gateway
INDEX = st.integers(0, 50)


class Ends(RuleBasedStateMachine):
    """The gateway's lane, the hub's desk, and what is in the air between them both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.lane, self.hub = Delivery(LIMITS), DeskAtWork()
        self.now_ms = self.offered = 0
        self.up: list[Batch] = []
        self.down: list[tuple[dict[str, list[tuple[int, int]]], int]] = []
        self.taken: dict[int, int] = {}
        self.gone: set[int] = set()

    @rule(priority=st.integers(1, 4), size=st.integers(0, 400))
    def happen(self, priority: int, size: int) -> None:
        self.offered += 1
        outcome = self.lane.offer(Entry(INSTANCE, 1, "k", self.offered, priority, self.now_ms * NS, b"x" * size))
        for victim in outcome.dropped:
            assert victim.priority >= priority and victim.priority > 1, "evicted by what is less"

    @rule(rank=st.integers(1, 4), size=st.integers(1, 900))
    def send(self, rank: int, size: int) -> None:
        batch = self.lane.take(self.now_ms * NS, size, rank_max=rank)
        if batch is not None:
            self.up.append(batch)

    @precondition(lambda self: self.up)
    @rule(at=INDEX, again=st.booleans())
    def arrive(self, at: int, again: bool) -> None:
        batch = self.up[at % len(self.up)]
        if not again:
            self.up.remove(batch)
        for entry in batch.entries:
            self.hub.take(self.hub.record(Kind.TEST, PREMISES, self.now_ms, self.now_ms, seq=entry.seq))
            self.taken[entry.seq] = self.taken.get(entry.seq, 0) + self.hub.desk.verdict.effective
        for gap in batch.gaps:
            self.hub.take(Gapped(AREA, GATEWAY, gap.instance, gap.first, gap.last, gap.reason), self.now_ms)
            self.gone |= set(range(gap.first, gap.last + 1))
        marks = self.hub.desk.marks(AREA, GATEWAY)
        self.down.append(({name: list(ranges) for name, ranges in marks.items()}, 4))

    @precondition(lambda self: self.down)
    @rule(at=INDEX, again=st.booleans())
    def receipted(self, at: int, again: bool) -> None:
        told = self.down[at % len(self.down)]
        if not again:
            self.down.remove(told)
        self.lane.receipt(*told)

    @rule(up=st.booleans())
    def lose(self, up: bool) -> None:
        (self.up if up else self.down).clear()

    @rule(credit=st.sampled_from([0, 1, 8]))
    def credit(self, credit: int) -> None:
        self.lane.receipt({}, credit)

    @rule(fresh=st.booleans())
    def reconnect(self, fresh: bool) -> None:
        self.lane.resend(fresh_credit=fresh)

    @rule(ms=st.integers(1, 2_000))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @invariant()
    def nothing_is_lost(self) -> None:
        held = {entry.seq for entry in self.lane}
        told = {seq for gap in self.lane.gaps for seq in range(gap.first, gap.last + 1)}
        assert set(range(1, self.offered + 1)) == held | told | self.taken.keys() | self.gone

    @invariant()
    def nothing_is_taken_twice(self) -> None:
        assert all(times == 1 for times in self.taken.values())

    @invariant()
    def bounds_hold(self) -> None:
        assert len(self.lane) <= LIMITS.records_max + LIMITS.extra_max

    def teardown(self) -> None:
        """Once the channel is well, everything arrives, and the gateway holds nothing."""
        self.up.clear()
        self.down.clear()
        self.lane.resend(fresh_credit=True)
        for _ in range(400):
            due_ns = self.lane.next_due_ns(self.now_ms * NS)
            if due_ns is None:
                break
            self.now_ms = max(self.now_ms, -(-due_ns // NS))
            self.send(4, 900)
            if self.up:
                self.arrive(0, again=False)
                self.receipted(-1, again=False)
        assert (0, 0) == (len(self.lane), len(self.lane.gaps))
        assert set(range(1, self.offered + 1)) == self.taken.keys() | self.gone


TestEnds = Ends.TestCase
TestEnds.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, print_blob=True)
