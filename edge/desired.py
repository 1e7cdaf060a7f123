"""The configuration the hub wants: checked when it comes, kept beside the records, used from the next start on.

That follows by itself, once nothing rings. The installer is listened to before the hub: a wish that an edit of the
installer's file has overtaken is refused, until the hub wishes something else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from edge.config import Config, parse
from edge.profiles import Profile
from protocol.faults import Fault, Refused

DESIRED = "desired.toml"
BASE = "desired.base"
"""Digest of the installer's file when the desired one came: an installer who edits it later is listened to first."""

log = structlog.get_logger("lianfang.desired")


class Desired:
    """Where the desired configuration is kept. `local` is what the installer's file says, `folder` where that is.

    `stored`: another was stored since the start.
    """

    def __init__(
        self, local: Config, folder: Path, profiles: Mapping[str, Profile], overrides: Mapping[str, Any]
    ) -> None:
        self._local = local
        self._folder = folder
        self._profiles = profiles
        self._overrides = overrides
        self._one_at_a_time = threading.Lock()
        self.stored = False

    def store(self, text: str) -> list[Fault]:
        """Keep it for the next start, or say everything that is wrong with it. Any thread may call."""
        with self._one_at_a_time:
            try:
                self._checked(text.encode())
                self._not_overtaken(text)
                self._local.data_dir.mkdir(parents=True, exist_ok=True)
                _write(self._local.data_dir / DESIRED, text)
                _write(self._local.data_dir / BASE, self._local.sha256)
                self.stored = True
            except Refused as refused:
                return list(refused.faults)
            except OSError as cause:
                return [Fault("config", "data_dir", str(cause), "a disk that takes it")]
            except Exception as cause:  # it comes from far away: a bug in reading it must not end the gateway
                log.exception("the hub's wish cannot be read")
                return [Fault("config", "file", type(cause).__name__, "what this software can read")]
        return []

    def effective(self) -> Config:
        """The configuration to run: the desired one where there is a good one, else the installer's."""
        path = self._local.data_dir / DESIRED
        try:
            data = path.read_bytes()
            base = (self._local.data_dir / BASE).read_text().strip()
        except OSError:
            return self._local
        if base != self._local.sha256:
            log.warning("the installer's file is newer than the hub's wish; the file is used", wish=str(path))
            return self._local
        try:
            return self._checked(data)
        except Refused as refused:
            log.error("the hub's wish is not usable here; the installer's file is used", faults=str(refused)[:500])
            return self._local

    def _not_overtaken(self, text: str) -> None:
        try:
            kept = (self._local.data_dir / DESIRED).read_text(encoding="utf-8")
            base = (self._local.data_dir / BASE).read_text().strip()
        except OSError:
            return  # there was no wish before
        if kept == text and base != self._local.sha256:
            allowed = "a wish made since the installer's file was edited: give that file to the hub"
            raise Refused([Fault("config", "file", "the wish from before that edit", allowed)])

    def _checked(self, data: bytes) -> Config:
        wished = parse(data, "config", self._folder, self._profiles, self._overrides)
        local = self._local
        fixed = {
            "gateway.area": (wished.site.area, local.site.area),
            "gateway.id": (wished.site.gateway, local.site.gateway),
            "gateway.data_dir": (wished.data_dir, local.data_dir),
            "mqtt": (wished.mqtt, local.mqtt),
            "hub_keys": (_keys(wished), _keys(local)),
        }
        allowed = "what the installer's file says; only on the spot may it change"
        if faults := [Fault("config", key, str(a), allowed) for key, (a, b) in fixed.items() if a != b]:
            raise Refused(faults)
        return wished


def _keys(config: Config) -> dict[str, str]:
    return {name: key.public_bytes_raw().hex() for name, key in sorted(config.hub_keys.items())}


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
