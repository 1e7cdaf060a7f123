"""The hub's configuration: every fault at once, and nothing half taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings import Role
from hub.settings_file import load
from protocol.faults import Refused
from tests.support.centre import PEOPLE, write_config

TEN_FAULTS = """
more = 1
[hub]
id = "Hub 1"
data_dir = "data"
[mqtt]
port = 0
hots = "typo"
[api]
port = "http"
[telemetry]
keep_days = -1
[journal]
batch = 0
[[person]]
id = "a"
role = "boss"
areas = []
token_sha256 = "secret"
"""


def test_ten_faults_are_ten(tmp_path: Path) -> None:
    """Ten things wrong are named, each with its key and what is allowed."""
    path = tmp_path / "hub.toml"
    path.write_text(TEN_FAULTS, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load(path)
    assert {
        "more",
        "hub.id",
        "hub.registry",
        "mqtt.port",
        "mqtt.hots",
        "api.port",
        "telemetry.keep_days",
        "journal.batch",
        "person[0].role",
        "person[0].areas",
        "person[0].token_sha256",
    } == {fault.key for fault in refused.value.faults}
    assert all(fault.allowed and fault.where == "hub.toml" for fault in refused.value.faults)


def test_a_wrong_value_hides_no_missing_file(tmp_path: Path) -> None:
    """Wrong values, files that cannot be read, TLS by halves, and a bad override are told in one go."""
    path = tmp_path / "hub.toml"
    path.write_text(TEN_FAULTS.replace("[mqtt]", '[mqtt]\nca = "none.pem"\npassword_file = "."'), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load(path, ["hub.registry=none.toml", "nothing"])
    keys = {fault.key for fault in refused.value.faults}
    assert {"more", "mqtt.port", "mqtt", "mqtt.ca", "mqtt.password_file", "hub.registry", "nothing"} <= keys


def test_what_goes_together_is_checked_together(tmp_path: Path) -> None:
    """A certificate without its key, files that are missing and persons twice are all told in one go."""
    path = write_config(tmp_path)
    twice = path.read_text(encoding="utf-8") + path.read_text(encoding="utf-8").partition("[[person]]")[2].join(
        ["\n[[person]]", ""]
    )
    path.write_text(twice, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load(path, ["mqtt.ca=ca.pem", "hub.defaults=none.toml"])
    keys = {fault.key for fault in refused.value.faults}
    assert {
        "mqtt",
        "mqtt.ca",
        "hub.defaults",
        *(f"person[{len(PEOPLE)}].{key}" for key in ("id", "token_sha256")),
    } <= keys


@pytest.mark.parametrize("given", ["api.port", "=1", "api..port=1", "hub.id.x=1"])
def test_an_override_that_cannot_be_is_refused(given: str, tmp_path: Path) -> None:
    """A --set without key or value, or below a plain value, is named."""
    with pytest.raises(Refused) as refused:
        load(write_config(tmp_path), [given])
    assert {"--set"} == {fault.where for fault in refused.value.faults}


def test_overrides_are_values_or_words(tmp_path: Path) -> None:
    """A number stays a number, a word needs no quotes."""
    settings = load(write_config(tmp_path), ["api.port=81", "mqtt.host=broker.local"])
    assert (81, "broker.local") == (settings.api.port, settings.mqtt.host)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """The configuration can be moved as a folder."""
    settings = load(write_config(tmp_path))
    assert (tmp_path / "data", tmp_path / "registry.toml") == (settings.hub.data_dir, settings.hub.registry)


def test_roles_include_the_ones_before() -> None:
    """A supervisor may do what an operator may, and not the other way round."""
    assert (True, True, False) == (
        Role.SUPERVISOR.includes(Role.OPERATOR),
        Role.VIEWER.includes(Role.VIEWER),
        Role.OPERATOR.includes(Role.SUPERVISOR),
    )
