"""Orders to one premises: who may, with a reason, signed on the wire, and what came of them."""

from __future__ import annotations

from typing import Any

import httpx

from protocol.messages import Action, Order, Outcome, Result
from tests.support.centre import Running, SaidGateway
from tests.support.wait import until

PATH = "/api/v1/premises/town/h1/orders"
WHY = {"reason": "the household phoned: key lost"}


async def _give(hub: Running, person: str, path: str = PATH, /, **body: Any) -> httpx.Response:
    async with hub.api(person) as client:
        return await client.post(path, json=body)


async def _ordered(hub: Running, gw: SaidGateway) -> Order:
    await until(lambda: bool(gw.orders(hub.data)))
    return gw.orders(hub.data)[-1]


async def test_an_order_goes_out_signed_and_its_outcome_is_shown(hub: Running, gw: SaidGateway) -> None:
    """Who, what, when and why stand beside what the gateway said."""
    given = await _give(hub, "susi", action="arm", mode="armed_away", force=True, **WHY)
    assert (200, None) == (given.status_code, given.json()["outcome"])
    order = await _ordered(hub, gw)
    told = (order.id, order.action, order.premises, order.mode, order.force)
    assert (given.json()["id"], Action.ARM, ["h1"], "armed_away", True) == told
    await gw.reply(order, Result("h1", Outcome.REFUSED, "zone h1-door is open"))
    await until(lambda: hub.parts.desk.instructions("town", "h1")[0].outcome is not None)
    async with hub.api("vera") as client:
        (shown,) = (await client.get(PATH)).json()["items"]
    known = ("susi", WHY["reason"], "refused", "zone h1-door is open")
    assert known == (shown["by"], shown["why"], shown["outcome"], shown["reason"])
    assert shown["replied_ms"] >= shown["at_ms"]
    bodies = b"".join(entry.body for entry in hub.parts.erasable._journal.entries())
    assert (True, False, False) == (order.id.encode() in bodies, b"key lost" in bodies, b"susi" in bodies)


MAY: list[tuple[str, str, dict[str, Any], int]] = [
    ("vera", "reset", {}, 403),
    ("olga", "reset", {}, 200),
    ("olga", "silence", {}, 200),
    ("olga", "test", {"siren_s": 3}, 200),
    ("olga", "refresh", {}, 200),
    ("olga", "arm", {"mode": "armed_home"}, 403),
    ("olga", "disarm", {}, 403),
    ("olga", "bypass", {"zone": "h1-door"}, 403),
    ("susi", "disarm", {}, 200),
    ("susi", "bypass", {"zone": "h1-door"}, 200),
    ("omar", "reset", {}, 403),
]
LACKING: list[tuple[dict[str, Any], str]] = [
    ({"action": "disarm"}, "reason"),
    ({"action": "disarm", "reason": "   "}, "reason"),
    ({"action": "arm", **WHY}, "`mode` with arm"),
    ({"action": "bypass", **WHY}, "`zone` with bypass"),
    ({"action": "disarm", "force": True, **WHY}, "`force` only with arm"),
    ({"action": "reset", "siren_s": 2, **WHY}, "`siren_s` only with test"),
    ({"action": "siren", **WHY}, "'arm', 'disarm', 'reset'"),
]


async def test_who_may_order_what(hub: Running) -> None:
    """Operators reset, silence and test; what changes the watch is a supervisor's; another's area is nobody's."""
    for person, action, more, status in MAY:
        before = len(hub.parts.desk.instructions("town", "h1"))
        given = await _give(hub, person, action=action, **more, **WHY)
        assert (person, action, status) == (person, action, given.status_code), given.text
        assert (status == 200) == (len(hub.parts.desk.instructions("town", "h1")) == before + 1)


async def test_an_order_that_lacks_something_is_refused(hub: Running) -> None:
    """422 names it, and nothing leaves; without a reason least of all."""
    for body, said in LACKING:
        given = await _give(hub, "susi", **body)
        assert (422, True) == (given.status_code, said in given.text), given.text
    assert [] == hub.parts.desk.instructions("town", "h1")


async def test_what_is_not_there_cannot_be_ordered(hub: Running) -> None:
    """An unknown premises is 404, another house's zone a conflict that says so."""
    gone = await _give(hub, "susi", "/api/v1/premises/town/h99/orders", action="disarm", **WHY)
    other = await _give(hub, "susi", action="bypass", zone="h2-door", **WHY)
    assert 404 == gone.status_code
    assert (409, True) == (other.status_code, "zone h2-door is not one of h1" in other.json()["detail"])
