"""A gateway's desired configuration: the installer's file with the groups as the registry has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.core.registry import Registry
from protocol.faults import Fault, shown

MEMBERS_MIN = 2
"""A group of one has nobody to ring, and no gateway takes it."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The site as it should be, and where installer's file and registry tell different stories, in words."""

    site: dict[str, Any]
    differences: tuple[str, ...]


def compose(
    base: Mapping[str, Any], registry: Registry, area: str, gateway: str, here: Iterable[str], where: str
) -> Composed | list[Fault]:
    """Put the registry's groups into a site file's tables; the faults of one that is not this gateway's.

    Of each premises wired there the groups are the registry's, and every group has all its members, also those of other
    gateways. What is wired where only the installer can say; where the registry, which has the premises `here` at this
    gateway, says otherwise is a difference.
    """
    own, premises = base.get("gateway"), base.get("premises")
    if not isinstance(own, dict) or (own.get("area"), own.get("id")) != (area, gateway):
        found = (own.get("area"), own.get("id")) if isinstance(own, dict) else own
        return [Fault(where, "gateway", shown(found), f"area {area!r} and id {gateway!r}")]
    if not isinstance(premises, list) or not all(isinstance(one, dict) for one in premises):
        return [Fault(where, "premises", shown(premises, 40), "tables written [[premises]]")]
    needed: dict[str, tuple[str, ...]] = {}
    differences, made = [], []
    for table in premises:
        one = table.get("id")
        known = registry.premises.get((area, one)) if isinstance(one, str) else None
        if known is None:
            differences.append(f"{one} is wired here and not in the registry: nobody is called for it")
        elif known.gateway != gateway:
            differences.append(f"{one} is wired here, and at {known.gateway} in the registry")
        groups = []
        for name in known.groups if known is not None else ():
            group = registry.groups.get((area, name))
            if group is not None and len(group.members) >= MEMBERS_MIN:
                needed[name] = group.members
                groups.append(name)
        made.append({**table, "groups": groups})
    wired = {table.get("id") for table in premises}
    differences += [f"{one} is at this gateway in the registry, and not wired here" for one in here if one not in wired]
    groups_table = [{"id": name, "members": list(members)} for name, members in sorted(needed.items())]
    return Composed({**base, "premises": made, "group": groups_table}, tuple(differences))
