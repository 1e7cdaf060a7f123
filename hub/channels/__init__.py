"""Ways to people outside, one file each: a `Config` (its table in hub.toml) with `opened() -> Channel`.

The folder is the registry: a file's name is its `kind`. A new channel is a new file and its test.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Field

from hub.notify.table import ChannelTable

KINDS: dict[str, type[ChannelTable]] = {
    found.name: import_module(f"{__name__}.{found.name}").Config for found in iter_modules(__path__)
}

if TYPE_CHECKING:
    AnyChannel: TypeAlias = ChannelTable
else:
    _union: Any = reduce(or_, KINDS.values())
    AnyChannel = Annotated[_union, Field(discriminator="kind")]

__all__ = ["KINDS", "AnyChannel"]
