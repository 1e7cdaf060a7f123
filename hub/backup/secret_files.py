"""Files of channels that hold what others trust the hub by: in a backup only when that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.settings import Settings


def secret_files(settings: Settings) -> dict[str, Path]:
    """Part to path of every file that a channel names."""
    return {
        f"channels/{channel.name}{table}.{key}": path
        for channel in settings.channel
        for table, owner in (("", channel), (".report", getattr(channel, "report", None)))
        for key, path in _named(owner)
    }


def _named(table: object) -> Iterator[tuple[str, Path]]:
    for key in getattr(type(table), "model_fields", {}):
        value = getattr(table, key)
        if key.endswith("_file") and isinstance(value, Path):
            yield key, value
