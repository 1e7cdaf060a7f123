"""Drills over the API: who may what, that orders are marked, what is shown, and that nothing leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.messages import Action, Outcome, Result
from tests.support.centre import Running, SaidGateway
from tests.support.wait import until

PATH = "/api/v1/drills/town"
PLAN = {"kind": "panic", "premises": ["h1"], "why": "the autumn drill"}


async def said(hub: Running, person: str, path: str = PATH, /, **body: Any) -> tuple[int, dict[str, Any]]:
    async with hub.api(person) as client:
        answer = await client.post(path, json=body)
    return answer.status_code, answer.json()


async def shown(hub: Running, drill: str) -> dict[str, Any]:
    async with hub.api("vera") as client:
        found: dict[str, Any] = (await client.get(f"{PATH}/{drill}")).json()
    return found


async def test_a_drill_from_plan_to_report(hub: Running, gw: SaidGateway) -> None:
    """Signed orders say that it is a drill; a viewer reads who did what, why, and how fast; nothing stays open."""
    status, drill = await said(hub, "susi", **PLAN)
    assert (200, "running", ["h1"], "susi") == (status, drill["state"], drill["premises"], drill["by"])
    await until(lambda: bool(gw.orders(hub.data)))
    (order,) = gw.orders(hub.data)
    assert (Action.SIREN, True, ["h2"]) == (order.action, order.drill, order.premises)
    await gw.reply(order, Result("h2", Outcome.DONE))
    (incident,) = drill["incidents"]
    at = f"/api/v1/incidents/town/{incident}/answer"
    assert 200 == (await said(hub, "olga", at, premises="h2", answer="going"))[0]
    status, drill = await said(hub, "susi", f"{PATH}/{drill['id']}/end", why="all are here")
    assert (200, "ended", "all are here") == (status, drill["state"], drill["moved_why"])
    report = (await shown(hub, drill["id"]))["report"]
    by = {one["premises"]: one for one in report["members"]}
    assert ("done", "going") == (by["h2"]["outcome"], by["h2"]["answer"])
    assert report["rang_after_ms"] <= report["going_after_ms"] <= report["lasted_ms"]
    assert (["gw-2"], ["h3", "works"]) == (report["unreachable"], report["unconfirmed"])
    async with hub.api("vera") as client:
        listed = (await client.get("/api/v1/drills", params={"area": "town", "state": "ended"})).json()["items"]
        assert [] == (await client.get("/api/v1/incidents", params={"unresolved": True})).json()["items"]
    assert [(drill["id"], "the autumn drill")] == [(one["id"], one["why"]) for one in listed]
    bodies = b"".join(entry.body for entry in hub.parts.erasable._journal.entries())
    assert (False, False) == (b"autumn" in bodies, b"susi" in bodies)


@pytest.mark.parametrize(
    "person, action, status",
    [("vera", "abort", 403), ("olga", "abort", 200), ("olga", "start", 403), ("omar", "abort", 403)],
)
async def test_who_may_what(hub: Running, person: str, action: str, status: int) -> None:
    """A supervisor plans and starts; an operator of the area may break off; nobody of another area may."""
    assert 403 == (await said(hub, "olga", **PLAN))[0]
    later_ms = hub.parts.clock.now_ms() + 3_600_000
    made, drill = await said(hub, "susi", **PLAN, at_ms=later_ms)
    assert (200, "planned") == (made, drill["state"])
    assert status == (await said(hub, person, f"{PATH}/{drill['id']}/{action}", why="a storm"))[0]
    expected = "aborted" if status == 200 else "planned"
    assert expected == (await shown(hub, drill["id"]))["state"]


@pytest.mark.parametrize(
    "more, status, words",
    [
        ({"premises": ["h9"]}, 409, "no premises h9"),
        ({"at_ms": 1}, 409, "`at_ms` is past"),
        ({"premises": []}, 422, "premises, groups, or both"),
        ({"kind": "duress"}, 422, "'panic', 'fire' or 'gas'"),
        ({"why": " "}, 422, "why"),
        ({"lasts_s": 5}, 422, "lasts_s"),
    ],
)
async def test_what_cannot_be_is_refused(hub: Running, more: dict[str, Any], status: int, words: str) -> None:
    """With the reason, and nothing is kept of it."""
    found, told = await said(hub, "susi", **PLAN | more)
    assert (status, True) == (found, words in str(told))
    assert [] == hub.parts.desk.drills("town", 0)


async def test_what_is_not_there(hub: Running) -> None:
    """No such area, no such drill, and one that is over."""
    assert 404 == (await said(hub, "susi", "/api/v1/drills/nowhere", **PLAN))[0]
    assert 404 == (await said(hub, "susi", f"{PATH}/drill-none/end", why="?"))[0]
    _, drill = await said(hub, "susi", **PLAN)
    await said(hub, "susi", f"{PATH}/{drill['id']}/end", why="over")
    status, told = await said(hub, "susi", f"{PATH}/{drill['id']}/abort", why="?")
    assert (409, True) == (status, "nothing: it is over" in told["detail"])


async def test_a_real_press_breaks_it_off(hub: Running, gw: SaidGateway) -> None:
    """Its own incident is no drill, and its sirens are ordered beside the drill's stand-down."""
    _, drill = await said(hub, "susi", **PLAN)
    press = await gw.press()
    await gw.receipted(press.seq)
    now = await shown(hub, drill["id"])
    assert ("aborted", True) == (now["state"], "a real panic at h1" in now["reason"])
    await until(lambda: any(o.action is Action.STAND_DOWN for o in gw.orders(hub.data)))
    by_mark = {(order.action, order.drill) for order in gw.orders(hub.data)}
    assert {(Action.SIREN, True), (Action.SIREN, False), (Action.STAND_DOWN, True)} <= by_mark
    assert (Action.STAND_DOWN, False) not in by_mark


async def test_the_live_stream_tells_whatever_becomes_of_a_drill(hub: Running, gw: SaidGateway) -> None:
    """Planned and started by people, broken off by a real press: the console hears each state, and the last one's
    reason."""
    later_ms = hub.parts.clock.now_ms() + 3_600_000
    _, drill = await said(hub, "susi", **PLAN, at_ms=later_ms)
    assert 200 == (await said(hub, "susi", f"{PATH}/{drill['id']}/start", why="all are here"))[0]
    await gw.press()
    await until(lambda: len(_told(hub)) == 3)
    assert ["planned", "running", "aborted"] == [one["state"] for one in _told(hub)]
    assert {(drill["id"], "town")} == {(one["drill"], one["area"]) for one in _told(hub)}
    assert _told(hub)[-1]["reason"].startswith("a real panic at h1: ")


def _told(hub: Running) -> list[dict[str, Any]]:
    return [json.loads(told.data) for told in hub.parts.live._ring if told.kind == "drill"]
