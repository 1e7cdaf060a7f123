"""The files that boards become: JSON in both languages, the same bytes for the same boards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.making.draw import all_of
from dashboards.making.rule import provisioned
from dashboards.making.words import Language
from dashboards.rules import RULES

FOLDER = Path(__file__).parents[1]


def as_json(made: object) -> str:
    """A model of the SDK as text, as it is committed."""
    return json.dumps(made, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def built(language: Language) -> dict[str, str]:
    """Every dashboard's text by its path below the folder that is built into."""
    files = {f"json/{language}/{uid}.json": as_json(made) for uid, made in all_of(language).items()}
    return files | {f"provisioning/alerting/{language}/lianfang.json": provisioned(RULES, language)}


def read(folder: Path, language: Language) -> dict[str, dict[str, Any]]:
    """The dashboards in a folder that was built into, by uid."""
    paths = sorted((folder / "json" / language).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def read_rules(folder: Path, language: Language) -> list[dict[str, Any]]:
    """The alert rules in a folder that was built into; their queries are as Grafana takes them, to the letter."""
    path = folder / "provisioning" / "alerting" / language / "lianfang.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    rules: list[dict[str, Any]] = [rule for group in found["groups"] for rule in group["rules"]]
    return rules


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write what differs, and remove dashboards that are none any more; gives what was changed."""
    changed = []
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    folders = {str(Path(name).parent) for name in files if name.startswith("json/")}
    for path in (path for one in folders for path in (folder / one).glob("lianfang-*.json")):
        if str(path.relative_to(folder)) not in files:
            path.unlink()
            changed.append(path)
    return changed
