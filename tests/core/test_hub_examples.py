"""The example configuration and unit of a hub are what the program takes."""

from __future__ import annotations

import configparser
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hub.channels import KINDS
from hub.registry import load as load_registry
from hub.settings import Settings
from hub.settings_file import load

EXAMPLES = Path(__file__).parents[2] / "firmware_configs" / "hub"


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """The example as docs/deploying.md puts it in place: a registry and the broker's certificates beside it."""
    shutil.copytree(EXAMPLES.parent / "registry" / "hengjie", tmp_path / "registry")
    (tmp_path / "tls").mkdir()
    for name in ("ca.pem", "hub.pem", "hub.key"):
        (tmp_path / "tls" / name).write_text("of a certificate authority\n", encoding="utf-8")
    return Path(shutil.copy(EXAMPLES / "hub.toml", tmp_path / "hub.toml"))


def test_the_example_loads_with_its_registry(placed: Path) -> None:
    """A hub can be started from the example as it stands, with the files beside it that it names."""
    settings = load(placed)
    assert ("hub-1", "127.0.0.1", 8080) == (settings.hub.id, settings.api.host, settings.api.port)
    assert 3 == len(load_registry(settings.hub.registry).registry.gateways)


def test_the_example_names_every_key_there_is() -> None:
    """Each key of each table stands in the example, in use or commented out."""
    text = (EXAMPLES / "hub.toml").read_text(encoding="utf-8")
    table, found = "", set()
    for line in text.splitlines():
        if header := re.match(r"(?:# )?\[+(\w+)\]+", line):
            table = header[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            found.add(f"{table}.{key[1]}")
    known = set()
    for name, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        one = annotation.__args__[0] if hasattr(annotation, "__args__") else annotation
        models = KINDS.values() if name == "channel" else (one,)
        known |= {f"{name}.{key}" for model in models for key in model.model_fields}
    assert known == found


def test_the_example_works_with_its_comments_taken_away() -> None:
    """What is commented out is TOML too, so that taking away the mark is all it needs."""
    text = (EXAMPLES / "hub.toml").read_text(encoding="utf-8")
    plain = re.sub(r"(?m)^# (\[\[?\w+\]\]?|\w+ = )", r"\1", text)
    person = tomllib.loads(plain)["person"][0]
    assert {"id", "role", "areas", "token_sha256"} == person.keys()


def test_nobody_can_log_in_by_the_example(placed: Path) -> None:
    """It has no person, no password and no token that somebody could leave as it is."""
    settings = load(placed)
    assert ((), None) == (settings.person, settings.mqtt.password_file)


def test_the_unit_runs_the_program_and_is_hardened() -> None:
    """The unit starts `lianfang hub run` as nobody in particular, on a file system it cannot write to."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLES / "lianfang-hub.service", encoding="utf-8")
    service = dict(unit["Service"])
    assert service["ExecStart"].endswith("lianfang hub run /etc/lianfang/hub.toml")
    assert ("always", "lianfang", "strict", "yes") == tuple(
        service[key] for key in ("Restart", "User", "ProtectSystem", "NoNewPrivileges")
    )
    assert "" == service["CapabilityBoundingSet"]
    assert "time-sync.target" in unit["Unit"]["After"]
