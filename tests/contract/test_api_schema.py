"""The API tried by its own OpenAPI: whatever is asked, by whomever, the answer is one that was promised.

Every operation but the live stream (which never ends, and is tried apart) is called with good and with bad input as
each role, over HTTP, at a hub process with incidents and readings in it. Query keys and headers that nobody knows are
skipped, so not all that is bad must be refused. Examples are bounded, the seed is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api.problems import MEDIA
from protocol.kinds import Kind
from protocol.records import Lane
from simulators.broker import Broker
from tests.e2e.test_hub_process import hub, well
from tests.support.centre import gateway

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
ROLES = ("vera", "olga", "susi", "anna")
"""A viewer, an operator, a supervisor, an admin, of all areas."""
EXAMPLES = 12
"""Of each operation and kind of input; who asks is drawn."""
LIVE = "/api/v1/live"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TIMES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A hub process with something in it: its address, and an incident of it (area, id)."""

    url: str
    incidents: list[tuple[str, str]]


@pytest.fixture
async def tried(broker: Broker, tmp_path: Path) -> AsyncIterator[Tried]:
    """A hub process, two panics, a fault, and some telemetry."""
    async with hub(tmp_path, broker) as (child, _, url):
        await well(child, url)
        async with gateway(broker) as said:
            await said.birth()
            await said.session()
            await said.press()
            await said.alarm(said.event(Kind.ZONE_FAULT, "h1-door"))
            last = await said.press("h2-panic")
            await said.readings(("self/temperature_c", 40.5), ("self/mains", True), ("zone/h1-door/health", "online"))
            await said.receipted(last.seq)
            await said.receipted(said.seqs[Lane.TELEMETRY], Lane.TELEMETRY)
        async with httpx.AsyncClient(base_url=url, headers=bearer("olga"), trust_env=False) as client:
            found = (await client.get("/api/v1/incidents")).json()["items"]
        assert len(found) >= 2
        yield Tried(url, [(one["area"], one["id"]) for one in found])


def bearer(person: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer token of {person}"}


def problem(response: Any) -> None:
    """A refusal is a problem as RFC 9457 has it, and names this very answer."""
    assert response.headers["content-type"] in (MEDIA, [MEDIA]), response.text
    body = json.loads(response.content)
    assert {"type", "title", "status", "detail", "instance", "faults"} == body.keys()
    assert (response.status_code, True) == (body["status"], bool(body["title"] and body["detail"]))
    assert all({"where", "key", "value", "allowed"} == fault.keys() for fault in body["faults"])


def operations(url: str) -> list[Operation]:
    """Every operation that ends, as the hub describes it."""
    found = requests.Session()
    found.trust_env = False
    schema = schemathesis.openapi.from_dict(found.get(f"{url}/api/v1/openapi.json", timeout=20).json())
    schema.config.update(base_url=url)
    found_all = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return [one for one in found_all if one.path != LIVE]


def trial(operation: Operation, mode: GenerationMode, tried: Tried, asked: Counter[str]) -> Callable[[], None]:
    """Calls of one operation, many of them about an incident that is there."""
    session = requests.Session()
    session.trust_env = False

    @TIMES
    @given(
        case=operation.as_strategy(generation_mode=mode),
        there=st.sampled_from([None, *tried.incidents]),
        person=st.sampled_from(ROLES),
    )
    def calls(case: Case[Any], there: tuple[str, str] | None, person: str) -> None:
        if there is not None and mode is GenerationMode.POSITIVE:
            known = dict(zip(("area", "incident"), there, strict=True))
            case.path_parameters = {
                **case.path_parameters,
                **{k: v for k, v in known.items() if k in case.path_parameters},
            }
        response = case.call(headers=bearer(person), session=session)
        case.validate_response(response, checks=CHECKS)
        asked[person] += 1
        if response.status_code >= 400:
            problem(response)

    return calls


async def test_every_answer_is_as_promised(tried: Tried) -> None:
    """No 5xx; status, content type and body as declared, whoever asks whatever; a refusal is a problem."""
    asked: Counter[str] = Counter()
    number = secrets.randbelow(2**32)
    print(f"seed {number}")  # noqa: T201  # shown when it fails

    def run() -> int:
        found = operations(tried.url)
        for operation in found:
            for mode in GenerationMode:
                with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
                    seed(number)(trial(operation, mode, tried, asked))()
        return len(found)

    assert await asyncio.to_thread(run) >= 15
    assert set(ROLES) == asked.keys()


async def test_without_a_token_nothing_is_told(tried: Tried) -> None:
    """Every operation of the API is 401 for nobody, but for health and metrics."""
    found = await asyncio.to_thread(operations, tried.url)
    area, incident = tried.incidents[0]
    async with httpx.AsyncClient(base_url=tried.url, trust_env=False) as client:
        for one in found:
            path = one.path.replace("{area}", area).replace("{incident}", incident)
            if path.startswith("/api/"):
                response = await client.request(one.method.upper(), path, json={})
                assert (401, path) == (response.status_code, path)
                problem(response)


async def test_the_live_stream_begins_as_promised(tried: Tried) -> None:
    """It is an event stream that says hello, and bad questions about it are problems."""
    async with httpx.AsyncClient(base_url=tried.url, headers=bearer("olga"), trust_env=False, timeout=20) as client:
        for params in ({"area": "No Area"}, {"area": "nowhere-" * 20}):
            response = await client.get(LIVE, params=params)
            assert 422 == response.status_code
            problem(response)
        async with client.stream("GET", LIVE) as response:
            first = await anext(response.aiter_lines())
        assert (200, "event: hello") == (response.status_code, first)
        assert response.headers["content-type"].startswith("text/event-stream")
