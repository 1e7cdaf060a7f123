"""A refusal that can be acted on: where, which key, what was found, what is allowed; all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec


class Fault(msgspec.Struct, frozen=True, order=True):
    """One thing wrong in what somebody handed us. Also travels in a reply when a configuration is refused."""

    where: str
    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: found {self.value}; allowed: {self.allowed}"


class Refused(Exception):
    """Everything wrong with one input, none of it taken over. `faults` has at least one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        assert self.faults, "a refusal names at least one fault"
        super().__init__("\n".join(map(str, self.faults)))


def path_of(location: Sequence[str | int]) -> str:
    """Write a nested key the way a person reads it: ('zone', 3, 'kind') is zone[3].kind."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: object, limit: int = 80) -> str:
    """The value as a person would recognise it, cut at `limit` characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer too long for Python to write down
        text = f"a {type(value).__name__} too long to be shown"
    except RecursionError:
        text = f"a {type(value).__name__} nested too deep to be shown"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def from_pydantic(errors: Iterable[Mapping[str, Any]], where: str, prefix: Sequence[str | int] = ()) -> list[Fault]:
    """Turn `ValidationError.errors()` into faults of ours."""
    return [
        Fault(
            where,
            path_of((*prefix, *error["loc"])),
            "nothing" if error["type"] == "missing" else shown(error["input"]),
            _allowed(error),
        )
        for error in errors
    ]


def _allowed(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "this key is required"
    if error["type"] == "extra_forbidden":
        return "no such key here"
    return str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
