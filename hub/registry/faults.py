"""Faults as they are found: as many as a person can work through, and a count of the rest."""

from __future__ import annotations

from protocol.faults import Fault

FAULTS_MAX = 1_000


class Faults:
    """The first `FAULTS_MAX` faults (or warnings) and how many more there were: a wrong column is wrong in every row
    of a million."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self.more = 0

    def __bool__(self) -> bool:
        return bool(self.first)

    @property
    def full(self) -> bool:
        """Whether the next is only counted."""
        return len(self.first) >= FAULTS_MAX

    def tell(self, fault: Fault) -> None:
        """One more."""
        if self.full:
            self.more += 1
        else:
            self.first.append(fault)

    def all(self, where: str) -> tuple[Fault, ...]:
        """Those kept, with a last one for the rest."""
        rest = [Fault(where, "the rest", f"{self.more} more of them", "none")] if self.more else []
        return (*self.first, *rest)
