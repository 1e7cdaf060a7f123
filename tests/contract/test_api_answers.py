"""Neighbours answer: an operator for somebody on the phone, a link without script or name, a panel's button."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.core.incident import Incident
from hub.throttle import WRONG_MAX
from protocol.kinds import Kind
from protocol.messages import Action, Outcome, Result
from simulators.broker import Broker
from tests.support.centre import Running, SaidGateway, gateway, pressed, running
from tests.support.wait import until

AT = "https://help.example"


@pytest.fixture
async def hub(broker: Broker, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, broker, f"api.public_url={AT}/lf") as found:
        yield found


def _now(hub: Running, incident: Incident) -> Incident:
    found = hub.parts.desk.incident(incident.area, incident.id)
    assert found is not None
    return found


def _path(hub: Running, incident: Incident, premises: str) -> str:
    link = hub.parts.tickets.link(incident.area, incident.id, premises)
    assert link is not None and link.startswith(f"{AT}/lf/a/")
    return link.removeprefix(f"{AT}/lf")


async def test_a_link_answers_once_and_gives_the_next(hub: Running, gw: SaidGateway) -> None:
    """Looking changes nothing; the first answer is taken, committed, told to the house; the used link says so."""
    incident = await pressed(hub, gw)
    path = _path(hub, incident, "h2")
    async with hub.api(None) as client:
        for _ in range(2):
            shown = await client.get(path)
            assert (200, 3) == (shown.status_code, shown.text.count("<button"))
        assert {} == _now(hub, incident).answers
        taken = await client.post(path, data={"answer": "going"})
        assert 303 == taken.status_code
        said = _now(hub, incident).answers["h2"]
        assert ("going", "link", None) == (said.answer, said.how, said.by)
        for again in (await client.get(path), await client.post(path, data={"answer": "cannot"})):
            assert (410, 0) == (again.status_code, again.text.count("<button"))
            assert "This link has been used" in again.text
        fresh = str(httpx.URL(path).join(taken.headers["location"]))
        after = await client.get(fresh)
        assert "Your answer: <b>我去 · I am going</b>" in after.text
        assert 303 == (await client.post(fresh, data={"answer": "on_scene"})).status_code
    assert ("on_scene", 2) == (_now(hub, incident).answers["h2"].answer, _now(hub, incident).answers["h2"].links)
    await until(lambda: Action.COMING in [order.action for order in gw.orders(hub.data)])
    async with hub.api("vera") as client:
        shown = await client.get(f"/api/v1/incidents/town/{incident.id}")
    assert {"answer": "on_scene", "how": "link"}.items() <= shown.json()["answers"]["h2"].items()


async def test_the_page_needs_no_script_and_names_nobody(hub: Running, gw: SaidGateway) -> None:
    """Nothing loaded from anywhere, not kept by anybody, both languages, and of others only who needs help, by id."""
    incident = await pressed(hub, gw)
    async with hub.api(None) as client:
        shown = await client.get(_path(hub, incident, "h2"))
    for word in ("<script", "src=", "href=", "h3", "works"):
        assert word not in shown.text
    assert re.search("邻居.*neighbour", shown.text)
    assert ("no-store", "no-referrer") == (shown.headers["cache-control"], shown.headers["referrer-policy"])
    assert len(shown.content) < 2_000


async def test_a_guesser_learns_nothing_and_is_slowed(hub: Running, gw: SaidGateway) -> None:
    """Forged, cut, another's member, another's turn: one and the same answer, and after a while none; a good link still
    works for whoever shares that address."""
    incident = await pressed(hub, gw)
    path = _path(hub, incident, "h2")
    forged = [path[:-1] + ("A" if path[-1] != "A" else "B"), path.replace(".h2.", ".h3."), path.replace(".0.", ".1.")]
    forged += ["/a/x", "/a/....", "/a/" + "z" * 500, "/a/%E4%BD%A0.a", path.replace(incident.id, "town-panic-none")]
    async with hub.api(None) as client:
        answers = {(one.status_code, one.text) for one in [await client.get(bad) for bad in forged]}
        assert [404] == [status for status, _ in answers]
        posts = [(await client.post(path[:-2], data={"answer": "going"})).status_code for _ in range(WRONG_MAX)]
        assert 429 == posts[-1]
        assert 200 == (await client.get(path)).status_code
    assert {} == _now(hub, incident).answers


async def test_a_form_that_says_nothing_is_asked_again(hub: Running, gw: SaidGateway) -> None:
    """The link is not used up by it."""
    incident = await pressed(hub, gw)
    async with hub.api(None) as client:
        for body in (b"", b"answer=perhaps", b"\xff\xfe", b"answer=going&" * 60, b'{"answer": "going"}'):
            answer = await client.post(_path(hub, incident, "h2"), content=body)
            assert (422, 3, body) == (answer.status_code, answer.text.count("<button"), body)
    assert {} == _now(hub, incident).answers


async def test_what_is_over_says_so_and_gives_no_more_links(hub: Running, gw: SaidGateway) -> None:
    """Whoever comes late is thanked."""
    incident = await pressed(hub, gw)
    path = _path(hub, incident, "h2")
    async with hub.api() as client:
        for move, body in (("accept", None), ("resolve", {"disposition": "genuine"})):
            await client.post(f"/api/v1/incidents/town/{incident.id}/{move}", json=body)
    async with hub.api(None) as client:
        assert "It is over" in (await client.get(path)).text
        late = await client.post(path, data={"answer": "going"})
    assert (409, True) == (late.status_code, "It is over" in late.text)
    assert hub.parts.tickets.link("town", incident.id, "h2") is None


async def test_the_house_that_called_gets_no_link(hub: Running, gw: SaidGateway) -> None:
    """Its people are not asked to come."""
    incident = await pressed(hub, gw)
    assert hub.parts.tickets.link("town", incident.id, "h1") is None


async def test_a_link_is_still_good_after_a_restart_and_used_is_used(hub: Running, gw: SaidGateway) -> None:
    """The journal knows both."""
    incident = await pressed(hub, gw)
    used, good = _path(hub, incident, "h2"), _path(hub, incident, "h3")
    async with hub.api(None) as client:
        await client.post(used, data={"answer": "going"})
    hub.hub.stop()
    await until(lambda: hub.parts.clerk.writer._shutdown)
    async with running(hub.folder, None) as again, again.api(None) as client:
        assert 410 == (await client.get(used)).status_code
        assert 303 == (await client.post(good, data={"answer": "cannot"})).status_code
        assert {"h2": "going", "h3": "cannot"} == {
            one: said.answer.value for one, said in again.parts.desk.incidents()[0].answers.items()
        }


async def test_without_an_address_outside_there_are_no_links(broker: Broker, tmp_path: Path) -> None:
    """Messages then carry none."""
    async with running(tmp_path, broker) as hub, gateway(broker) as gw:
        incident = await pressed(hub, gw)
        assert hub.parts.tickets.link("town", incident.id, "h2") is None


async def test_an_operator_writes_down_what_is_said_on_the_phone(hub: Running, gw: SaidGateway) -> None:
    """With who wrote it; a viewer may not, and who is no neighbour is refused with the reason."""
    incident = await pressed(hub, gw)
    path = f"/api/v1/incidents/town/{incident.id}/answer"
    async with hub.api("vera") as client:
        assert 403 == (await client.post(path, json={"premises": "h3", "answer": "going"})).status_code
    async with hub.api("olga") as client:
        taken = await client.post(path, json={"premises": "h3", "answer": "going"})
        refused = await client.post(path, json={"premises": "o1", "answer": "going"})
    assert (200, "olga") == (taken.status_code, taken.json()["answers"]["h3"]["by"])
    assert taken.json()["going_ms"] >= taken.json()["event_ms"]
    assert (409, True) == (refused.status_code, "o1 is not a member" in refused.json()["detail"])


async def test_the_first_neighbours_are_measured(hub: Running, gw: SaidGateway) -> None:
    """A siren that rings at a neighbour, and a panel that answers: once each in the metrics."""
    incident = await pressed(hub, gw)
    await until(lambda: Action.SIREN in [order.action for order in gw.orders(hub.data)])
    order = next(order for order in gw.orders(hub.data) if order.action is Action.SIREN)
    await gw.reply(order, *(Result(premises, Outcome.DONE) for premises in order.premises))
    event = gw.event(Kind.ANSWER, "h2-panic", key=incident.keys[0], detail={"answer": "going"})
    await gw.alarm(event)
    await gw.receipted(event.seq)
    await until(lambda: _now(hub, incident).rang_ms is not None)
    assert "panel" == _now(hub, incident).answers["h2"].how
    for milestone in ("ringing", "going"):
        assert 1 == await hub.counted(f'lianfang_first_neighbour_seconds_count{{milestone="{milestone}"}}')
