"""Members of adjacent groups in other areas, as an incident names them: `area/id`; those of its own area by id alone.

The incident's area owns the call, wherever it rings: the order, who has not answered, its timers and its replies are
in that area's tables and chain. The other area's gateways carry it out, and its own partition knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.context import Context
from hub.core.effects import Send
from hub.core.incident import Incident
from hub.core.registry import Group, Key
from hub.core.rules.windows import several
from hub.core.state import Tables

AREA_IN_ID = 24
"""How much of its area an incident's id begins with."""


def key_of(area: str, member: str) -> Key:
    """(area, id) of a member as an incident of `area` names it."""
    other, _, one = member.rpartition("/")
    return other or area, one


def name_in(area: str, other: str, one: str) -> str:
    """What an incident of `area` calls a premises or gateway of an area, its own or another."""
    return one if other == area else f"{other}/{one}"


def place_of(ctx: Context, order: Send) -> str:
    """What the incident's area calls the gateway of an order."""
    return name_in(ctx.area, order.area, order.gateway)


def members_of(ctx: Context, order: Send) -> tuple[str, ...]:
    """The premises of an order as its incident names them."""
    return tuple(name_in(ctx.area, order.area, one) for one in order.premises)


def members_beyond(ctx: Context, groups: list[Group]) -> list[str]:
    """Every member of the adjacent groups of other areas that this hub has."""
    near = several(f"{area}/{group}" for one in groups for area, group in one.beyond)
    known = [ctx.registry.groups.get(key_of(ctx.area, name)) for name in near]
    return several(f"{group.area}/{member}" for group in known if group is not None for member in group.members)


def out_of_reach(ctx: Context, groups: list[Group]) -> list[str]:
    """Adjacent groups of other areas that this hub has not: nobody of them can be called from here."""
    near = several(f"{area}/{group}" for one in groups for area, group in one.beyond)
    return [name for name in near if key_of(ctx.area, name) not in ctx.registry.groups]


def owner_of(tables: Tables, areas: Mapping[str, object], area: str, order: str) -> str | None:
    """The area of the incident that an order at a gateway of `area` belongs to, where that is another."""
    if tables.orders.get((area, order)) is not None:
        return None
    others = (one for one in areas if one != area and order.startswith(f"{one[:AREA_IN_ID]}-"))
    return next((one for one in others if tables.orders.get((one, order)) is not None), None)


def incident_of(ctx: Context, key: str | None) -> Incident | None:
    """The incident of another area that a panel heard of: its own id is the cause it was told."""
    areas = (one for one in ctx.registry.areas if one != ctx.area and (key or "").startswith(f"{one[:AREA_IN_ID]}-"))
    found = (ctx.tables.incidents.get((area, key or "")) for area in areas)
    return next((one for one in found if one is not None), None)
