"""The hub's API: moves and who may make them, refusals that say why, lists, and the live stream."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.core.incident import Incident
from protocol.kinds import Kind
from protocol.records import Gap, Lane
from simulators.centre import Centre
from tests.support.centre import Running, SaidGateway, pressed
from tests.support.wait import until


def _acts(hub: Running) -> list[Any]:
    """Everything people did, by the desk's state; its own retries of orders go on beside."""
    return [
        (
            one.id,
            one.state,
            one.accepted_by,
            one.assigned_to,
            one.disposition,
            [line for line in one.history if line.by],
        )
        for one in hub.parts.desk.incidents()
    ]


async def _move(hub: Running, person: str, incident: Incident, move: str, /, **body: Any) -> httpx.Response:
    async with hub.api(person) as client:
        return await client.post(f"/api/v1/incidents/{incident.area}/{incident.id}/{move}", json=body or None)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b'{"to": "\xed\xa0\x80"}', b"[" * 20_000, b"{"], ids=["no UTF-8", "half", "deep", "cut"]
)
async def test_a_body_that_cannot_be_read_is_a_fault_of_the_request(hub: Running, body: bytes) -> None:
    """Whatever its bytes are: 422, and the problem names the body."""
    async with hub.api("olga") as client:
        json = {"Content-Type": "application/json"}
        answer = await client.post("/api/v1/incidents/town/none/assign", content=body, headers=json)
    assert (422, ["body"]) == (answer.status_code, [fault["where"] for fault in answer.json()["faults"]]), answer.text


async def test_an_incident_from_press_to_archive(hub: Running, gw: SaidGateway) -> None:
    """Every step answers with the state after it, and the history names persons and texts as they were given."""
    incident = await pressed(hub, gw)
    steps: list[tuple[str, str, dict[str, Any], str]] = [
        ("olga", "accept", {}, "accepted"),
        ("olga", "assign", {"to": "patrol-1"}, "assigned"),
        ("olga", "respond", {"stage": "en_route", "who": "patrol-1"}, "handling"),
        ("olga", "note", {"text": "gate was open"}, "handling"),
        ("olga", "silence", {}, "handling"),
        ("otto", "resolve", {"disposition": "false_alarm", "cause": "child at the button"}, "resolved"),
        ("susi", "send-back", {"why": "ask at the school"}, "handling"),
        ("otto", "resolve", {"disposition": "genuine"}, "resolved"),
        ("susi", "review", {}, "reviewed"),
        ("susi", "archive", {}, "archived"),
    ]
    for who, move, body, state in steps:
        answer = await _move(hub, who, incident, move, **body)
        assert (200, state) == (answer.status_code, answer.json().get("state")), (move, answer.text)
    async with hub.api("vera") as client:
        shown = (await client.get(f"/api/v1/incidents/town/{incident.id}")).json()
    assert ("olga", "patrol-1", "otto") == (shown["accepted_by"], shown["assigned_to"], shown["resolved_by"])
    assert ["patrol-1"] == list(shown["responders"])
    lines = {(line["what"], line["by"], line["why"]) for line in shown["history"]}
    assert ("note", "olga", "gate was open") in lines
    assert ("assign: patrol-1", "olga", "") in lines
    assert ("respond: en_route patrol-1", "olga", "") in lines, "who is on the way, and who says so"
    assert ("send_back", "susi", "ask at the school") in lines
    journal = (hub.data / "journal.db").read_bytes() + (hub.data / "journal.db-wal").read_bytes()
    bodies = [entry.body for entry in _journal(hub)]
    assert b"gate was open" in journal
    for word in (b"gate was open", b"at the school", b"child at the button", b"olga", b"otto", b"susi", b"patrol-1"):
        assert not any(word in body for body in bodies), f"{word!r} is in the chain"


def _journal(hub: Running) -> list[Any]:
    return list(hub.parts.erasable._journal.entries())


async def test_a_move_the_state_does_not_allow_changes_nothing(hub: Running, gw: SaidGateway) -> None:
    """Resolving what nobody accepted is a conflict that says what is allowed, and the incident is as before."""
    incident = await pressed(hub, gw)
    before = _acts(hub)
    answer = await _move(hub, "olga", incident, "resolve", disposition="genuine")
    problem = answer.json()
    assert (409, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "cannot resolve what is reported; allowed: accept" in problem["detail"]
    assert before == _acts(hub)


async def test_nobody_reviews_what_they_resolved(hub: Running, gw: SaidGateway) -> None:
    """The supervisor who resolved an incident may not review it."""
    incident = await pressed(hub, gw)
    await _move(hub, "susi", incident, "accept")
    await _move(hub, "susi", incident, "resolve", disposition="test")
    answer = await _move(hub, "susi", incident, "review")
    assert 409 == answer.status_code
    assert "susi resolved it; another must review" in answer.json()["detail"]


async def test_what_a_move_does_not_take_is_refused_and_not_lost(hub: Running, gw: SaidGateway) -> None:
    """Words with a move that keeps none are a fault of the request; sent back without a reason is one too."""
    incident = await pressed(hub, gw)
    answer = await _move(hub, "olga", incident, "accept", why="I live next door")
    assert (422, ["why"]) == (answer.status_code, [fault["key"] for fault in answer.json()["faults"]])
    await _move(hub, "olga", incident, "accept")
    await _move(hub, "olga", incident, "resolve", disposition="test")
    for body in ({}, {"why": " "}):
        assert 422 == (await _move(hub, "susi", incident, "send-back", **body)).status_code
    assert "resolved" == hub.parts.desk.incidents("town")[0].state


@pytest.mark.parametrize(
    ("who", "move", "status"),
    [
        ("vera", "accept", 403),
        ("omar", "accept", 403),
        ("otto", "review", 403),
        (None, "accept", 401),
        ("x", "accept", 401),
    ],
)
async def test_who_may_not_is_told_so(hub: Running, gw: SaidGateway, who: str | None, move: str, status: int) -> None:
    """A viewer, somebody of another area, an operator as supervisor, and a stranger are refused in words."""
    incident = await pressed(hub, gw)
    before = _acts(hub)
    async with hub.api(who) as client:
        answer = await client.post(f"/api/v1/incidents/town/{incident.id}/{move}")
    assert status == answer.status_code
    assert {"type", "title", "status", "detail", "instance", "faults"} <= answer.json().keys()
    assert before == _acts(hub)


async def test_who_may_not_move_an_incident_has_nobody_s_name_stored(hub: Running, gw: SaidGateway) -> None:
    """A refused assignment leaves no row of the person it named, nor one of who asked."""
    incident = await pressed(hub, gw)
    assert 403 == (await _move(hub, "omar", incident, "assign", to="somebody")).status_code
    assert {} == hub.parts.erasable._journal.aliases()


async def test_people_see_their_areas_only(hub: Running, gw: SaidGateway) -> None:
    """Lists leave out other areas; asking for one by name is refused."""
    await pressed(hub, gw)
    async with hub.api("omar") as client:
        assert [] == (await client.get("/api/v1/incidents")).json()["items"]
        assert ["gw-o"] == [one["id"] for one in (await client.get("/api/v1/gateways")).json()["items"]]
        assert ["go"] == [one["id"] for one in (await client.get("/api/v1/groups")).json()["items"]]
        assert 403 == (await client.get("/api/v1/incidents", params={"area": "town"})).status_code
        assert 403 == (await client.get("/api/v1/gaps", params={"area": "town"})).status_code


async def test_lists_are_read_in_pages(hub: Running, gw: SaidGateway) -> None:
    """Pages of one give every incident once, the most urgent first; filters leave the others out."""
    await gw.alarm(gw.event(Kind.TAMPER, "h1-door"), gw.event(Kind.BATTERY_LOW, "h2-door"), gw.event())
    await gw.receipted(3)
    async with hub.api() as client:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            given = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/api/v1/incidents", params=given)).json()
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert [1, 3, 4] == [one["priority"] for one in found]
        only = (await client.get("/api/v1/incidents", params={"priority": [1, 4]})).json()["items"]
        assert [1, 4] == [one["priority"] for one in only]
        done = (await client.get("/api/v1/incidents", params={"state": "archived"})).json()["items"]
        assert [] == done


async def test_missing_records_are_read_in_pages(hub: Running, gw: SaidGateway) -> None:
    """Pages of one give every missing range of both lanes once, in order of gateway, lane, process and sequence; a
    filter leaves the others out."""
    gw.seqs[Lane.ALARM], gw.seqs[Lane.TELEMETRY] = 4, 2
    await gw.alarm(gw.event(), gaps=[Gap(1, 1, "disk full")])
    await gw.readings(("self/x", 1))
    await gw.receipted(5)
    await gw.receipted(3, Lane.TELEMETRY)
    gw.instance, gw.boot = "2" * 32, 2
    gw.seqs[Lane.ALARM] = 1
    await gw.alarm(gw.event())
    await gw.receipted(2)
    async with hub.api("otto") as client:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while found == [] or cursor is not None:
            given = {"area": "town", "limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/api/v1/gaps", params=given)).json()
            assert len(page["items"]) == 1
            found += page["items"]
            cursor = page["next"]
        told = [(one["lane"], one["boot"], one["state"], one["first"], one["last"], one["count"]) for one in found]
        assert [
            ("alarm", 1, "declared", 1, 1, 1),
            ("alarm", 1, "open", 2, 4, 3),
            ("alarm", 2, "open", 1, 1, 1),
            ("telemetry", 1, "open", 1, 2, 2),
        ] == told
        assert ("town", "gw-1", "1" * 32, "disk full") == tuple(
            found[0][name] for name in ("area", "gateway", "instance", "reason")
        )
        for asked, expected in (
            ({"lane": "telemetry"}, found[3:]),
            ({"state": "declared"}, found[:1]),
            ({"gateway": "gw-2"}, []),
            ({"gateway": "gw-1", "lane": "alarm", "state": "open"}, found[1:3]),
        ):
            page = (await client.get("/api/v1/gaps", params={"area": "town", **asked})).json()
            assert {"items": expected, "next": None} == page, asked


async def test_missing_records_of_telemetry_are_not_told_without_its_store(hub: Running, gw: SaidGateway) -> None:
    """With the telemetry store unreadable its ledger is a 503; that of the alarm lane is told as ever."""
    gw.seqs[Lane.TELEMETRY] = 4
    await gw.readings(("self/x", 1))
    await gw.receipted(5, Lane.TELEMETRY)
    await hub.parts.recorder.call(hub.parts.store.close)  # in the one thread that uses it
    async with hub.api() as client:
        answers = [await client.get("/api/v1/gaps", params={"area": "town", "lane": lane}) for lane in Lane]
    assert [200, 503] == [answer.status_code for answer in answers]


async def test_every_fault_of_a_request_is_named(hub: Running, gw: SaidGateway) -> None:
    """A body with three faults is refused with three, each with its key and what is allowed."""
    incident = await pressed(hub, gw)
    answer = await _move(hub, "olga", incident, "resolve", disposition="whatever", cause="", more=1)
    assert 422 == answer.status_code
    assert {"disposition", "cause", "more"} == {fault["key"] for fault in answer.json()["faults"]}
    assert all(fault["allowed"] and fault["where"] == "body" for fault in answer.json()["faults"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/incidents/town/none", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/incidents", 405),
        ("GET", "/api/v1/incidents?limit=0&priority=x", 422),
        ("GET", "/api/v1/incidents?cursor=%00", 422),
        ("GET", "/api/v1/gaps", 422),
        ("GET", "/api/v1/gaps?area=town&lane=x&state=y", 422),
        ("GET", "/api/v1/gaps?area=town&cursor=%00", 422),
        ("GET", "/api/v1/telemetry/range?area=town&gateway=gw-1&point=a&cursor=eHg", 422),
        ("POST", "/api/v1/incidents/town/none/accept", 404),
    ],
)
async def test_a_wrong_question_gets_a_problem(hub: Running, method: str, path: str, status: int) -> None:
    """What is not there, not allowed or not readable is answered as a problem."""
    async with hub.api() as client:
        answer = await client.request(method, path)
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


async def test_no_garbage_makes_the_hub_fail(hub: Running, gw: SaidGateway) -> None:
    """Random paths, queries and bodies get an answer below 500, and nobody has moved anything."""
    incident = await pressed(hub, gw)
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    moves = ["assign", "respond", "note", "resolve", "x", ""]
    bodies = [b"", b"{", b"[]", b"null", b'{"to":1}', b'{"stage":null}', b"\xff\xfe", b'{"text":""}', b"[" * 5_000]
    async with hub.api() as client:
        for _ in range(150):
            path = rng.choice(
                [f"incidents/town/{incident.id}/{rng.choice(moves)}", "live/x", "zones", "gaps", "telemetry/latest"]
            )
            query = "".join(rng.choice("area=gw&limit%0\udcff-1cursor/") for _ in range(rng.randrange(20)))
            url = f"/api/v1/{path}?{query.encode(errors='replace').decode()}"
            answer = await client.request(rng.choice(["GET", "POST"]), url, content=rng.choice(bodies))
            assert answer.status_code < 500, (seed, url, answer.text)
    assert [] == [entry for entry in _journal(hub) if entry.kind == "moved"], seed


async def test_a_huge_body_is_refused_unread(hub: Running) -> None:
    """A body above the limit is answered 413, announced or not."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    async with hub.api() as client:
        for content in (b" " * 100_000, endless()):
            answer = await client.post("/api/v1/incidents/town/none/note", content=content)
            assert 413 == answer.status_code


async def test_moves_say_when_the_journal_is_down(hub: Running, gw: SaidGateway) -> None:
    """A move that cannot be committed is answered 503 and has changed nothing."""
    incident = await pressed(hub, gw)
    await _move(hub, "olga", incident, "silence")
    before = _acts(hub)
    with contextlib.closing(sqlite3.connect(hub.data / "journal.db", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        answer = await _move(hub, "olga", incident, "accept")
        assert (503, "1") == (answer.status_code, answer.headers.get("retry-after"))
        lock.execute("ROLLBACK")
    assert before == _acts(hub)
    await until(lambda: hub.parts.clerk.down is None)
    assert 200 == (await _move(hub, "olga", incident, "accept")).status_code


async def test_the_live_stream_tells_a_press_with_its_times(hub: Running, gw: SaidGateway) -> None:
    """A listener hears of the incident with its view and when it happened, came, and was committed; and of the page."""
    centre = Centre(hub.url, "token of vera")
    heard: list[Any] = []

    async def listen() -> None:
        async for told in centre.live():
            heard.append(told)

    async with centre:
        task = asyncio.create_task(listen())
        await until(lambda: heard)
        await gw.press()
        await until(lambda: {"hello", "incident", "page"} <= {told.event for told in heard})
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    data = next(told.data for told in heard if told.event == "incident")
    assert ("panic", ["h1-panic"]) == (data["incident"]["rule"], data["incident"]["zones"])
    assert data["event_ms"] == data["received_ms"] - 5
    assert data["latency_ms"] == pytest.approx(data["handling_ms"] + 5)
    assert data["committed_ms"] >= data["received_ms"]


async def test_the_live_stream_catches_up(hub: Running, gw: SaidGateway) -> None:
    """A listener that comes back with the last id it saw hears first what it missed, and no other area's events."""
    incident = await pressed(hub, gw)
    await _move(hub, "olga", incident, "accept")
    ids = [told.id for told in hub.parts.live._ring]
    for who, expected in (("vera", ids[1:]), ("omar", [])):
        async with hub.api(who) as client:
            given = {"Last-Event-ID": ids[0]}
            async with client.stream("GET", "/api/v1/live", headers=given) as response:
                found: list[str] = []
                async for line in response.aiter_lines():
                    if line.startswith("id: "):
                        found.append(line.removeprefix("id: "))
                    if len(found) == len(expected) and line == "":
                        break
        assert expected == found


async def test_openapi_describes_answers_and_refusals(hub: Running) -> None:
    """Every operation under /api/v1 has a described success and problems, and every reference leads somewhere."""
    async with hub.api(None) as client:
        spec = (await client.get("/api/v1/openapi.json")).json()
    known = spec["components"]["schemas"]
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/v1/"):
                assert {"200", "401", "403", "422"} <= operation["responses"].keys(), path
                assert "application/problem+json" in operation["responses"]["401"]["content"]
            assert operation["responses"]["200"].get("content"), path
    names = {ref.rsplit("/", 1)[1] for ref in _refs(spec)}
    assert names <= known.keys(), names - known.keys()
    assert {"state", "history", "calls", "why", "priority"} <= set(known["Incident"]["required"])


def _refs(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [ref for key, value in node.items() for ref in ([value] if key == "$ref" else _refs(value))]
    return [ref for item in node for ref in _refs(item)] if isinstance(node, list) else []


async def test_counts_are_those_of_the_desk(hub: Running, gw: SaidGateway) -> None:
    """The head line counts a press, and the metrics do."""
    await pressed(hub, gw)
    async with hub.api("otto") as client:
        counts = (await client.get("/api/v1/counts", params={"area": "town"})).json()
    assert (1, 1) == (counts["unresolved"]["P1"], counts["unaccepted"])
    assert 1 == await hub.counted('lianfang_incidents_total{priority="P1",rule="panic"}')
    assert 1 == await hub.counted('lianfang_records_committed_total{area="town",priority="P1"}')
