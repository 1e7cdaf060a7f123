"""Puts a statement to an InfluxDB by its 1.x API, and gives its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx


class AskFailed(Exception):
    """The database refused the statement, or did not answer; says why."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its tags, its columns, and its rows. Times are ns."""

    name: str
    tags: dict[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def values(self, column: str) -> list[Any]:
        """What stands in one column, where something stands."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows if row[at] is not None]


class Database:
    """One database of a server. `asked` counts."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self._client, self._name, self.asked = client, name, 0

    def ask(self, statement: str) -> list[Series]:
        """The answer's series. Raises AskFailed."""
        self.asked += 1
        try:
            answer = self._client.get("/query", params={"db": self._name, "q": statement, "epoch": "ns"})
            said = answer.json()
        except (httpx.HTTPError, ValueError) as cause:
            raise AskFailed(f"no answer: {cause}") from cause
        result = said["results"][0] if said.get("results") else said
        if answer.status_code != 200 or "error" in result:
            raise AskFailed(str(result.get("error") or said.get("error") or answer.status_code))
        return [
            Series(
                one.get("name", ""),
                one.get("tags", {}),
                tuple(one["columns"]),
                tuple(map(tuple, one.get("values", ()))),
            )
            for one in result.get("series", ())
        ]
