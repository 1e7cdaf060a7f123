"""The gap ledger's core: what is missing, what was said of it, and what came after all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core import ledger
from hub.core.ledger import COUNT_MAX, STATED_MAX, Book


@dataclass
class Told:
    """A process's book, told in the words of the wire."""

    book: Book = field(default_factory=lambda: Book("1" * 32))

    def take(self, *seqs: int) -> Told:
        for seq in seqs:
            if seq not in self.book.came:
                account = ledger.arrived(self.book, seq)
                self.book.came.add(seq)
                self.book = replace(self.book, account=account)
        return self

    def lose(self, first: int, last: int, reason: str = "full") -> Told:
        account = ledger.given_up(self.book, first, last, reason, 7)
        self.book.declared.add(first, last)
        self.book = replace(self.book, account=account)
        return self

    def close(self, to: int) -> Told:
        self.book = replace(self.book, account=ledger.closed(self.book, to, "gone", 9))
        return self

    def shown(self) -> list[tuple[str, int, int]]:
        return [(str(one.state), one.first, one.last) for one in ledger.missing(self.book)]

    def counts(self) -> tuple[int, int, int]:
        """Open now, ever lost, ever refilled."""
        return ledger.open_total(self.book), self.book.account.lost, self.book.account.refilled


P, D, C = "open", "declared", "closed"
CASES = [
    ("nothing came", Told(), [], (0, 0, 0)),
    ("in turn nothing is missing", Told().take(1, 2, 3), [], (0, 0, 0)),
    ("what is below the first is missing", Told().take(4), [(P, 1, 3)], (3, 0, 0)),
    ("a hole is open", Told().take(1, 5), [(P, 2, 4)], (3, 0, 0)),
    ("a record of it splits it", Told().take(1, 5, 3), [(P, 2, 2), (P, 4, 4)], (2, 0, 1)),
    ("all of it came", Told().take(1, 4, 2, 3), [], (0, 0, 2)),
    ("given up", Told().take(1, 5).lose(2, 4), [(D, 2, 4)], (0, 3, 0)),
    ("given up in part", Told().take(1, 5).lose(2, 3), [(D, 2, 3), (P, 4, 4)], (1, 2, 0)),
    ("given up above all that came", Told().take(1).lose(4, 5), [(P, 2, 3), (D, 4, 5)], (2, 2, 0)),
    ("what came before it was given up is no loss", Told().take(1, 2, 3).lose(2, 4), [(D, 4, 4)], (0, 1, 0)),
    ("given up and came after all", Told().take(1).lose(2, 4).take(3), [(D, 2, 2), (D, 4, 4)], (0, 3, 1)),
    ("given up twice counts once", Told().lose(1, 4).lose(3, 6), [(D, 1, 6)], (0, 6, 0)),
    ("closed", Told().take(1, 5, 9).close(8), [(C, 2, 4), (C, 6, 8)], (0, 6, 0)),
    ("closed up to the middle", Told().take(1, 5, 9).close(6), [(C, 2, 4), (C, 6, 6), (P, 7, 8)], (2, 4, 0)),
    ("closed twice counts once", Told().take(1, 5).close(4).close(4), [(C, 2, 4)], (0, 3, 0)),
    ("closed where nothing is open is nothing", Told().take(1, 2).close(9), [], (0, 0, 0)),
    ("closed and came after all", Told().take(1, 5).close(4).take(3), [(C, 2, 2), (C, 4, 4)], (0, 3, 1)),
    ("closed and then given up counts once", Told().take(1, 5).close(4).lose(2, 3), [(D, 2, 3), (C, 4, 4)], (0, 3, 0)),
    ("a new hole after the closing", Told().take(1, 5).close(4).take(9), [(C, 2, 4), (P, 6, 8)], (3, 3, 0)),
]


@pytest.mark.parametrize(("told", "shown", "counts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_missing_is_told(told: Told, shown: list[tuple[str, int, int]], counts: tuple[int, int, int]) -> None:
    """Every case shows the ranges that are not there, each in its state, and the three counts."""
    assert (shown, counts) == (told.shown(), told.counts())


def test_a_range_says_why_and_since_when() -> None:
    """The newest statement about a range is shown; an open hole has none."""
    told = Told().take(1, 9).lose(2, 4, "full").lose(4, 5, "merged")
    found = [(one.first, one.last, one.reason, one.since_ms) for one in ledger.missing(told.book)]
    assert [(2, 3, "full", 7), (4, 5, "merged", 7), (6, 8, "", None)] == found


def test_a_statement_that_grows_is_one() -> None:
    """A gateway widens what it said; the ledger holds it as one statement."""
    told = Told()
    for last in range(1, 1_000):
        told.lose(1, last)
    assert (1, 0, 999) == (len(told.book.account.stated), told.book.account.unlisted, told.book.account.lost)


def test_statements_are_bounded_and_what_they_said_is_not_forgotten() -> None:
    """Of too many the oldest goes, and is counted: its range stays lost, without a reason."""
    told = Told()
    for seq in range(1, 2 * STATED_MAX + 20, 2):
        told.take(seq + 1).lose(seq, seq)
    assert (STATED_MAX, 10) == (len(told.book.account.stated), told.book.account.unlisted)
    found = [one.reason for one in ledger.missing(told.book)]
    assert [""] * 10 + ["full"] * STATED_MAX == found


def test_no_gateway_can_count_beyond_what_can_be_written() -> None:
    """Whatever numbers it names, the counts of many processes together are still numbers a store can keep."""
    tally = ledger.Tally()
    for _ in range(1_000):
        for told in (Told().lose(1, 2**63 - 1), Told().take(2**63 - 1), Told().take(2**63 - 1).close(2**63 - 1)):
            tally += ledger.change(Book("1" * 32), told.book)
    assert tally == msgspec.json.decode(msgspec.json.encode(tally), type=ledger.Tally)
    assert (1_000 * COUNT_MAX, 2_000 * COUNT_MAX) == (tally.open, tally.lost)
    told = Told().take(2**63 - 1)
    back = ledger.change(told.book, told.close(2**63 - 1).book)
    assert (-COUNT_MAX, COUNT_MAX) == (back.open, back.lost)


def test_tallies_add_up() -> None:
    """Each count by itself."""
    assert ledger.Tally(5, 7, 9, 11) == ledger.Tally(1, 2, 3, 4) + ledger.Tally(4, 5, 6, 7)


Step = tuple[str, int, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 30), st.just(0)),
        st.tuples(st.just("lose"), st.integers(1, 30), st.integers(0, 6)),
        st.tuples(st.just("close"), st.integers(1, 34), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_naive_ledger_says_the_same(steps: list[Step]) -> None:
    """For every history: the same numbers in the same states, and the same counts, as sets of single numbers give."""
    told = Told()
    came: set[int] = set()
    said: dict[int, str] = {}
    lost = refilled = 0
    for what, first, more in steps:
        top = max(came | said.keys(), default=0)
        if what == "take":
            told.take(first)
            refilled += first not in came and first <= top
            came.add(first)
        elif what == "lose":
            told.lose(first, first + more)
            for seq in range(first, first + more + 1):
                lost += seq not in came and seq not in said
                said[seq] = "declared"
        else:
            told.close(first)
            for seq in range(1, min(first, top) + 1):
                if seq not in came and seq not in said:
                    said[seq] = "closed"
                    lost += 1
    top = max(came | {seq for seq, state in said.items() if state == "declared"}, default=0)
    expected = {seq: said.get(seq, "open") for seq in range(1, top + 1) if seq not in came}
    shown = {seq: state for state, first, last in told.shown() for seq in range(first, last + 1)}
    assert expected == shown
    assert (list(expected.values()).count("open"), lost, refilled) == told.counts()


@given(STEPS)
def test_one_arrival_is_counted_without_going_through_the_book(steps: list[Step]) -> None:
    """What a single record does to the counts is the difference that the whole book before and after shows."""
    told = Told()
    for what, first, more in steps:
        before = Book(told.book.instance, None, told.book.came.copy(), told.book.declared.copy(), told.book.account)
        if what != "take":
            told = told.lose(first, first + more) if what == "lose" else told.close(first)
        elif first not in before.came:
            told.take(first)
            counted = ledger.counted(before, first, told.book.account)
            assert ledger.change(before, told.book) == counted
