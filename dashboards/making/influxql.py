"""InfluxQL as a query of Grafana's: the SDK has none for InfluxDB, so it is told of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from grafana_foundation_sdk.cog import plugins, runtime, variants
from grafana_foundation_sdk.cog.builder import Builder

SOURCE_TYPE = "influxdb"
SOURCE_UID = "lianfang-influxdb"


@dataclass
class InfluxQuery(variants.Dataquery, Builder[variants.Dataquery]):
    """One statement in InfluxQL. `table` asks for rows, otherwise for series; `alias` names series by their tags."""

    query: str
    ref_id: str = "A"
    alias: str = ""
    table: bool = False
    source: str = SOURCE_UID

    def build(self) -> InfluxQuery:
        """It is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        made: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": {"type": SOURCE_TYPE, "uid": self.source},
            "query": self.query,
            "rawQuery": True,
            "resultFormat": "table" if self.table else "time_series",
        }
        return made | ({"alias": self.alias} if self.alias else {})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back; what is no statement of ours (a query clicked together) is a ValueError."""
        if data.get("rawQuery") is not True or not isinstance(data.get("query"), str):
            raise ValueError(f"query {data.get('refId')!r}: not InfluxQL as text; allowed: rawQuery with a query")
        source = data.get("datasource") or {}
        return cls(
            data["query"],
            data.get("refId", "A"),
            data.get("alias", ""),
            data.get("resultFormat") == "table",
            source.get("uid", SOURCE_UID),
        )


def register() -> None:
    """Have the SDK read its own panels, and this query, back from JSON."""
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(SOURCE_TYPE, InfluxQuery.from_json))
