"""What `lianfang telemetry init` asks of InfluxDB 2.x and 3, told by a recorded server that keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner

from hub.store.command import app
from tests.support.centre import write_config
from tests.support.listening import Answer, Asked, answering

ORG = "0a1b2c3d4e5f6071"
DAY_S = 86_400


class Two:
    """As much of 2.x as is asked: organizations, buckets, and mappings with their virtual ones."""

    def __init__(self) -> None:
        self.buckets: list[dict[str, Any]] = []
        self.mappings: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        given, body = dict(parse_qsl(parts.query)), json.loads(asked.body) if asked.body else {}
        match asked.verb, parts.path.split("/")[1:]:
            case "GET", ["ping"]:
                return 204, b""
            case "GET", ["api", "v2", "orgs"]:
                return said({"orgs": [{"id": ORG, "name": given["org"]}]})
            case "GET", ["api", "v2", "buckets"]:
                found = [one for one in self.buckets if one["name"] == given["name"]]
                return said({"buckets": found}) if found else said({"code": "not found"}, 404)
            case "POST", ["api", "v2", "buckets"]:
                self.buckets.append(body | {"id": f"b{len(self.buckets)}"})
                return said(self.buckets[-1], 201)
            case "PATCH", ["api", "v2", "buckets", bucket]:
                (one,) = (one for one in self.buckets if one["id"] == bucket)
                one |= body
                return said(one)
            case "GET", ["api", "v2", "dbrps"]:
                return said({"content": [*self.virtual(), *self.mappings]})
            case "POST", ["api", "v2", "dbrps"]:
                self.mappings.append(body | {"id": f"m{len(self.mappings)}", "virtual": False})
                return said(self.mappings[-1], 201)
            case "PATCH", ["api", "v2", "dbrps", mapping]:
                (one,) = (one for one in self.mappings if one["id"] == mapping)
                one |= body
                return said({"content": one})
            case _:
                return said({"message": f"{asked.verb} {asked.path}"}, 500)

    def virtual(self) -> Iterator[dict[str, Any]]:
        for one in self.buckets:
            database, _, policy = one["name"].partition("/")
            yield {
                "id": "v", "orgID": ORG, "bucketID": one["id"], "database": database,
                "retention_policy": policy or "autogen", "default": not policy, "virtual": True,
            }  # fmt: skip


def said(words: object, status: int = 200) -> Answer:
    return status, json.dumps(words).encode()


def ran(folder: Path, url: str, *more: str) -> tuple[int, list[str]]:
    folder.mkdir(exist_ok=True)
    path = write_config(folder)
    (folder / "token").write_text("secret-token\n")
    keys = ['store = "influxdb2"', f'url = "{url}"', 'org = "county"', 'token_file = "token"', *more]
    path.write_text(path.read_text() + "\n[telemetry]\n" + "\n".join(keys) + "\n")
    found = CliRunner().invoke(app, ["init", "--config", str(path)])
    return found.exit_code, found.output.splitlines()


def changes(asked: list[Asked]) -> list[tuple[str, str, Any]]:
    return [(one.verb, one.path, json.loads(one.body)) for one in asked if one.verb != "GET"]


def rules(days: int) -> list[dict[str, object]]:
    return [{"type": "expire", "everySeconds": days * DAY_S}]


def test_golden_requests_of_init_at_two(tmp_path: Path) -> None:
    """Three buckets with their days, three mappings by which InfluxQL finds them, readings the default; nothing the
    second time, and other days where they differ."""
    two = Two()
    with answering(two) as (url, asked):
        code, steps = ran(tmp_path / "a", url)
        assert (0, 6) == (code, len(steps)), steps
        named = [
            ("lianfang", "raw", 30),
            ("lianfang/five_minute", "five_minute", 365),
            ("lianfang/hourly", "hourly", 3650),
        ]
        golden: list[tuple[str, str, Any]] = []
        for at, (bucket, policy, days) in enumerate(named):
            golden += [
                ("POST", "/api/v2/buckets", {"orgID": ORG, "name": bucket, "rp": "0",
                                             "retentionRules": rules(days)}),
                ("POST", "/api/v2/dbrps", {"orgID": ORG, "bucketID": f"b{at}", "database": "lianfang",
                                           "retention_policy": policy, "default": policy == "raw"}),
            ]  # fmt: skip
        assert golden == changes(asked)
        assert {"Token secret-token"} == {one.headers["Authorization"] for one in asked}
        asked.clear()
        assert (0, ["database lianfang: as it should be"]) == ran(tmp_path / "b", url)
        assert [] == changes(asked)
        assert (0, ["bucket lianfang: changed from 30 days to 60 days"]) == ran(tmp_path / "c", url, "raw_days = 60")
        assert [("PATCH", "/api/v2/buckets/b0", {"name": "lianfang", "retentionRules": rules(60)})] == changes(asked)


def test_a_mapping_of_somebody_else_s_is_told_and_left(tmp_path: Path) -> None:
    """Another bucket under the name: nothing is overwritten, and what to do is said."""
    two = Two()
    two.mappings = [
        {"id": "m9", "orgID": ORG, "bucketID": "other", "database": "lianfang", "retention_policy": "raw",
         "default": True, "virtual": False},
    ]  # fmt: skip
    with answering(two) as (url, _):
        code, words = ran(tmp_path, url)
    assert (1, True) == (code, "influx v1 dbrp delete --id m9" in words[-1]), words
    assert "other" == two.mappings[0]["bucketID"]


def test_a_mapping_that_is_not_the_default_is_made_so(tmp_path: Path) -> None:
    """Or what dashboards ask without a policy would be found nowhere."""
    two = Two()
    with answering(two) as (url, asked):
        ran(tmp_path / "a", url)
        two.mappings[0]["default"] = False
        asked.clear()
        assert (0, ["InfluxQL lianfang.raw: made the default"]) == ran(tmp_path / "b", url)
    path = f"/api/v2/dbrps/m0?orgID={ORG}"
    assert [("PATCH", path, {"retention_policy": "raw", "default": True})] == changes(asked)


@pytest.mark.parametrize(("status", "words"), [(401, "unauthorized access"), (503, "later")])
def test_what_the_server_says_is_told(tmp_path: Path, status: int, words: str) -> None:
    """A token that may not, a server that cannot: one line, no secret, exit code 1."""
    with answering(lambda asked: said({"message": words}, status)) as (url, _):
        code, told = ran(tmp_path, url)
    assert (1, 1, True) == (code, len(told), words in told[0]), told
    assert "secret-token" not in told[0]


def test_golden_requests_of_init_at_three(tmp_path: Path) -> None:
    """Databases with their days where there are none; a name that its configuration does not take is told."""

    def three(asked: Asked) -> Answer:
        if asked.path == "/ping":
            return 200, b"{}"
        if asked.verb == "GET":
            return said([{"iox::database": "_internal"}, {"iox::database": "lianfang/hourly"}])
        name = json.loads(asked.body)["db"]
        return said({"error": "invalid character in database name"}, 400) if "/" in name else said({}, 200)

    with answering(three, "3.1.0") as (url, asked):
        code, steps = ran(tmp_path, url)
    at = "/api/v3/configure/database"
    assert [
        ("POST", at, {"db": "lianfang", "retention_period": "30d"}),
        ("POST", at, {"db": "lianfang/five_minute", "retention_period": "365d"}),
    ] == changes(asked)
    assert (0, "database lianfang: made, 30 days") == (code, steps[0])
    assert "invalid character" in steps[1] and "keeps for ever" in steps[1]
    assert {"Bearer secret-token"} == {one.headers["Authorization"] for one in asked if one.path != "/ping"}


def test_a_server_of_1_is_asked_by_its_own_api(tmp_path: Path) -> None:
    """1.8 has the v2 write API, and no buckets: it is asked for databases and policies by InfluxQL."""
    with answering(lambda asked: said({"results": [{}]}), "1.8.10") as (url, asked):
        code, steps = ran(tmp_path, url)
    assert (0, 4) == (code, len(steps)), steps
    assert {"/ping", "/query"} == {one.path for one in asked}
