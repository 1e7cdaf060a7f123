"""The incident table under any sequence of records and moves: what it does not have is refused and changes nothing."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.core.acts import Disposition, Move, Moved, Stage
from hub.core.incident import NEXT, UNRESOLVED, State
from hub.core.io import NotAllowed
from tests.support.desk import AREA, REGISTRY, START_MS, DeskAtWork

PRESSERS = sorted(
    zone.removesuffix("-panic") for area, zone in REGISTRY.zones if area == AREA and zone.endswith("-panic")
)
BY = st.sampled_from(["op-1", "op-2", "sup-1", ""])


class Table(RuleBasedStateMachine):
    """A desk, and the state of every incident as an onlooker has it."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = DeskAtWork()
        self.at = 0

    @rule(premises=st.sampled_from(PRESSERS[:4]), age=st.integers(0, 700_000))
    def press(self, premises: str, age: int) -> None:
        self.desk.press(premises, max(0, self.at - age), self.at)

    @rule(ms=st.sampled_from([1, 61_000, 400_000, 8 * 24 * 3_600_000]))
    def wait(self, ms: int) -> None:
        self.at += ms
        for due in self.desk.desk.due(START_MS + self.at):
            before = {one.id: one.state for one in self.desk.desk.incidents()}
            self.desk.take(due, self.at)
            for one in self.desk.desk.incidents():
                assert one.state in (before[one.id], State.ARCHIVED) and (
                    one.state is before[one.id] or before[one.id] is State.REVIEWED
                )

    @precondition(lambda self: self.desk.desk.incidents())
    @rule(
        which=st.integers(0, 20),
        move=st.sampled_from(list(Move)),
        by=BY,
        to=st.sampled_from([None, "patrol"]),
        stage=st.sampled_from([None, *Stage]),
        disposition=st.sampled_from([None, *Disposition]),
        cause=st.sampled_from([None, "wind", "x" * 513]),
        note=st.sampled_from([None, "n" * 64]),
    )
    def move(
        self,
        which: int,
        move: Move,
        by: str,
        to: str | None,
        stage: Stage | None,
        disposition: Disposition | None,
        cause: str | None,
        note: str | None,
    ) -> None:
        found = self.desk.desk.incidents()
        one = found[which % len(found)]
        before = self.desk.desk.snapshot()
        item = Moved(AREA, one.id, move, by, to, stage, disposition, cause, note)
        try:
            self.desk.take(item, self.at)
        except NotAllowed:
            assert before == self.desk.desk.snapshot(), "a refused move changed something"
            return
        assert (one.state, move) in NEXT and by, "taken, and not in the table"
        now = self.desk.desk.incident(AREA, one.id)
        assert now is not None and now.state is NEXT[one.state, move]

    @invariant()
    def what_is_shown_holds_together(self) -> None:
        for one in self.desk.desk.incidents():
            assert (one.disposition is None) == (one.state in UNRESOLVED)
            assert (one.resolved_by is None) == (one.resolved_ms is None) == (one.state in UNRESOLVED)
            assert (one.accepted_by is None) == (one.accepted_ms is None)
            assert one.event_ms <= one.raised_ms and one.presses >= 1

    def teardown(self) -> None:
        """The journal, folded again, gives the same state byte for byte."""
        assert self.desk.desk.snapshot() == self.desk.again().snapshot()


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=40, stateful_step_count=40, deadline=None, print_blob=True)
