"""Coarser copies at a real InfluxDB: what `lianfang telemetry init` makes, and windows that a backlog fell into."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.measures.point import NS_PER_MS, Point
from hub.store.command import app
from hub.store.influx import InfluxStore
from hub.store.levels import FIVE_MINUTE, HOURLY, LEVELS
from hub.store.port import Placed, Sample, StoreError
from hub.store.server import Access, InfluxServer, named
from tests.support.centre import write_config
from tests.support.influx import influx_store, new_database

HOUR_MS, MINUTE_MS = 3_600_000, 60_000


def wanted(folder: Path, access: Access, *more: str) -> Path:
    """A hub's configuration for this database."""
    path = write_config(folder)
    lines = ["[telemetry]", 'store = "influxdb"', f'url = "{access.url}"', f'database = "{access.database}"', *more]
    path.write_text(path.read_text() + "\n" + "\n".join(lines) + "\n")
    return path


def said(path: Path) -> list[str]:
    found = CliRunner().invoke(app, ["init", "--config", str(path)])
    assert 0 == found.exit_code, found.output
    return found.output.splitlines()


@pytest.fixture
def store(influxdb: str, tmp_path: Path) -> Iterator[InfluxStore]:
    access = new_database(influxdb)
    said(wanted(tmp_path / "hub", access))
    with contextlib.closing(influx_store(access, tmp_path / "t.db")) as found:
        yield found


def asked(store: InfluxStore, text: str) -> list[dict[str, Any]]:
    found = store._server.query(text)
    return [dict(zip(one["columns"], row, strict=True)) | one.get("tags", {}) for one in found for row in one["values"]]


def test_init_makes_changes_and_then_leaves_alone(influxdb: str, tmp_path: Path) -> None:
    """Database and policies where there are none, other days where they differ, and nothing the second time."""
    made = new_database(influxdb)
    with contextlib.closing(InfluxServer(made)) as server:
        server.query(f"DROP DATABASE {named(made.database)}")
    assert 4 == len(said(wanted(tmp_path / "a", made)))
    assert [f"database {made.database}: as it should be"] == said(tmp_path / "a" / "hub.toml")
    assert ["retention policy raw: changed from 720h0m0s to 60 days"] == said(
        wanted(tmp_path / "b", made, "raw_days = 60")
    )
    with contextlib.closing(InfluxServer(made)) as server:
        rows = server.query(f"SHOW RETENTION POLICIES ON {named(made.database)}")[0]["values"]
    assert {"autogen": False, "raw": True, "five_minute": False, "hourly": False} == {row[0]: row[-1] for row in rows}
    assert {"1440h0m0s", "8760h0m0s", "87600h0m0s"} == {row[1] for row in rows if row[0] != "autogen"}


def test_init_says_what_it_cannot_do(influxdb: str, tmp_path: Path) -> None:
    """Another store, and a server that is not there, each by name."""
    found = CliRunner().invoke(app, ["init", "--config", str(write_config(tmp_path / "a"))])
    assert (2, True) == (found.exit_code, "telemetry.store" in found.output)
    found = CliRunner().invoke(
        app, ["init", "--config", str(wanted(tmp_path / "b", Access("http://127.0.0.1:1", "x")))]
    )
    assert (1, True) == (found.exit_code, "127.0.0.1:1" in found.output)


def test_windows_of_a_six_hour_backlog_are_those_of_the_raw_truth(store: InfluxStore) -> None:
    """One gateway is live all along; another's six hours come at once, after the windows were aggregated. In the end
    every five minutes and every hour of both are what the raw readings come to, told by an independent sum."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    now_ms = asked_now(store)
    begin_ms = now_ms - now_ms % HOUR_MS - 7 * HOUR_MS
    live, late = (
        [reading(f"gw-{gateway}", seq, rng.uniform(20, 80), begin_ms + seq * 47_000) for seq in range(1, 460)]
        for gateway in ("live", "late")
    )
    store.write(live, {}, {})
    settle(store, now_ms)
    before = aggregated(store)
    assert {"gw-live"} == {gateway for _, gateway, _ in before}
    rng.shuffle(late)
    for first in range(0, len(late), 100):
        store.write(late[first : first + 100], {}, {})
        settle(store, now_ms)
    truth: dict[tuple[str, str, int], list[float]] = {}
    for sample in (*live, *late):
        for level in LEVELS.values():
            start_ms = sample.at_ms - sample.at_ms % level.window_ms
            truth.setdefault((level.name, sample.gateway, start_ms), []).append(float(sample.value))
    found = aggregated(store)
    assert truth.keys() == found.keys(), seed
    for key, values in truth.items():
        mean, least, most = found[key]
        assert (min(values), max(values)) == (least, most), (seed, key)
        assert sum(values) / len(values) == pytest.approx(mean), (seed, key)
    assert {key: value for key, value in found.items() if key[1] == "gw-live"} == before


def test_events_are_copied_whole_and_snapshots_aggregated(store: InfluxStore) -> None:
    """An incident keeps every field, as it stands in the end; a desk's numbers become means; the hub's own too."""
    now_ms = asked_now(store)
    begin_ms = now_ms - now_ms % HOUR_MS - 2 * HOUR_MS
    at_ns = begin_ms * NS_PER_MS + 17
    incident = (("area", "a"), ("drill", "0"), ("rule", "panic"))
    for state in ("reported", "resolved"):
        store.put([Point("incident", incident, {"incident": "i", "state": state, "open": 1}, at_ns)])
        store.put([Point("desk", (("area", "a"),), {"open_p1": n}, at_ns + n) for n in (2, 4)])
        store.put([Point("hub", (("hub", "h"),), {"telemetry_points": float(n)}, at_ns + n) for n in (1, 3)])
        settle(store, now_ms)
    for level in (FIVE_MINUTE, HOURLY):
        policy = named(level.name)
        (one,) = asked(store, f"SELECT * FROM {policy}.incident")
        assert (at_ns, "resolved", "panic") == (one["time"], one["state"], one["rule"])
        (desk,) = asked(store, f"SELECT * FROM {policy}.desk")
        assert (begin_ms * NS_PER_MS, 3.0, 4, "a") == (
            desk["time"],
            desk["mean_open_p1"],
            desk["max_open_p1"],
            desk["area"],
        )
        assert [2.0] == [row["mean_telemetry_points"] for row in asked(store, f"SELECT * FROM {policy}.hub")]


def test_without_its_policies_windows_wait(influxdb: str, tmp_path: Path) -> None:
    """Where init was never run the trouble says so, and once it was the windows are made up for."""
    access = new_database(influxdb)
    with contextlib.closing(influx_store(access, tmp_path / "t.db")) as store:
        now_ms = asked_now(store)
        store.write([reading("gw", 1, 5.0, now_ms - 2 * HOUR_MS)], {}, {})
        with pytest.raises(StoreError, match="retention policy not found"):
            store.downsample(now_ms)
        before = asked(store, "SELECT count(seq) FROM gateway_health")
        said(wanted(tmp_path / "hub", access))
        assert before
        store.write([reading("gw", 2, 7.0, now_ms - 2 * HOUR_MS)], {}, {})
        settle(store, now_ms)
        assert {(7.0, 7.0, 7.0)} == set(aggregated(store).values())


def asked_now(store: InfluxStore) -> int:
    return store._wall_ms()


def settle(store: InfluxStore, now_ms: int) -> None:
    while store.downsample(now_ms):
        continue


def aggregated(store: InfluxStore) -> dict[tuple[str, str, int], tuple[float, float, float]]:
    return {
        (level, row["gateway"], row["time"] // NS_PER_MS): (
            row["mean_temperature_c"], row["min_temperature_c"], row["max_temperature_c"],
        )
        for level in LEVELS
        for row in asked(store, f"SELECT * FROM {named(level)}.gateway_health")
    }  # fmt: skip


def reading(gateway: str, seq: int, value: float, at_ms: int) -> Sample:
    instance = gateway.encode().hex().ljust(32, "0")
    return Sample("a", gateway, "health/temperature_c", value, at_ms, Placed.AGE, seq, at_ms, "synced", instance, seq)
