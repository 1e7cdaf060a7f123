"""Where the fuzz happens: two small areas with every sort of premises, and the hub's files for them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

AREA, OTHER = "town", "other"
MUTE = "gw-mute"
"""In the registry, and nothing that is said in its name is ever valid."""
STILL = "gw-still"
"""All it says is valid, and retained: what it said once, and no sign that it is there."""

REGISTRY = """\
area = [{ id = "town", town = "t", county = "c" }, { id = "other", town = "t", county = "c" }]
station = [{ id = "st", area = "town" }, { id = "so", area = "other" }]
gateway = [
  { id = "gw-1", area = "town", profile_ms = 3_600_000 },
  { id = "gw-2", area = "town", profile_ms = 3_600_000 },
  { id = "gw-mute", area = "town", profile_ms = 3_600_000 },
  { id = "gw-still", area = "town", profile_ms = 3_600_000 },
  { id = "gw-o", area = "other", profile_ms = 3_600_000 },
]
group = [
  { id = "g1", area = "town", station = "st", members = ["h1", "h2", "h3", "works"], head = "h1" },
  { id = "go", area = "other", station = "so", members = ["o1", "o2"] },
]
premises = [
  { id = "h1", area = "town", kind = "household", gateway = "gw-1" },
  { id = "h2", area = "town", kind = "household", gateway = "gw-1", report_every = "yes" },
  { id = "h3", area = "town", kind = "household", gateway = "gw-2" },
  { id = "works", area = "town", kind = "site", gateway = "gw-2" },
  { id = "yard", area = "town", kind = "site", gateway = "gw-still" },
  { id = "o1", area = "other", kind = "household", gateway = "gw-o" },
  { id = "o2", area = "other", kind = "household", gateway = "gw-o" },
]
zone = [
  { id = "h1-panic", area = "town", premises = "h1", kind = "panic" },
  { id = "h1-door", area = "town", premises = "h1", kind = "door" },
  { id = "h2-panic", area = "town", premises = "h2", kind = "panic" },
  { id = "h2-door", area = "town", premises = "h2", kind = "door" },
  { id = "h3-panic", area = "town", premises = "h3", kind = "panic" },
  { id = "works-door", area = "town", premises = "works", kind = "door" },
  { id = "yard-door", area = "town", premises = "yard", kind = "door" },
  { id = "o1-panic", area = "other", premises = "o1", kind = "panic" },
]
"""

CONFIG = """\
[hub]
id = "hub-1"
data_dir = "data"
registry = "registry.toml"
[mqtt]
host = "127.0.0.1"
port = 1
[api]
port = 0
"""


@dataclass(frozen=True, slots=True)
class Town:
    """The registry as the naive reader has it: plain tables of the TOML text, read without the hub's code."""

    gateways: frozenset[tuple[str, str]]
    premises: dict[tuple[str, str], tuple[str, bool]]
    zones: dict[tuple[str, str], tuple[str, str]]
    groups: frozenset[tuple[str, str]]

    def areas_of(self, gateway: str) -> list[str]:
        """Where a gateway of this name is."""
        return [area for area, name in self.gateways if name == gateway]


def town() -> Town:
    """`premises`: (gateway, whether its activity is withheld); `zones`: (gateway, premises)."""
    rows = tomllib.loads(REGISTRY)
    premises = {
        (row["area"], row["id"]): (row["gateway"], row["kind"] == "household" and "report_every" not in row)
        for row in rows["premises"]
    }
    zones = {
        (row["area"], row["id"]): (premises[row["area"], row["premises"]][0], row["premises"]) for row in rows["zone"]
    }
    gateways = frozenset((row["area"], row["id"]) for row in rows["gateway"])
    return Town(gateways, premises, zones, frozenset((row["area"], row["id"]) for row in rows["group"]))


def write_config(folder: Path) -> Path:
    """The hub's configuration and registry, in `folder`; its broker is nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.toml").write_text(REGISTRY, encoding="utf-8")
    path = folder / "hub.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path
