"""The JSON Schema of a site file, for editors: `python -m edge.config.schema > firmware_configs/site.schema.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edge.config.model import SiteFile

PATH = Path(__file__).resolve().parents[2] / "firmware_configs" / "site.schema.json"


def schema() -> dict[str, Any]:
    """The schema as it follows from the tables; a bus leaves its driver's own keys open."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SiteFile.model_json_schema()}


def text() -> str:
    """The committed file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
