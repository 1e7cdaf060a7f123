"""Views as JSON for the API and the live stream: every field is there, also those at their defaults."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """A struct, and whatever is in it, as dictionaries and lists."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def json_of(value: Any) -> bytes:
    """The same as JSON bytes."""
    return msgspec.json.encode(plain(value))
