"""Which groups hang on a gateway, and on how many gateways a group hangs: the registry read the other way round."""

from __future__ import annotations

from hub.core.registry import Registry, of_area


class Wiring:
    """Made of an area (a township) when something of it is first lost; the registry must not change under it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._groups: dict[str, dict[str, tuple[str, ...]]] = {}

    def groups_at(self, area: str, gateway: str) -> tuple[str, ...]:
        """The groups with members wired to a gateway, in order of their ids."""
        known = self._groups.get(area)
        if known is None:
            found: dict[str, set[str]] = {}
            for premises in of_area(self._registry.premises, area).values():
                if premises.groups:
                    found.setdefault(premises.gateway, set()).update(premises.groups)
            known = self._groups[area] = {name: tuple(sorted(groups)) for name, groups in found.items()}
        return known.get(gateway, ())

    def gateways_of(self, area: str, group: str) -> set[str]:
        """The gateways a group's members are wired to."""
        known = self._registry.groups.get((area, group))
        members = known.members if known is not None else ()
        return {name for one in members if (name := self._registry.gateway_of(area, one)) is not None}
