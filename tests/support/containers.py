"""The containers of a centre, by their own file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.documented import ROOT, SOURCE, Machine

TEXT = (ROOT / "firmware_configs" / "compose" / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VARIABLE = re.compile(r"\$\{([A-Z_]+)([^}]*)\}")


def names(machine: Machine) -> dict[str, str]:
    """What is in .env beside the file, after the guide's commands."""
    lines = (machine.home / "centre/.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def mounts(machine: Machine, service: str) -> dict[str, Path]:
    """Where in the container something of the machine is, by its path there."""
    centre, found = machine.home / "centre", {}
    known = names(machine) | {"LIANFANG_SOURCE": str(machine.path(SOURCE))}
    for mount in SERVICES[service]["volumes"]:
        source, target = VARIABLE.sub(lambda name: known[name[1]], mount).removesuffix(":ro").split(":")
        if "/" in source:
            found[target] = centre / source
    return found
