"""One table of the registry as it stands in one file, whichever sort of file that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hub.registry.faults import Faults
from hub.registry.headings import canonical
from protocol.faults import Fault, shown

Line: TypeAlias = tuple[int, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as it stands in one file: `head` has the keys, `lines` each row's number and cells (None: nothing).

    `where` and `at` are put together with the row's number ("zones.csv:{}", "zone[{}]."); `titles` are the keys as
    the file writes them.
    """

    table: str
    where: str
    at: str
    head: tuple[str, ...]
    titles: tuple[str, ...]
    lines: Callable[[], Iterator[Line]]

    def fault(self, number: int, key: str, value: object, allowed: str) -> Fault:
        """A fault of one row."""
        title = self.titles[self.head.index(key)] if key in self.head else key
        found = value if isinstance(value, str) else shown(value)
        return Fault(
            self.where.replace("{}", str(number)), f"{self.at.replace('{}', str(number))}{title}", found, allowed
        )


def headed(
    table: str, where: str, at: str, titles: Sequence[str], lines: Callable[[], Iterator[Line]], faults: Faults
) -> Sheet | None:
    """A sheet with this head line; None, and its fault told, when it is none."""
    keys = tuple(canonical(table, title) for title in titles)
    if not keys or "" in keys or len(set(keys)) < len(keys):
        first = Fault(
            where.replace("{}", "1"), "the head line", ",".join(titles) or "nothing", "each column named once"
        )
        faults.tell(first)
        return None
    return Sheet(table, where, at, keys, tuple(titles), lines)
