"""What stands in the state at the end, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Shown: TypeAlias = dict[str, Any]
Mark: TypeAlias = list[Any]
NEVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class Found:
    """Incidents by id, with their records and where each looks for more."""

    incidents: dict[str, Shown]
    marks: dict[str, list[Mark]]
    scopes: dict[str, str]

    @classmethod
    def of(cls, state: dict[str, Any]) -> Found:
        """Read from a desk's snapshot."""
        dossiers = {key[1]: dossier for key, dossier in state["dossiers"]}
        return cls(
            {key[1]: shown for key, shown in state["incidents"]},
            {name: dossier["marks"] for name, dossier in dossiers.items()},
            {name: dossier["scope"] for name, dossier in dossiers.items()},
        )

    def root(self, name: str) -> str:
        """The incident it was found to be one with, or itself."""
        parent = self.incidents[name].get("parent")
        while parent and self.incidents[parent]["rule"] == self.incidents[name]["rule"]:
            name, parent = parent, self.incidents[parent].get("parent")
        return name

    def above(self, name: str) -> Iterator[str]:
        """Whatever it is part of, the nearest first."""
        parent = self.incidents[name].get("parent")
        while parent:
            yield parent
            parent = self.incidents[parent].get("parent")

    def of_rule(self, rule: str) -> list[str]:
        """Incidents of a rule that are none's part by being one with it, the oldest first."""
        mine = [name for name, shown in self.incidents.items() if shown["rule"] == rule and self.root(name) == name]
        return sorted(mine, key=lambda name: (self.incidents[name]["raised_ms"], name))

    def over_ms(self, name: str) -> int:
        """When it was resolved (hub wall ms)."""
        return int(self.incidents[name].get("resolved_ms") or NEVER_MS)

    def goes_on_alone(self, name: str) -> bool:
        """Whether it was let go by a parent that was resolved while its gateway was not heard."""
        lines = self.incidents[name].get("history", ())
        return any(line["what"] == "alone again" and line["why"].startswith("still not heard") for line in lines)
