"""How a unit can misbehave: answer slowly, wrongly, with exceptions, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge.profiles import Table


@dataclass(frozen=True, slots=True)
class Slow:
    """Answer, with what holds then, `delay_ms` late."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """Answer with something else.

    `noise`: bytes of no protocol. `checksum`: a bad CRC (on TCP framing a bad protocol id). `unit`: from a unit next to
    it. `transaction`: of another request (on serial framing to another function). `function`: an unknown function
    code. `short`: half a frame.
    """

    how: Literal["noise", "checksum", "unit", "transaction", "function", "short"]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with a Modbus exception; with `table` only to requests for that table."""

    code: int = 4
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """Do not answer. A Modbus server of a library answers for units it lacks, so silence is made on purpose."""


Fault: TypeAlias = Slow | Wrong | Refuse | Silent
