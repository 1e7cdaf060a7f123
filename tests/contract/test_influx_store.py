"""What a server may do to a store: refuse lines, be silent, be killed, answer late; and what the hub sends to it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.measures.line import line
from hub.measures.point import Point
from hub.store.bucket import BucketServer
from hub.store.deliver import BatchRefused, deliver
from hub.store.influx import InfluxStore
from hub.store.port import Placed, Sample, StoreError
from hub.store.server import Access, InfluxServer
from simulators.influx import APT_VICTORIA, Tsdb, Victoria, installed
from tests.support.influx import influx_store, new_database
from tests.support.listening import listening
from tests.support.pki import Authority

NUMBERS = itertools.count()
NOW_MS = time.time_ns() // 1_000_000
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True).filter(lambda name: name != "time")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TAGS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\\"), min_size=1, max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def reading(seq: int, value: int | float | str = 1, point: str = "self/x", at_ms: int = NOW_MS) -> Sample:
    return Sample("a", "gw", point, value, at_ms, Placed.AGE, seq, NOW_MS, "synced", "1" * 32, seq)


@pytest.fixture
def access(influxdb: str) -> Access:
    return new_database(influxdb)


@pytest.fixture
def server(access: Access) -> Iterator[InfluxServer]:
    with contextlib.closing(InfluxServer(access)) as found:
        yield found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tags=st.dictionaries(NAMES, TAGS, max_size=3),
    fields=st.dictionaries(NAMES, st.one_of(st.integers(-(2**63), 2**63 - 1), FLOATS, TEXTS), min_size=1, max_size=4),
    at_ns=st.integers(0, 2**62),
)
def test_a_line_is_read_back_to_the_bit(
    server: InfluxServer, tags: dict[str, str], fields: dict[str, Any], at_ns: int
) -> None:
    """Every value, tag and time that passes our check comes back from InfluxDB as it was."""
    tags = {name: value for name, value in tags.items() if name not in fields}
    measurement = f"m{next(NUMBERS)}"
    server.write([line(Point(measurement, tuple(tags.items()), fields, at_ns))])
    (series,) = server.query(f'SELECT * FROM "{measurement}" GROUP BY *')
    assert tags == series.get("tags", {})
    values = dict(zip(series["columns"], *series["values"], strict=True))
    kinds = {name: type(value) for name, value in fields.items()}  # JSON does not tell 1.0 from 1
    assert fields | {"time": at_ns} == {name: kinds.get(name, int)(value) for name, value in values.items()}


def test_bad_lines_are_separated_and_the_others_written(server: InfluxServer) -> None:
    """Of 300 lines those with another kind of value are found, whatever stands around them; the rest is there."""
    server.write([b"m,t=x f=1i 1"])
    lines = [b"m,t=a f=%di %d" % (at, at) for at in range(2, 302)]
    bad = {lines[at]: b"m,t=a f=%d.5 %d" % (at, at) for at in (0, 17, 18, 150, 299)}
    refused = deliver([bad.get(one, one) for one in lines], server.write)
    assert set(bad.values()) == {one for one, _ in refused}
    assert all("field type conflict" in why for _, why in refused)
    assert 296 == server.query("SELECT count(f) FROM m")[0]["values"][0][1]


def test_what_is_beyond_retention_is_given_up_in_one_request(influxdb: str) -> None:
    """The server says that it dropped all of them: there is nothing to separate."""
    asked: list[int] = []
    with contextlib.closing(InfluxServer(new_database(influxdb, "30d"))) as server:

        def post(lines: Sequence[bytes]) -> None:
            asked.append(len(lines))
            server.write(lines)

        refused = deliver([b"m f=1i %d" % at for at in range(500)], post)
    assert (500, [500]) == (len(refused), asked)


def test_the_fewest_requests_find_every_bad_line() -> None:
    """Whatever lines are bad, exactly those are refused, every other was in a request that was taken, in 2n at most."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    lines = [b"%d" % at for at in range(64)]
    bad = {one for one in lines if rng.random() < rng.choice((0.02, 0.5, 1.0))}
    taken: set[bytes] = set()
    asked = 0

    def post(some: Sequence[bytes]) -> None:
        nonlocal asked
        asked += 1
        if bad & set(some):
            raise BatchRefused("bad", rng.choice((None, len(bad & set(some)))))
        taken.update(some)

    refused = deliver(lines, post)
    assert (bad, set(lines) - bad) == ({one for one, _ in refused}, taken), seed
    assert asked <= 2 * len(lines), seed


def test_refused_readings_are_told_counted_and_not_sent_again(access: Access, tmp_path: Path) -> None:
    """The server's own words say why; the reading is settled, the others are stored, and the next write is well."""
    with contextlib.closing(influx_store(access, tmp_path / "t.db")) as store:
        # Somebody else wrote the field as another kind.
        store._server.write([b'reading,area=a,gateway=gw,point=self/x value="word" %d' % (NOW_MS * 10**6)])
        told: list[str] = []
        store.refused.told = lambda one: told.append(one.why)
        assert 2 == store.write([reading(1), reading(2, "text"), reading(3, 2.5), reading(4, "more")], {}, {})
        assert 2 == len(told) == store.refused.count
        assert all("field type conflict" in why for why in told), told
        assert [(1, 4)] == list(store.marks("a", "gw")["1" * 32])
        assert 1 == store.write([reading(5, "on")], {}, {})
        assert ["text", "more", "on"] == [one.value for _, one in store.range("a", "gw", "self/x", 0, 2**43, 9)]


def test_a_gateway_s_points_are_bounded(access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that names ever new points fills no index: those beyond are refused, those it has go on, after a restart
    too."""
    monkeypatch.setattr("hub.store.beside.POINTS_MAX", 3)
    for first in (1, 11):
        with contextlib.closing(influx_store(access, tmp_path / "t.db")) as store:
            given = [reading(first + at, point=f"self/p{at}") for at in range(5)]
            assert 3 == store.write(given, {}, {})
            assert 2 == store.refused.count
            assert ["self/p0", "self/p1", "self/p2"] == [
                series["tags"]["point"]
                for series in store._server.query("SELECT count(seq) FROM reading GROUP BY point")
            ]


class Flaky:
    """A server in front of the real one, that may do as told and not say so, or say so and not do it."""

    def __init__(self, real: InfluxServer) -> None:
        self.real, self.then = real, ""
        self.query, self.close, self.database = real.query, real.close, real.database
        self.write_to = real.write_to

    def write(self, lines: Sequence[bytes]) -> None:
        if self.then != "lost":
            self.real.write(lines)
        if self.then:
            raise StoreError(f"time-out ({self.then})")


@pytest.mark.parametrize("how", ["done but not said", "lost"])
def test_a_time_out_is_tried_again_without_doubling(access: Access, tmp_path: Path, how: str) -> None:
    """Whether the server had written or not: nothing is settled, and the next try leaves each reading once."""
    flaky = Flaky(InfluxServer(access))
    with contextlib.closing(influx_store(access, tmp_path / "t.db", flaky)) as store:
        batch = [reading(seq, seq) for seq in range(1, 101)]
        flaky.then = how
        for _ in range(3):
            with pytest.raises(StoreError, match="time-out"):
                store.write(batch, {}, {})
        assert {} == store.marks("a", "gw")
        flaky.then = ""
        assert 100 == store.write(batch, {}, {})
        assert (100, [(1, 100)]) == (store.count(), list(store.marks("a", "gw")["1" * 32]))


def test_a_hub_killed_between_server_and_marks_doubles_nothing(access: Access, tmp_path: Path) -> None:
    """The readings come again with other times, as ages are told anew: each is at the server once, as first placed."""
    flaky = Flaky(InfluxServer(access))
    flaky.then = "done but not said"
    with contextlib.closing(influx_store(access, tmp_path / "t.db", flaky)) as store, pytest.raises(StoreError):
        store.write([reading(seq, seq) for seq in range(1, 51)], {}, {})
    with contextlib.closing(influx_store(access, tmp_path / "t.db")) as store:
        again = [reading(seq, seq, at_ms=NOW_MS + 3) for seq in range(1, 61)]
        assert 60 == store.write(again, {}, {})
        found = [one for _, one in store.range("a", "gw", "self/x", 0, 2**43, 1_000)]
        assert sorted(range(1, 61)) == sorted(one.seq for one in found)
        assert {NOW_MS} == {one.at_ms for one in found if one.seq <= 50}


async def test_what_was_taken_outlives_a_kill_of_the_server(tmp_path: Path) -> None:
    """kill -9 in the midst of writing: what `write` gave back is there, and after the restart the rest is written."""
    async with Tsdb(tmp_path / "influx") as server:
        access = await asyncio.to_thread(new_database, server.url)
        store = influx_store(access, tmp_path / "t.db")
        written = 0
        wrote, down = threading.Event(), threading.Event()

        def write() -> None:
            nonlocal written
            first = 1
            while first <= 4_000 or not down.is_set():
                batch = [reading(seq, seq, f"self/p{seq % 7}") for seq in range(first, first + 100)]
                try:
                    written += store.write(batch, {}, {})
                    first += 100
                    wrote.set()
                except StoreError:
                    down.set()
                    time.sleep(0.02)

        writing = asyncio.create_task(asyncio.to_thread(write))
        await asyncio.to_thread(wrote.wait)
        await server.kill()
        await asyncio.to_thread(down.wait)
        await server.start()
        await writing
        assert written == await asyncio.to_thread(store.count)
        assert [(1, written)] == list(store.marks("a", "gw")["1" * 32])
        store.close()


def test_a_user_and_password_that_do_not_fit_are_told_and_not_shown(access: Access) -> None:
    """The words name what is wrong and where, never the password."""
    wrong = Access(access.url, "no-such-database", username="hub", password="geheim-secret")
    with contextlib.closing(InfluxServer(wrong)) as server, pytest.raises(StoreError, match="telemetry init") as found:
        server.write([b"m f=1i 1"])
    assert "geheim" not in f"{found.value}{wrong!r}"


def test_a_server_that_is_not_there_is_trouble_that_may_pass(tmp_path: Path) -> None:
    """Refused connections, by the 1.x API and by the v2 one."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        access = Access(f"http://127.0.0.1:{held.getsockname()[1]}", "x", token="t", timeout_ms=500)
        for kind in (InfluxServer, BucketServer):
            with contextlib.closing(kind(access)) as server, pytest.raises(StoreError, match=r"127\.0\.0\.1"):
                server.write([b"m f=1i 1"])


def test_golden_requests_of_the_v2_api() -> None:
    """What InfluxDB 2 and 3 are asked: bucket, organization, ns, a token, gzip; and InfluxQL with the same token."""
    answer = json.dumps({"results": [{"series": [{"name": "m", "columns": ["time", "f"], "values": [[1, 2]]}]}]})
    with listening((204, b""), (200, answer.encode())) as (url, asked):
        access = Access(url, "lianfang", org="county", token="secret-token")
        with contextlib.closing(BucketServer(access)) as server:
            server.write([b"m f=1i 1", b"m f=2i 2"])
            assert [[1, 2]] == server.query("SELECT f FROM m")[0]["values"]
            server.write_to("hourly", [b"m mean_f=1 1"])
    (write, query, copy) = asked
    assert ("/write?db=lianfang&rp=hourly&precision=ns", "Token secret-token") == (copy[0], copy[1]["Authorization"])
    assert "/api/v2/write?org=county&bucket=lianfang&precision=ns" == write[0]
    assert ("Token secret-token", "gzip") == (write[1]["Authorization"], write[1]["Content-Encoding"])
    assert b"m f=1i 1\nm f=2i 2" == gzip.decompress(write[2])
    assert ("/query", "Token secret-token") == (query[0], query[1]["Authorization"])
    assert b"db=lianfang&epoch=ns&q=SELECT+f+FROM+m" == query[2]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"code": "invalid", "message": "unable to parse 'm f=': missing field value"}, BatchRefused),
        (422, {"code": "unprocessable entity", "message": "failure writing points: partial write: points beyond "
                                                          "retention policy dropped=1"}, BatchRefused),
        (400, {"error": "partial write of line protocol occurred", "data": [{"line_number": 1}]}, BatchRefused),
        (413, {"code": "request too large", "message": "body too large"}, BatchRefused),
        (400, {"code": "invalid", "message": "bucket is required"}, StoreError),
        (401, {"code": "unauthorized", "message": "unauthorized access"}, StoreError),
        (404, {"code": "not found", "message": "bucket \"x\" not found"}, StoreError),
        (429, {"code": "too many requests", "message": "slow down"}, StoreError),
        (503, {"code": "unavailable", "message": "later"}, StoreError),
    ],
)  # fmt: skip
def test_golden_answers_of_the_v2_api(status: int, body: dict[str, object], kind: type[Exception]) -> None:
    """Lines at fault are told from trouble that may pass or be mended, as 2.x and 3 say it."""
    with listening((status, json.dumps(body).encode())) as (url, _):
        access = Access(url, "x", org="o", token="t")
        with contextlib.closing(BucketServer(access)) as server, pytest.raises(kind):
            server.write([b"m f=1i 1"])


async def test_victoria_metrics_takes_what_the_v2_api_writes(tmp_path: Path) -> None:
    """Writing alone: readings and the hub's own points are there by another way; reading is refused by name."""
    if not installed(Victoria):
        pytest.fail(f"this test needs a real VictoriaMetrics: {APT_VICTORIA}")
    async with Victoria(tmp_path / "vm") as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:

        def write() -> InfluxStore:
            bucket = BucketServer(Access(server.url, "lianfang", org="o", token="t"))
            store = influx_store(Access(server.url, ""), tmp_path / "t.db", bucket)
            store._write_only = True
            assert 20 == store.write([reading(seq, seq, at_ms=NOW_MS - seq) for seq in range(1, 21)], {}, {})
            store.put([Point("desk", (("area", "a"),), {"open_p1": 3}, NOW_MS * 10**6)])
            return store

        store = await asyncio.to_thread(write)
        with pytest.raises(StoreError, match="write_only"):
            store.range("a", "gw", "self/x", 0, 2**43, 1)
        assert ["self/x"] == [one.point for one in store.latest("a", "gw")]
        store.close()

        async def exported(name: str) -> list[float]:
            await client.get("/internal/force_flush")
            text = (await client.get("/api/v1/export", params={"match[]": name})).text
            return sorted(value for row in text.splitlines() for value in json.loads(row)["values"])

        assert list(range(1, 21)) == await exported("reading_whole")
        assert [3] == await exported("desk_open_p1")


async def test_a_server_with_users_and_tls_is_trusted_by_its_certificate_alone(tmp_path: Path) -> None:
    """With the right authority and password lines are written; another authority, or another password, are trouble that
    names itself and shows no password."""
    pki = Authority(tmp_path / "pki")
    pair = pki.issue("influxdb")
    both = tmp_path / "both.pem"
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    async with Tsdb(tmp_path / "influx", auth=True, cert=both) as server:

        def trial() -> None:
            def reached(password: str, ca: Path) -> InfluxServer:
                return InfluxServer(Access(server.url, "x", username="hub", password=password, ca=ca))

            with contextlib.closing(reached("geheim", pki.ca)) as good:
                good.query("CREATE USER hub WITH PASSWORD 'geheim' WITH ALL PRIVILEGES")
                good.query("CREATE DATABASE x")
                good.write([b"m f=1i 1"])
                assert [[1, 1]] == good.query("SELECT f FROM m")[0]["values"]
            with contextlib.closing(reached("falsch", pki.ca)) as wrong:
                with pytest.raises(StoreError, match="check user, password") as found:
                    wrong.write([b"m f=1i 1"])
                assert "falsch" not in str(found.value)
            with (
                contextlib.closing(reached("geheim", Authority(tmp_path / "other").ca)) as strange,
                pytest.raises(StoreError, match="certificate verify failed"),
            ):
                strange.write([b"m f=1i 1"])

        await asyncio.to_thread(trial)
