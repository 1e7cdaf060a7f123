"""Every telemetry store keeps these promises: the embedded one, and a real InfluxDB with its marks beside it."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.core import ledger
from hub.core.ledger import Tally
from hub.measures.point import Point
from hub.store.influx import InfluxStore
from hub.store.levels import DAY_MS
from hub.store.marks import INSTANCES_MAX, Marks
from hub.store.port import Aggregate, Loss, Placed, Sample, Source, StoreError, TelemetryStore
from hub.store.sqlite import SqliteStore
from protocol.ranges import Ranges
from tests.support.influx import influx_store, new_database

SOURCE: Source = ("a", "gw", "1" * 32)


Opens = Callable[[], TelemetryStore]


@pytest.fixture(params=["sqlite", "influxdb"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Opens:
    """Opens the store of this test, as often as its process starts; its file is t.db."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "t.db", busy_ms=20)
    database = new_database(request.getfixturevalue("influxdb"))
    return lambda: influx_store(database, tmp_path / "t.db")


@pytest.fixture
def store(opens: Opens) -> Iterator[TelemetryStore]:
    with contextlib.closing(opens()) as found:
        yield found


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "t.db", busy_ms=20)) as found:
        yield found


def reading(
    seq: int, value: int | float | str = 1, point: str = "self/x", at_ms: int | None = None, **more: Any
) -> Sample:
    given: dict[str, Any] = {
        "area": "a",
        "gateway": "gw",
        "instance": "1" * 32,
        "placed": Placed.AGE,
        "mono_ns": seq,
        "quality": "synced",
    }
    when = 1_000 + seq if at_ms is None else at_ms
    return Sample(point=point, value=value, at_ms=when, wall_ms=5_000 + seq, seq=seq, **given | more)


def test_what_is_written_is_read_back(store: TelemetryStore) -> None:
    """Whole numbers, fractions and words come back as they were, with every stamp."""
    given = [reading(1, 2**62), reading(2, -1.5), reading(3, "alarm"), reading(4, 0)]
    assert 4 == store.write(given, {}, {SOURCE: 1})
    assert given == [sample for _, sample in store.range("a", "gw", "self/x", 0, 10**6, 10)]


def test_a_resend_is_written_once(store: TelemetryStore) -> None:
    """Within a batch, across batches and across a restart a sequence is one row."""
    assert 1 == store.write([reading(1), reading(1)], {}, {})
    assert 1 == store.write([reading(2), reading(1)], {}, {})
    assert (2, [(1, 2)]) == (store.count(), list(store.marks("a", "gw")["1" * 32]))


def test_marks_survive_the_process(opens: Opens) -> None:
    """What was settled is known to the next process, and only that."""
    for seq in (1, 3):
        with contextlib.closing(opens()) as store:
            store.write([reading(seq)], {SOURCE: Ranges([(7, 8)])}, {})
    with contextlib.closing(opens()) as store:
        assert [(1, 1), (3, 3), (7, 8)] == list(store.marks("a", "gw")["1" * 32])
        assert 2 == store.count("a", "gw")


def test_a_failed_write_leaves_nothing_and_can_be_tried_again(store: TelemetryStore, tmp_path: Path) -> None:
    """Neither rows nor marks of a batch that was not committed are there; the same batch then goes through."""
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.write([reading(1, point="self/new")], {}, {})
    assert (0, {}) == (store.count(), store.marks("a", "gw"))
    assert 1 == store.write([reading(1, point="self/new")], {}, {})
    assert ["self/new"] == [one.point for one in store.latest("a", "gw")]


def test_a_full_disk_leaves_nothing(embedded: SqliteStore) -> None:
    """A batch that does not fit is not there in part."""
    embedded.write([reading(1)], {}, {})
    embedded._db.execute("PRAGMA max_page_count = 1").fetchall()
    with pytest.raises(StoreError, match="full"):
        embedded.write([reading(seq, "x" * 500) for seq in range(2, 500)], {}, {})
    assert (1, 1) == (embedded.count(), embedded.marks("a", "gw")["1" * 32].mark())


def test_the_latest_is_the_newest_by_age(store: TelemetryStore) -> None:
    """A late reading does not replace a newer one, nor does one of unknown age replace one that is placed."""
    store.write([reading(1, "new", at_ms=2_000), reading(2, "late", at_ms=1_000)], {}, {})
    store.write([reading(3, "who knows", at_ms=9_000, placed=Placed.ARRIVAL)], {}, {})
    assert ["new"] == [one.value for one in store.latest("a", "gw", "self/")]
    store.write([reading(4, "newest", at_ms=3_000)], {}, {})
    assert ["newest"] == [one.value for one in store.latest("a", "gw")]
    assert [] == store.latest("a", "gw", "zone/")


def test_a_range_is_read_in_pieces(store: TelemetryStore) -> None:
    """Pieces follow on one another without loss or repetition, whatever the readings' times, those of one ms too."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    given = [reading(seq, at_ms=rng.randrange(300)) for seq in range(1, 101)]
    store.write(given, {}, {})
    found: list[tuple[int, int]] = []
    after = 0
    while piece := store.range("a", "gw", "self/x", 100, 250, 7, after):
        found += [(n, one.seq) for n, one in piece]
        after = piece[-1][0]
    assert sorted(one.seq for one in given if 100 <= one.at_ms < 250) == sorted(seq for _, seq in found), seed
    assert sorted(found) == found, seed


def test_readings_of_one_moment_are_all_kept(store: TelemetryStore) -> None:
    """Of one point, in one ms, of two processes with the same numbers: no reading is another's."""
    other = "2" * 32
    given = [reading(seq, seq, at_ms=7) for seq in range(1, 51)]
    given += [reading(seq, -seq, at_ms=7, instance=other, placed=Placed.ARRIVAL) for seq in range(1, 51)]
    store.write(given, {}, {})
    assert {(one.instance, one.value) for one in given} == {
        (one.instance, one.value) for _, one in store.range("a", "gw", "self/x", 7, 8, 200)
    }
    assert (100, 100, 0) == (store.count(), store.count("a", "gw"), store.count("a", "other"))


def test_a_point_may_change_the_kind_of_its_value(store: TelemetryStore) -> None:
    """A number becomes a fraction and a word, and none is lost; so does one whose kind the schema knows."""
    values: list[int | float | str] = [1, 2.5, "many", 2**62 + 1]
    for first, point in enumerate(("self/x", "health/link_failures", "health/temperature_c", "zone/z")):
        first *= 10
        given = [reading(first + at, value, point, at_ms=at) for at, value in enumerate(values, 1)]
        assert 4 == store.write(given, {}, {})
        assert given == [one for _, one in store.range("a", "gw", point, 0, 100, 10)]
    assert 0 == store.refused.count


def test_numbers_are_aggregated_by_windows(store: TelemetryStore) -> None:
    """By whole windows of time, within the span alone; words and other points are left out, and empty windows too."""
    points: list[tuple[int, int | float | str]] = [
        (1_000, 4),
        (1_999, 2.5),
        (1_500, "word"),
        (2_000, 2**62),
        (5_500, -1),
        (900, 7),
        (6_000, 8),
    ]
    names = ("self/x", "health/link_failures")
    for first, point in enumerate(names):
        given = [reading(10 * first + at, value, point, at_ms=at_ms) for at, (at_ms, value) in enumerate(points, 1)]
        store.write(given, {}, {})
    for point in names:
        assert [
            Aggregate(1_000, 2, 3.25, 2.5, 4.0),
            Aggregate(2_000, 1, 2.0**62, 2.0**62, 2.0**62),
            Aggregate(5_000, 1, -1.0, -1.0, -1.0),
        ] == store.aggregate("a", "gw", point, 1_000, 6_000, 1_000, 100)
    assert [1_000] == [one.at_ms for one in store.aggregate("a", "gw", "self/x", 1_000, 6_000, 1_000, 1)]
    assert [] == store.aggregate("a", "gw", "other", 0, 10_000, 1_000, 100)


def test_a_point_of_the_hub_s_own_is_told_again_over_itself(store: TelemetryStore) -> None:
    """The same series and time is the same point, with the newest word of each field; it is no reading."""
    at_ns = 1_700_000_000_000_000_001
    tags = (("area", "a"), ("drill", "0"), ("rule", "panic"))
    store.put([Point("incident", tags, {"incident": "i", "state": "reported", "open": 1}, at_ns)])
    store.put([Point("incident", tags, {"state": "resolved", "open": 0}, at_ns)])
    assert [("i", "resolved", 0)] == told(store, "incident", "incident", "state", "open")
    assert 0 == store.count()


def test_pruning_by_age_takes_the_old_alone(embedded: SqliteStore) -> None:
    """Readings before the limit go, the others stay, and marks stay: nothing pruned comes back by a resend."""
    embedded.write([reading(seq, at_ms=seq) for seq in range(1, 101)], {}, {})
    assert 50 == embedded.prune(51 + 30 * DAY_MS, 2**40)
    assert 50 == embedded.count()
    assert 0 == embedded.write([reading(1)], {}, {})


def test_pruning_by_size_takes_the_oldest(embedded: SqliteStore, tmp_path: Path) -> None:
    """A store above its size loses its oldest readings until it fits, and the file shrinks."""
    for at in range(0, 4_000, 1_000):
        embedded.write([reading(at + seq, "x" * 400, at_ms=at + seq) for seq in range(1, 1_001)], {}, {})
    most = embedded._pruning.bytes() // 2
    while embedded.prune(0, most):
        continue
    assert embedded._pruning.bytes() <= most
    kept = [one.seq for _, one in embedded.range("a", "gw", "self/x", 0, 10**6, 5_000)]
    assert 500 < len(kept) < 4_000
    assert list(range(4_001 - len(kept), 4_001)) == kept
    assert len(kept) == embedded.count()


def test_instances_of_a_gateway_are_bounded(embedded: SqliteStore) -> None:
    """The marks of the lowest boots are forgotten first."""
    for boot in range(1, INSTANCES_MAX + 3):
        source = ("a", "gw", f"{boot:032x}")
        embedded.write([reading(1, instance=source[2])], {}, {source: boot})
    kept = list(embedded.marks("a", "gw"))
    assert [f"{boot:032x}" for boot in range(3, INSTANCES_MAX + 3)] == kept


def told(store: TelemetryStore, measurement: str, *fields: str) -> list[tuple[object, ...]]:
    """Fields of the hub's own points, as the store has them."""
    if isinstance(store, SqliteStore):
        return [tuple(one.fields[field] for field in fields) for one in store.points(measurement, 0, 2**43)]
    assert isinstance(store, InfluxStore)
    found = store._server.query(f"SELECT {', '.join(fields)} FROM {measurement}")
    return [tuple(row[1:]) for series in found for row in series["values"]]


def lost(first: int, last: int, reason: str = "full", *, by_hub: bool = False) -> Loss:
    return Loss(SOURCE, first, last, reason, 7, by_hub)


def ranges(store: TelemetryStore) -> list[tuple[str, int, int]]:
    """What is missing of the source, as (state, first, last)."""
    books = {book.instance: book for book in store.books("a", "gw")}
    return [(str(one.state), one.first, one.last) for one in ledger.missing(books["1" * 32])]


def test_what_is_lost_is_told_apart_from_what_is_stored(store: TelemetryStore) -> None:
    """A gap is settled and listed, a hole is listed and not settled, closed or not; what comes after all leaves."""
    store.write([reading(1), reading(9)], {}, {}, [lost(2, 4)])
    assert [("declared", 2, 4), ("open", 5, 8)] == ranges(store)
    store.write([reading(3)], {}, {}, [lost(5, 8, "gone", by_hub=True)])
    assert [("declared", 2, 2), ("declared", 4, 4), ("closed", 5, 8)] == ranges(store)
    assert [(1, 4), (9, 9)] == list(store.marks("a", "gw")["1" * 32])
    assert 1 == store.write([reading(6)], {}, {})
    assert Tally(open=0, lost=7, refilled=2) == store.tally


def test_the_ledger_survives_the_process(opens: Opens) -> None:
    """Ranges, reasons and counts are those of before."""
    with contextlib.closing(opens()) as store:
        store.write([reading(1), reading(9), reading(12)], {}, {}, [lost(2, 4), lost(1, 8, "gone", by_hub=True)])
        before = (store.tally, store.books("a", "gw"))
    with contextlib.closing(opens()) as store:
        assert before == (store.tally, store.books("a", "gw"))
        assert Tally(open=2, lost=7) == store.tally


def test_a_failed_write_leaves_the_ledger_as_it_was(store: TelemetryStore, tmp_path: Path) -> None:
    """Neither a loss nor a count of a batch that was not committed is there."""
    store.write([reading(1)], {}, {})
    with contextlib.closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.write([reading(9)], {}, {}, [lost(2, 4)])
    assert (Tally(), []) == (store.tally, ranges(store))


def test_what_was_refused_is_not_missing(store: TelemetryStore) -> None:
    """A reading that may not be kept is done with."""
    store.write([reading(1), reading(4)], {SOURCE: Ranges([(2, 3)])}, {})
    assert (Tally(), []) == (store.tally, ranges(store))


def test_holes_of_a_forgotten_process_are_counted(embedded: SqliteStore) -> None:
    """Of one process too many what was open is forgotten, and its count kept."""
    for boot in range(1, INSTANCES_MAX + 3):
        source = ("a", "gw", f"{boot:032x}")
        embedded.write([reading(4, instance=source[2])], {}, {source: boot})
    assert Tally(open=3 * INSTANCES_MAX, forgotten=6) == embedded.tally


def test_a_file_from_before_the_ledger_is_taken_over(embedded: SqliteStore, tmp_path: Path) -> None:
    """Its holes are open, and counted."""
    embedded.write([reading(1), reading(4)], {}, {})
    for table in ("ledger", "tally"):
        embedded._db.execute(f"DROP TABLE {table}")
    with contextlib.closing(SqliteStore(tmp_path / "t.db")) as again:
        assert (Tally(open=2), [("open", 2, 3)]) == (again.tally, ranges(again))


def test_marks_stand_beside_a_server_of_another_kind(tmp_path: Path) -> None:
    """A store without marks of its own keeps them in a file: what its server refused is not settled and comes again,
    what it took is settled once."""
    server: list[int] = []

    def write(marks: Marks, seqs: list[int], *, refuses: bool = False) -> None:
        with marks.transaction():
            fresh = marks.settle([reading(seq) for seq in seqs], {}, {SOURCE: 1}, [])
            if refuses:
                raise StoreError("no answer")
            server.extend(one.seq for one in fresh)

    with contextlib.closing(sqlite3.connect(tmp_path / "marks.db", isolation_level=None)) as db:
        marks = Marks(db)
        write(marks, [1, 2])
        with pytest.raises(StoreError, match="no answer"):
            write(marks, [2, 5], refuses=True)
        assert ([(1, 2)], Tally()) == (list(marks.marks("a", "gw")["1" * 32]), marks.tally)
        write(marks, [2, 5])
    assert [1, 2, 5] == server
    with contextlib.closing(sqlite3.connect(tmp_path / "marks.db", isolation_level=None)) as db:
        assert Tally(open=2) == Marks(db).tally


def test_a_process_of_too_many_holes_waits(embedded: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be one run more is neither written nor settled, whether read, refused or given up."""
    monkeypatch.setattr(ledger, "RUNS_MAX", 3)
    assert 4 == embedded.write([reading(seq) for seq in (2, 5, 9, 12, 6)], {SOURCE: Ranges([(20, 21)])}, {SOURCE: 1})
    assert [(2, 2), (5, 6), (9, 9)] == list(embedded.marks("a", "gw")["1" * 32])
    embedded.write([], {}, {SOURCE: 1}, [Loss(SOURCE, first, first, "full", 0) for first in (30, 40, 50, 60)])
    assert [30, 40, 50] == [first for first, _ in embedded.marks("a", "gw")["1" * 32]][-3:]
