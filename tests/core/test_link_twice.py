"""A loss of link that bears the name of an earlier one, which a restart of the hub could give it."""

from __future__ import annotations

from hub.core.desk import Desk
from hub.core.views import GatewayView
from hub.links import Links
from tests.support.desk import AREA, MIN, REGISTRY, START_MS, DeskAtWork

GATEWAY = sorted(gateway for area, gateway in REGISTRY.gateways if area == AREA)[0]


def test_a_loss_told_twice_under_one_name_stays_one_incident_that_is_no_part_of_itself() -> None:
    """An incident that was its own parent was never escalated and never stood down."""
    work = DeskAtWork()
    work.link(GATEWAY, False, MIN, heard=0)
    work.link(GATEWAY, True, 2 * MIN, heard=0)
    work.link(GATEWAY, False, 4 * MIN, heard=0)
    assert work.only().parent is None
    assert work.only().children == []


def test_a_restarted_hub_knows_that_a_gateway_was_heard_when_it_came_back() -> None:
    """The next loss counts from there, not from before the last one."""
    work = DeskAtWork()
    work.link(GATEWAY, False, MIN, heard=0)
    work.link(GATEWAY, True, 2 * MIN, heard=0)
    links = Links(REGISTRY, 0)
    links.recall(_views(work.desk))
    profile_ms = REGISTRY.gateways[AREA, GATEWAY].profile_ms
    (lost,) = [one for one in links.lost(profile_ms, START_MS + 10 * MIN) if one.gateway == GATEWAY]
    assert lost.heard_ms == START_MS + 2 * MIN


def _views(desk: Desk) -> list[GatewayView]:
    return [view for view in desk.gateways() if view.id == GATEWAY]
