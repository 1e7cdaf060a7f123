"""Either store answers for times whose readings it keeps no longer, from coarser copies, as the readings were."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hub.store.downsampled import numbers
from hub.store.levels import DAY_MS, FIVE_MINUTE, HOURLY, KEPT, Kept, TooFine
from hub.store.port import Placed, Sample, TelemetryStore
from hub.store.sqlite import SqliteStore
from tests.support.influx import influx_store, initiated

KEPT_HERE = Kept(raw_days=2, five_minute_days=6, hourly_days=20)
POINTS = ("health/temperature_c", "health/bus/rs485-1/breaks", "health/device/relay-1/latency_ms", "meter/total_kwh")
Opens = Callable[[Kept], TelemetryStore]


@pytest.fixture(params=["sqlite", "influxdb"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Opens:
    if request.param == "sqlite":
        return lambda kept: SqliteStore(tmp_path / "t.db", kept=kept)
    access = initiated(request.getfixturevalue("influxdb"))
    return lambda kept: influx_store(access, tmp_path / "t.db", kept=kept)


@pytest.fixture
def store(opens: Opens) -> Iterator[TelemetryStore]:
    with contextlib.closing(opens(KEPT_HERE)) as found:
        yield found


def told(seed: int, now_ms: int) -> list[Sample]:
    """Seven half hours of ten days, readings of every point, and of a gateway that is nobody's business here."""
    rng = random.Random(seed)
    found = []
    bursts = [rng.randrange(DAY_MS) + day * DAY_MS for day in (0, 1, 2, 3, 4, 7, 9)]
    for seq in range(1, 301):
        point, gateway = rng.choice(POINTS), rng.choice(("gw", "gw", "other"))
        value: int | float = rng.randrange(1_000) if "breaks" in point else rng.uniform(-50, 50)
        at_ms = now_ms - min(10 * DAY_MS, rng.choice(bursts) + rng.randrange(1, 1_800_000))
        instance = ("1" if gateway == "gw" else "2") * 32
        found.append(Sample("a", gateway, point, value, at_ms, Placed.AGE, seq, at_ms, "synced", instance, seq))
    return found


def live(store: TelemetryStore, samples: Sequence[Sample], now_ms: int) -> None:
    """As days went by: what came of each was stored, and its windows were made."""
    for day in range(10, 0, -1):
        begin_ms = now_ms - day * DAY_MS
        store.write([one for one in samples if begin_ms <= one.at_ms < begin_ms + DAY_MS], {}, {})
        store.prune(begin_ms + DAY_MS, 2**40)
        while store.downsample(begin_ms + DAY_MS):
            continue
    while store.downsample(now_ms + 2 * HOURLY.window_ms):
        continue


def truth(samples: Sequence[Sample], point: str, every_ms: int) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for one in samples:
        if (one.gateway, one.point) == ("gw", point):
            found.setdefault(one.at_ms - one.at_ms % every_ms, []).append(float(one.value))
    return found


def test_the_past_is_answered_from_the_copies_as_it_was(store: TelemetryStore) -> None:
    """Five days back by ten minutes and ten days back by six hours: every window of every point is what the readings
    were, though most of them are kept no longer; what came too late for its copy does not spoil it."""
    seed = random.randrange(2**32)
    now_ms = time.time_ns() // 1_000_000
    samples = told(seed, now_ms)
    live(store, samples, now_ms)
    at_ms = now_ms - 5 * DAY_MS
    late = Sample("a", "gw", POINTS[0], 9e9, at_ms, Placed.AGE, 1, at_ms, "synced", "3" * 32, 1)
    store.write([late], {}, {})
    store.downsample(now_ms + 2 * HOURLY.window_ms)
    for days, every_ms in ((5, 2 * FIVE_MINUTE.window_ms), (10, 6 * HOURLY.window_ms)):
        from_ms = now_ms - days * DAY_MS
        from_ms -= from_ms % every_ms
        for point in POINTS:
            found = numbers(store, "a", "gw", point, from_ms, now_ms, every_ms, now_ms, 10_000)
            wanted = {at_ms: some for at_ms, some in truth(samples, point, every_ms).items() if at_ms >= from_ms}
            assert sorted(wanted) == [one.at_ms for one in found], (seed, point)
            for one in found:
                values = wanted[one.at_ms]
                assert (len(values), min(values), max(values)) == (one.count, one.min, one.max), (seed, one.at_ms)
                assert sum(values) / len(values) == pytest.approx(one.mean), (seed, point, one.at_ms)


def test_what_is_not_kept_that_finely_is_refused(store: TelemetryStore) -> None:
    """By minutes three days back, where something was dropped: an error, no empty answer."""
    now_ms = time.time_ns() // 1_000_000
    store.write(told(1, now_ms), {}, {})
    store.prune(now_ms, 2**40)
    with pytest.raises(TooFine, match="multiple of 300000"):
        numbers(store, "a", "gw", POINTS[0], now_ms - 3 * DAY_MS, now_ms, 60_000, now_ms, 10_000)


def test_the_embedded_store_lets_copies_go_by_their_age(tmp_path: Path) -> None:
    """Each level when it is old enough, and no sooner."""
    now_ms = 20_000 * DAY_MS
    with contextlib.closing(SqliteStore(tmp_path / "t.db", kept=KEPT_HERE)) as store:
        live(store, told(2, now_ms), now_ms)
        store.prune(now_ms, 2**40)
        oldest = "SELECT min(start_ms) FROM coarse WHERE level=?"
        hourly, fine = (store._one(oldest, (level.name,)) for level in (HOURLY, FIVE_MINUTE))
        assert hourly < now_ms - 9 * DAY_MS < now_ms - 6 * DAY_MS <= fine < now_ms - 4 * DAY_MS
        counted = dict(store._rows("SELECT level, count(*) FROM coarse GROUP BY level", ()))
        assert counted == {level.name: rows for level, rows in store._coarse.counts.items()}


def test_a_store_that_is_too_large_keeps_windows_longer_than_readings(tmp_path: Path) -> None:
    """What there is most of loses its oldest, until the file fits: windows reach further back in the end."""
    now_ms = 20_000 * DAY_MS
    with contextlib.closing(SqliteStore(tmp_path / "t.db", kept=replace(KEPT, raw_days=3_650))) as store:
        for day in range(4):
            begin_ms = now_ms - (4 - day) * DAY_MS
            samples = [
                Sample("a", "gw", "self/x", 1.5, begin_ms + at * 60_000, Placed.AGE, 1, 1, "synced", "1" * 32, seq)
                for at in range(1_440)
                for seq in (day * 1_440 + at + 1,)
            ]
            store.write(samples, {}, {})
        while store.downsample(now_ms):
            continue
        most = store._pruning.bytes() // 3
        for _ in range(500):
            if not store.prune(now_ms, most):
                break
        assert store._pruning.bytes() <= most
        assert 0 < store.raw_ms(now_ms) < now_ms
        first = {
            level.name: store._one("SELECT min(start_ms) FROM coarse WHERE level=?", (level.name,))
            for level in (FIVE_MINUTE, HOURLY)
        }
        raw_first = store._one("SELECT min(at_ms) FROM sample")
        assert raw_first > now_ms - 20 * DAY_MS
        assert first["hourly"] <= first["five_minute"] <= raw_first
