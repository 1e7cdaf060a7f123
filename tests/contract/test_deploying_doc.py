"""What the guide to a centre says of its files holds: the broker's settings, and the containers, by their own files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hub.settings_file import load
from hub.store.table import StoreKind
from protocol.codec import SIZE_MAX
from protocol.link import INFLIGHT_MAX
from tests.support.containers import COMPOSE, SERVICES, TEXT, VARIABLE, mounts, names
from tests.support.documented import ROOT, Machine, sections

GUIDE = sections(ROOT / "docs" / "deploying.md")
FILES = ROOT / "firmware_configs"


def broker() -> dict[str, str]:
    """Mosquitto's settings, by name."""
    lines = (FILES / "hub" / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_every_limit_of_the_broker_is_explained_as_it_is() -> None:
    """By its value in the file, or in systemd's."""
    said = re.findall(r"`([a-z_0-9]+) ([a-z0-9]+)`", GUIDE["3. The broker"].partition("| setting |")[2])
    assert dict(said) == {name: broker().get(name) for name, _ in said}
    unsaid = {"listener", "cafile", "certfile", "keyfile", "tls_version", "require_certificate", "allow_anonymous"}
    unsaid |= {"use_identity_as_username", "acl_file", "log_type", "connection_messages", "log_timestamp_format"}
    assert broker().keys() - unsaid == {name for name, _ in said}


def test_the_broker_takes_what_both_ends_send() -> None:
    """As many at once, and as large, as the protocol lets them; a client that sends more at once would be cut off."""
    assert INFLIGHT_MAX <= int(broker()["max_inflight_messages"])
    assert SIZE_MAX < int(broker()["max_packet_size"])


def test_nothing_starts_without_its_name_and_secrets() -> None:
    """Every variable is required, every secret is a file, and no setting holds one."""
    assert set() == {name for name, rest in VARIABLE.findall(TEXT) if not rest.startswith(":?")}
    assert all(secret.keys() == {"file"} for secret in COMPOSE["secrets"].values())
    given = {key: str(value) for one in SERVICES.values() for key, value in one.get("environment", {}).items()}
    secret = {key: value for key, value in given.items() if re.search("PASSWORD|TOKEN|SECRET_KEY", key)}
    assert len(secret) == 4, secret.keys()
    assert set() == {key for key, value in secret.items() if not value.startswith("/run/secrets/")}


def test_two_ports_leave_the_machine() -> None:
    """The broker's and the proxy's, which speak TLS alone."""
    assert ["8883:8883", "443:443"] == [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert "8883" == broker()["listener"]
    listens = re.findall(r"^\s*listen (.+);", (FILES / "hub" / "nginx.conf").read_text(encoding="utf-8"), re.MULTILINE)
    assert ["443 ssl http2", "[::]:443 ssl http2"] == listens


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_watched_bounded_and_pinned(name: str) -> None:
    """It starts again, says how it is, keeps a bounded log, gains no rights, and is one version or made here."""
    one = SERVICES[name]
    assert ("unless-stopped", ["no-new-privileges:true"]) == (one["restart"], one["security_opt"])
    assert {"max-size", "max-file"} == one["logging"]["options"].keys()
    assert one["healthcheck"]["test"]
    assert "build" in one or re.search(r":\d+\.\d+\.\d+(-[a-z]+)?$", one["image"])


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """After steps 2 and 8."""
    made = Machine(tmp_path_factory.mktemp("containers"))
    made.run(GUIDE["2. Certificates"])
    made.run(GUIDE["8. In containers instead"])
    return made


def test_every_file_a_container_is_given_is_put_there(machine: Machine) -> None:
    """By the guide's commands, and so is every secret; the names it needs are in .env."""
    given = [path for service in SERVICES for path in mounts(machine, service).values()]
    given += [machine.home / "centre" / secret["file"] for secret in COMPOSE["secrets"].values()]
    assert [] == [path for path in given if not path.exists()]
    assert {name for name, _ in VARIABLE.findall(TEXT)} <= names(machine).keys()


def test_the_hub_in_a_container_has_a_good_configuration(machine: Machine, tmp_path: Path) -> None:
    """The same hub.toml, with what guide and containers' file set; it reaches broker and store by their names."""
    for target, source in mounts(machine, "hub").items():
        put = shutil.copytree if source.is_dir() else shutil.copy
        (tmp_path / target.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        put(source, tmp_path / target.lstrip("/"))
    file, token = tmp_path / "etc/lianfang/hub.toml", machine.home / "centre/secrets/influxdb.token"
    file.write_text(
        file.read_text(encoding="utf-8").replace("/run/secrets/influxdb_token", str(token)), encoding="utf-8"
    )
    words = SERVICES["hub"]["command"]
    settings = load(file, [one[6:] for one in words if one.startswith("--set=")])
    assert ("run", "mosquitto", StoreKind.INFLUXDB2) == (words[0], settings.mqtt.host, settings.telemetry.store)
    assert {"mosquitto", "influxdb"} <= SERVICES.keys()
    assert ("http://influxdb:8086", "lianfang") == (settings.telemetry.url, settings.telemetry.org)
    assert ["admin-1", "grafana"] == [person.id for person in settings.person]
