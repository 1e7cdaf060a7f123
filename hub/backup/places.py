"""Where each part of a backup stands on a machine: by a hub's configuration, or led into one folder."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from hub.backup.manifest import CHANNELS, CONFIG, HISTORY, JOURNAL, KEY, NOTICES, PACKED, REGISTRY, SITES, TELEMETRY
from hub.backup.secret_files import secret_files
from hub.notify import outbox as notices
from hub.past import sqlite_path
from hub.registry import history
from hub.settings import Settings
from protocol.faults import Fault, Refused

PG_WORDS = "an SQLite file; a PostgreSQL journal is backed up by its own means (pg_basebackup with WAL, or pg_dump)"
_TABLE = re.compile(r"\s*\[\[?\s*([a-z_.]+)\s*\]\]?")
_VALUE = re.compile(r"(\s*([a-z_]+)\s*=\s*)(\"[^\"]*\"|'[^']*')(.*)")


def places(config: Path, settings: Settings) -> dict[str, Path]:
    """Part to path, `registry` for the registry's file or folder. Raises Refused for a journal in no file of ours."""
    journal = sqlite_path(settings.journal_url)
    if journal is None or str(journal) == ":memory:":
        kind = settings.journal_url.partition(":")[0]
        raise Refused([Fault(config.name, "journal.url", f"a {kind} database that is no file", PG_WORDS)])
    hub, mqtt = settings.hub, settings.mqtt
    found = {
        CONFIG: config,
        JOURNAL: journal,
        TELEMETRY: hub.data_dir / "telemetry.db",
        KEY: settings.key_path,
        NOTICES: hub.data_dir / notices.NAME,
        SITES: settings.sites,
        HISTORY: hub.data_dir / history.FOLDER,
        REGISTRY: hub.registry,
        "defaults.toml": hub.defaults,
        "mqtt/password": mqtt.password_file,
        "mqtt/ca.pem": mqtt.ca,
        "mqtt/cert.pem": mqtt.cert,
        "mqtt/key.pem": mqtt.key,
        **secret_files(settings),
    }
    return {name: path for name, path in found.items() if path is not None}


def inside(folder: Path, parts: Iterable[str]) -> dict[str, Path]:
    """Part to path when everything goes into one folder, under the names of the backup."""
    return {slot(name): folder / _place(name) for name in parts}


def _place(name: str) -> str:
    if name in PACKED:
        return name.removesuffix(".zip")
    return REGISTRY if name.startswith(f"{REGISTRY}/") else name


def slot(name: str) -> str:
    """The key in `places` of a part: all files of the registry go together."""
    return REGISTRY if name.startswith((f"{REGISTRY}/", f"{REGISTRY}.")) else name


def led(text: str, folder: Path, found: dict[str, Path]) -> str:
    """A configuration with the paths it names led to the parts in `folder`; every other line and comment stays."""
    keys = {
        ("hub", "data_dir"): folder / "data",
        ("hub", "registry"): found.get(REGISTRY),
        ("hub", "defaults"): found.get("defaults.toml"),
        ("hub", "sites"): found.get(SITES),
        ("mqtt", "password_file"): found.get("mqtt/password"),
        ("signing", "key"): found.get(KEY),
        **{("mqtt", name): found.get(f"mqtt/{name}.pem") for name in ("ca", "cert", "key")},
    }
    values = {key: str(path.relative_to(folder)) for key, path in keys.items() if path is not None}
    values |= {
        (f"channel {name}", key): str(path.relative_to(folder))
        for part, path in found.items()
        if part.startswith(CHANNELS)
        for name, _, key in [part.removeprefix(CHANNELS).rpartition(".")]
    }
    values["journal", "url"] = f"sqlite:///{found[JOURNAL].absolute()}"
    table, channel, lines = "", "", []
    names = iter(one.get("name", "") for one in tomllib.loads(text).get("channel", []))
    for line in text.splitlines(keepends=True):
        if heading := _TABLE.match(line):
            table = heading[1]
            if table == "channel":
                channel = next(names, "")
                table = f"channel {channel}"
            elif table == "channel.report":
                table = f"channel {channel}.report"
        given = _VALUE.match(line.rstrip("\n"))
        value = values.get((table, given[2])) if given else None
        lines.append(line if value is None or given is None else f"{given[1]}{json.dumps(value)}{given[4]}\n")
    return "".join(lines)
