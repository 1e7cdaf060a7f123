"""`[telemetry]` says every fault at once, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings_file import load
from hub.store.table import StoreKind, access
from protocol.faults import Refused
from tests.support.centre import write_config

INFLUXDB = 'store = "influxdb"\nurl = "https://tsdb.example:8086"\n'
INFLUXDB2 = INFLUXDB.replace('"influxdb"', '"influxdb2"')


def written(folder: Path, telemetry: str) -> Path:
    path = write_config(folder)
    path.write_text(path.read_text() + f"\n[telemetry]\n{telemetry}\n")
    return path


@pytest.mark.parametrize(
    ("telemetry", "wrong"),
    [
        ('store = "mongodb"', ["telemetry.store"]),
        ('url = "http://x:1"', ["telemetry.url"]),
        ('store = "influxdb"', ["telemetry.url"]),
        ('store = "influxdb"\nurl = "ftp://x"', ["telemetry.url"]),
        ('store = "influxdb"\nurl = "http://hub:secret@x:1"', ["telemetry.url"]),
        (INFLUXDB + 'password_file = "hub.toml"', ["telemetry.username"]),
        (INFLUXDB + 'username = "u"\npassword_file = "nowhere"', ["telemetry.password_file"]),
        (INFLUXDB + 'token_file = "hub.toml"', ["telemetry.token_file"]),
        (INFLUXDB + "write_only = true", ["telemetry.write_only"]),
        (INFLUXDB2, ["telemetry.org"]),
        (INFLUXDB + 'verify = false\nca_file = "hub.toml"', ["telemetry.ca_file"]),
        (INFLUXDB + 'database = "a b"\ntimeout_ms = 1', ["telemetry.database", "telemetry.timeout_ms"]),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path: Path, telemetry: str, wrong: list[str]) -> None:
    """Each fault by its key, all at once."""
    with pytest.raises(Refused) as refused:
        load(written(tmp_path, telemetry))
    assert sorted(wrong) == sorted(fault.key for fault in refused.value.faults)


def test_secrets_are_read_from_where_they_are_and_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file beside the configuration, or from the environment; what is made of them does not print them."""
    (tmp_path / "pw").write_text("geheim\n")
    table = load(written(tmp_path, INFLUXDB + 'username = "u"\npassword_file = "pw"')).telemetry
    assert (StoreKind.INFLUXDB, 200, tmp_path / "pw") == (table.store, table.linger_ms, table.password_file)
    made = access(table)
    assert ("geheim", "https://tsdb.example:8086") == (made.password, made.url)
    monkeypatch.setenv("LIANFANG_TELEMETRY_TOKEN", "auch-geheim")
    other = access(load(written(tmp_path, INFLUXDB2 + 'org = "o"')).telemetry)
    assert ("auch-geheim", "o") == (other.token, other.org)
    assert "geheim" not in f"{made!r}{other!r}{table!r}"


def test_secrets_that_cannot_be_used_are_all_told_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty file, two lines, a variable that is not set, a file of certificates that has none."""
    monkeypatch.delenv("LIANFANG_TELEMETRY_TOKEN", raising=False)
    (tmp_path / "pw").write_text("erste-geheime\nzweite-geheime\n")
    text = INFLUXDB + 'username = "u"\npassword_file = "pw"\nca_file = "hub.toml"'
    with pytest.raises(Refused) as refused:
        access(load(written(tmp_path, text)).telemetry)
    assert ["telemetry.password_file", "telemetry.ca_file"] == [fault.key for fault in refused.value.faults]
    assert "geheime" not in str(refused.value)
    with pytest.raises(Refused, match="LIANFANG_TELEMETRY_TOKEN"):
        access(load(written(tmp_path, INFLUXDB2 + 'org = "o"')).telemetry)


@pytest.mark.parametrize("url", ["http://hub:geheim@x:1", "https://geheim@x", "http://x:1/write?p=geheim", "geheim"])
def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    """The fault names the key and what is allowed, not what was typed."""
    with pytest.raises(Refused) as refused:
        load(written(tmp_path, f'store = "influxdb"\nurl = "{url}"'))
    assert ["telemetry.url"] == [fault.key for fault in refused.value.faults]
    assert "geheim" not in str(refused.value)
