"""What the clerk steps next, and what follows from a batch once it is committed, or when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.clock import HubClock
from hub.core.acts import Move, Moved
from hub.core.desk import Desk
from hub.core.effects import Send
from hub.core.heard import Conflicted, Recorded
from hub.core.io import Input, NotAllowed
from hub.defaults import load_defaults
from hub.digests import Digests, digest_of
from hub.inbox import Item
from hub.metrics import Metrics
from hub.registry import load
from hub.rounds import BACKOFF_MS_FIRST, BACKOFF_MS_MAX, STEP_MS_MAX, Batch, Done, Rounds, StoreDown
from protocol.kinds import CODES, Kind, Qualifier
from protocol.records import ClockQuality, Event, Stamp
from tests.support.centre import write_config

NOW_MS = 1_700_000_000_000


class Timed:
    """Rounds over a desk of their own with a clock set by hand; `slow` takes longer than a batch may with each look."""

    def __init__(self, folder: Path) -> None:
        write_config(folder)
        self.now_ms, self.slow = 0.0, False
        clock = HubClock(NOW_MS, lambda: NOW_MS, lambda: int(self.now_ms), self._exact_ms)
        self.rounds = Rounds(Desk(load(folder / "registry.toml").registry, load_defaults()), clock, Metrics())
        self.done: list[Done] = []
        self.held: list[Input] = []
        self.rounds.perform, self.rounds.hold = self.done.extend, self.held.extend

    def put(self, *items: Item) -> None:
        """These come."""
        assert all(self.rounds.inbox.put(item) for item in items)

    def begin(self) -> Batch:
        """A batch there must be."""
        batch = self.rounds.begin()
        assert batch is not None
        return batch

    def _exact_ms(self) -> float:
        self.now_ms += 2 * STEP_MS_MAX if self.slow else 0.0
        return self.now_ms


@pytest.fixture
def timed(tmp_path: Path) -> Timed:
    return Timed(tmp_path)


def record(seq: int, kind: Kind, zone: str = "h1-panic", key: str = "") -> Item:
    at = Stamp(0, 0, ClockQuality.SYNCED)
    event = Event(seq, kind, Qualifier.NEW, CODES[kind].priority, at, key or f"k-{seq}", zone.partition("-")[0], zone)
    return Item(Recorded("town", "gw-1", "1" * 32, 1, event, 5), NOW_MS, 0.0, digest_of(event))


def taken_seqs(batch: Batch) -> list[int]:
    return [taken.event.seq for _, taken, *_ in batch.stepped if isinstance(taken, Recorded)]


def test_nothing_follows_from_a_batch_before_its_commit(timed: Timed) -> None:
    """A press calls its neighbours only once it is on the disk."""
    timed.put(record(1, Kind.PANIC))
    batch = timed.begin()
    assert ([1], []) == (taken_seqs(batch), timed.done)
    timed.rounds.committed(batch)
    assert [True] == [any(isinstance(effect, Send) for effect in done.effects) for done in timed.done]


def test_what_failed_waits_in_front_behind_what_is_more_urgent(timed: Timed) -> None:
    """The desk forgets the batch, whoever waits for a receipt is told to hold, and nothing is done twice."""
    timed.put(record(1, Kind.BATTERY_LOW), record(2, Kind.BATTERY_LOW))
    assert BACKOFF_MS_FIRST == timed.rounds.failed(timed.begin(), "the disk is full")
    timed.put(record(3, Kind.PANIC), record(4, Kind.BATTERY_LOW))
    assert ("the disk is full", 2, []) == (timed.rounds.down, len(timed.held), timed.rounds.desk.incidents())
    batch = timed.begin()
    timed.rounds.committed(batch)
    assert ([3, 1, 2, 4], None) == (taken_seqs(batch), timed.rounds.down)


def test_the_wait_doubles_to_its_bound_and_begins_anew_after_a_commit(timed: Timed) -> None:
    """While the journal is down a round comes without inputs too, to learn whether it takes anything."""
    timed.put(record(1, Kind.PANIC))
    waits = [timed.rounds.failed(timed.begin(), "down") for _ in range(9)]
    assert ([50, 100, 200, 400, 800, 1_600, 3_200], [BACKOFF_MS_MAX] * 2) == (waits[:7], waits[7:])
    timed.rounds.committed(timed.begin())
    assert timed.rounds.begin() is None
    timed.put(record(2, Kind.PANIC))
    assert BACKOFF_MS_FIRST == timed.rounds.failed(timed.begin(), "down")


def test_an_empty_batch_learns_whether_the_journal_takes_anything(timed: Timed) -> None:
    """A move is not kept over a failure; with nothing left to write, the round still comes."""
    timed.put(record(1, Kind.PANIC))
    timed.rounds.committed(timed.begin())
    (incident,) = timed.rounds.desk.incidents()
    told: list[Exception | None] = []
    timed.put(Item(Moved("town", incident.id, Move.ACCEPT, "p-1"), NOW_MS, 0.0, answer=told.append))
    timed.rounds.failed(timed.begin(), "down")
    assert [StoreDown] == [type(one) for one in told]
    assert ([], []) == ((batch := timed.begin()).drafts, batch.stepped)


def test_a_refused_move_is_told_why_once_the_batch_it_lost_to_is_committed(timed: Timed) -> None:
    """Two accept in one batch: the first did, the second is told that it was late."""
    timed.put(record(1, Kind.PANIC))
    timed.rounds.committed(timed.begin())
    (incident,) = timed.rounds.desk.incidents()
    told: list[Exception | None] = []
    move = Item(Moved("town", incident.id, Move.ACCEPT, "p-1"), NOW_MS, 0.0, answer=told.append)
    timed.put(move, move)
    batch = timed.begin()
    assert [] == told
    timed.rounds.committed(batch)
    assert {type(None), NotAllowed} == {type(one) for one in told}


def test_a_batch_ends_when_its_time_is_up_and_the_rest_keeps_its_place(timed: Timed) -> None:
    """A press that came meanwhile goes before the rest."""
    timed.slow = True
    timed.put(record(1, Kind.BATTERY_LOW), record(2, Kind.BATTERY_LOW))
    batch = timed.begin()
    timed.put(record(3, Kind.PANIC))
    timed.rounds.committed(batch)
    following = timed.begin()
    timed.rounds.committed(following)
    assert ([1], [3], [2]) == (taken_seqs(batch), taken_seqs(following), taken_seqs(timed.begin()))


def test_another_record_under_a_committed_name_is_a_conflict(timed: Timed) -> None:
    """The same bytes again are a resend and change nothing."""
    timed.put(record(1, Kind.PANIC))
    timed.rounds.committed(timed.begin())
    timed.put(record(1, Kind.PANIC), record(1, Kind.PANIC, key="another"))
    batch = timed.begin()
    assert [(Recorded, False), (Conflicted, True)] == [(type(taken), did) for _, taken, _, did in batch.stepped]


def test_records_remembered_are_bounded_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are known."""
    monkeypatch.setattr("hub.digests.DIGESTS_MAX", 2)
    digests = Digests()
    for seq in (1, 2, 3):
        digests.remember({("town", "gw-1", "1" * 32, seq): b"%d" % seq})
    assert [None, b"2", b"3"] == [digests.get(("town", "gw-1", "1" * 32, seq)) for seq in (1, 2, 3)]
