"""What a rule is, and the named verdicts it can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Duplicate:
    """This record was taken before; nothing changed."""

    effective: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is raised, and why. `effective`: still remembered (as seen, as a zone's condition), so journalled."""

    reason: str
    effective: bool = True


@dataclass(frozen=True, slots=True)
class Took:
    """Incidents it changed, with the rule's reason in words."""

    incidents: tuple[str, ...]
    reason: str
    effective: ClassVar[bool] = True


Verdict: TypeAlias = Duplicate | Ignored | Took
