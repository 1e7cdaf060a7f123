"""What the guide gives Grafana, on Debian and in containers: what its files name of each other is there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.command import rules
from dashboards.making.words import Language
from tests.support.containers import SERVICES, mounts
from tests.support.documented import ROOT, Machine, sections

GUIDE = sections(ROOT / "docs" / "deploying.md")
PROVISIONING = "/etc/grafana/provisioning"
SECRET = re.compile(r"\$__file\{([^}]+)\}")


@dataclass(frozen=True)
class Way:
    """One way to put Grafana in place: its environment, its files by the paths it knows, the hub's file."""

    env: dict[str, str]
    files: dict[str, Path]
    hub: Path
    password: str

    def at(self, name: str) -> Path:
        """Where a path that Grafana knows is here."""
        root = max((one for one in self.files if name == one or name.startswith(f"{one}/")), key=len)
        return self.files[root] / name.removeprefix(root).lstrip("/") if name != root else self.files[root]

    def put_in(self, value: Any) -> Any:
        """As Grafana does: files, then its environment, in every text; `$$` is a dollar. A query stays as it is."""
        if isinstance(value, dict):
            return {key: one if key == "model" else self.put_in(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.put_in(one) for one in value]
        if not isinstance(value, str):
            return value
        parts = [SECRET.sub(lambda name: self.at(name[1]).read_text().strip(), one) for one in value.split("$$")]
        return "$".join(re.sub(r"\$(\w+)", lambda name: self.env[name[1]], one) for one in parts)

    def read(self, kind: str) -> dict[str, Any]:
        """The one file of a kind that it takes, with everything put in."""
        (file,) = sorted(self.at(f"{PROVISIONING}/{kind}").iterdir())
        read: dict[str, Any] = self.put_in(yaml.safe_load(file.read_text(encoding="utf-8")))
        return read


def debian(root: Path) -> Way:
    """After step 7, with what steps 4 and 5 leave."""
    machine = Machine(root)
    hub = machine.path("/etc/lianfang/hub.toml")
    hub.parent.mkdir()
    shutil.copy(ROOT / "firmware_configs" / "hub" / "hub.toml", hub)
    machine.path("/etc/grafana").mkdir()  # its package's
    (machine.home / "influxdb.grafana").write_text("0123456789abcdef\n", encoding="utf-8")
    machine.run(GUIDE["7. Grafana"])
    unit = machine.path("/etc/systemd/system/grafana-server.service.d/lianfang.conf").read_text(encoding="utf-8")
    env = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE))
    files = {"/etc": machine.path("/etc"), str(machine.path("/etc")): machine.path("/etc")}
    return Way(env, files, hub, "0123456789abcdef")


def containers(root: Path) -> Way:
    """After step 8."""
    machine = Machine(root)
    machine.run(GUIDE["2. Certificates"])
    machine.run(GUIDE["8. In containers instead"])
    env = {name: str(value) for name, value in SERVICES["grafana"]["environment"].items()}
    given = (machine.home / "centre/secrets/influxdb.grafana").read_text(encoding="utf-8").strip()
    return Way(env, mounts(machine, "grafana"), machine.home / "centre/hub.toml", given)


@pytest.fixture(scope="module", params=[debian, containers], ids=["debian", "containers"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """Both ways."""
    made: Way = request.param(tmp_path_factory.mktemp(request.param.__name__))
    return made


def test_the_data_source_is_the_store_of_the_guide(way: Way) -> None:
    """The hub's database, by Grafana's own name and the password that the guide made for it."""
    (source,) = way.read("datasources")["datasources"]
    assert ("lianfang", "grafana", way.password) == (
        source["jsonData"]["dbName"],
        source["user"],
        source["secureJsonData"]["password"],
    )
    url = re.fullmatch(r"http://([a-z0-9.]+):8086", source["url"])
    assert url is not None
    assert url[1] == "127.0.0.1" or set(SERVICES[url[1]]["networks"]) & set(SERVICES["grafana"]["networks"])


def test_every_board_is_where_the_provider_looks(way: Way) -> None:
    """All eight, in the language of the guide's alert rules, and in the folder of these."""
    (provider,) = way.read("dashboards")["providers"]
    found = sorted(path.name for path in way.at(provider["options"]["path"]).iterdir())
    assert sorted(path.name for path in (ROOT / "dashboards" / "json" / "zh").iterdir()) == found
    (group,) = way.read("alerting")["groups"]
    assert provider["folder"] == group["folder"]


def test_alerts_come_to_the_hub_from_a_person_it_knows(way: Way) -> None:
    """By the token whose digest stands in hub.toml, as an operator."""
    (contact,) = way.read("alerting")["contactPoints"]
    (receiver,) = contact["receivers"]
    digest = hashlib.sha256(receiver["settings"]["authorization_credentials"].encode()).hexdigest()
    persons = tomllib.loads(way.hub.read_text(encoding="utf-8"))["person"]
    assert [("grafana", "operator", digest)] == [
        (one["id"], one["role"], one["token_sha256"]) for one in persons if one["id"] == "grafana"
    ]
    assert receiver["settings"]["url"] in ("http://127.0.0.1:8080/api/v1/alerts", "http://hub:8080/api/v1/alerts")


def test_alert_rules_from_the_file_ask_what_pushed_ones_ask(way: Way) -> None:
    """Grafana puts nothing into a query: `$timeFilter` arrives as it stands, and rules without it would always fire."""
    (group,) = way.read("alerting")["groups"]
    pushed = {rule["uid"]: rule for rule in rules(Language.ZH)}
    assert pushed.keys() == {rule["uid"] for rule in group["rules"]}
    for rule in group["rules"]:
        kept = ("title", "condition", "data", "for", "noDataState", "execErrState", "labels", "annotations")
        assert {name: json.loads(json.dumps(pushed[rule["uid"]][name])) for name in kept} == {
            name: rule[name] for name in kept
        }
