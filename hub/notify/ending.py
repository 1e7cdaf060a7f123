"""Who must hear that it is over: found in the postings themselves, so every way to an end is told the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from hub.core.incident import UNRESOLVED, Incident
from hub.notify.board import Board, Reads, part_of
from hub.notify.notice import TOLD, Posting, Sort, State
from hub.notify.people import Address
from hub.notify.table import Told

Which: TypeAlias = Callable[[Posting], bool]


class Ending:
    """Recalls what has not left, and tells whoever was told; as often as it is asked, each of them once."""

    def __init__(self, board: Board, reads: Reads) -> None:
        self._board = board
        self._reads = reads

    def over(self, incident: Incident) -> None:
        """It is resolved; a child leaves the end to its unresolved parent, which tells it for all its children."""
        parent = self._reads.incident(incident.area, incident.parent) if incident.parent else None
        if parent is not None and parent.state in UNRESOLVED:
            return
        children = [self._reads.incident(incident.area, child) for child in incident.children]
        ended = [child for child in children if child is not None and child.state not in UNRESOLVED]
        self._end([incident, *ended], lambda posting: True)

    def cancelled(self, incident: Incident) -> None:
        """Neighbours need not come; operators still have to look."""
        self._end([incident], lambda posting: posting.rung == Told.GROUP)

    def well(self, part: str) -> None:
        """A part of the hub is well again."""
        for one in list(self._board.troubles.get(part, {}).values()):
            if one.state is State.WAITING:
                self._board.recall(one)
                continue
            del self._board.troubles[part_of(one)][one.id]
            if one.state in TOLD:
                self._board.put(self._board.made(_back(one), Sort.TROUBLE_OVER, Told.HUB, one.priority, part))

    def _end(self, family: list[Incident], which: Which) -> None:
        told: dict[tuple[str, str], Posting] = {}
        heard: dict[tuple[str, str], int] = {}
        for one in (posting for incident in family for posting in self._board.of(incident)):
            who = (one.channel, one.to)
            if one.sort is Sort.STAND_DOWN:
                heard[who] = max(heard.get(who, 0), one.at_ms)
            elif one.state in TOLD and which(one):
                told[who] = max(told.get(who, one), one, key=lambda posting: posting.at_ms)
            elif one.state is State.WAITING and which(one):
                self._board.recall(one)
        for who, one in told.items():
            if who not in heard or heard[who] < one.at_ms:
                self._board.post(_back(one), family[0], Sort.STAND_DOWN, Told(one.rung), family[0].rule)


def _back(posting: Posting) -> Address:
    return Address(posting.channel, posting.area, posting.to, posting.of)
