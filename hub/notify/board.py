"""What hangs on the board: every posting of the incidents the desk knows, and the queues of those that still wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from msgspec.structs import replace

from hub.core.incident import Incident
from hub.notify.metrics import NoticeMetrics
from hub.notify.notice import TOLD, Posting, Sort, State
from hub.notify.outbox import Outbox
from hub.notify.people import Address
from hub.notify.table import Channels, ChannelTable, Told
from hub.notify.waiting import Waiting
from protocol.kinds import Priority

Key: TypeAlias = tuple[str, str]
"""(area, incident)."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of the hub. `answer_link` makes a neighbour's link for (area, incident, premises)."""

    incident: Callable[[str, str], Incident | None]
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    answer_link: Callable[[str, str, str], str | None] | None = None


class Board:
    """`queues` by channel; `news(channel)` is called when there is something to send, `told` with every posting that
    changed. `troubles` has the postings of the hub's own trouble by part, `unreported` what waits for a report."""

    def __init__(
        self,
        channels: Mapping[str, ChannelTable],
        rules: Channels,
        outbox: Outbox,
        metrics: NoticeMetrics,
        reads: Reads,
    ) -> None:
        self.queues = {name: Waiting(channel, rules) for name, channel in channels.items()}
        self.news: Callable[[str], None] = lambda channel: None
        self.told: Callable[[Posting], None] = lambda posting: None
        self.troubles: dict[str, dict[str, Posting]] = {}
        self.unreported: dict[str, Posting] = {}
        self.incidents: dict[Key, dict[str, Posting]] = {}
        self._channels = channels
        self._outbox = outbox
        self._metrics = metrics
        self._reads = reads
        self._log = structlog.get_logger("hub.notices")

    def of(self, incident: Incident) -> Iterable[Posting]:
        """What was told, or is to be, of an incident."""
        return list(self.incidents.get((incident.area, incident.id), {}).values())

    def post(self, to: Address, incident: Incident, sort: Sort, rung: Told, why: str, at_ms: int | None = None) -> None:
        """Tell somebody of an incident; a drill goes the same way, and its channel lets it not out."""
        self.put(self.made(to, sort, rung, incident.priority, why, at_ms, incident))

    def made(
        self,
        to: Address,
        sort: Sort,
        rung: Told,
        priority: Priority,
        why: str,
        at_ms: int | None = None,
        incident: Incident | None = None,
    ) -> Posting:
        """A posting that hangs nowhere yet."""
        now_ms = self._reads.now_ms()
        return Posting(
            id=self._reads.new_id(),
            area=to.area,
            incident="" if incident is None else incident.id,
            sort=sort,
            rung=rung.value,
            channel=to.channel,
            to=to.to,
            of=to.of,
            priority=priority,
            why=why,
            at_ms=now_ms if at_ms is None else at_ms,
            changed_ms=now_ms,
            presses=0 if incident is None else incident.presses,
            drill=incident is not None and incident.drill,
        )

    def put(self, posting: Posting) -> None:
        """Into its channel's queue."""
        for changed in self.queues[posting.channel].put(posting, self._reads.now_ms()):
            self.keep(changed)
        self.news(posting.channel)

    def recall(self, posting: Posting) -> None:
        """What has not left yet does not leave."""
        queue = self.queues[posting.channel]
        if queue.is_here(posting.id):
            queue.end(posting.id)
            self.end(posting, State.WITHDRAWN, "over before it left")

    def end(self, posting: Posting, state: State, detail: str) -> Posting:
        """This is what became of it."""
        now = replace(posting, state=state, detail=detail, changed_ms=self._reads.now_ms())
        self.keep(now)
        return now

    def keep(self, posting: Posting) -> None:
        """Remember how a posting fares, and say it."""
        self.hang(posting)
        if posting.state is not State.WAITING:
            self._metrics.notices.labels(posting.channel, posting.state.value).inc()
        if posting.state in (State.FAILED, State.DROPPED):
            words = {name: getattr(posting, name) for name in ("area", "incident", "rung", "channel", "to", "detail")}
            self._log.warning("nobody was told", sort=posting.sort.value, **words)
        self._outbox.keep(posting)
        self.told(posting)

    def hang(self, posting: Posting) -> None:
        """Remember it."""
        if posting.incident:
            _latest(self.incidents.setdefault((posting.area, posting.incident), {}), posting)
        elif posting.sort is Sort.TROUBLE:
            self.troubles.setdefault(part_of(posting), {})[posting.id] = posting
        self.unreported.pop(posting.id, None)
        table = self._channels.get(posting.channel)
        if posting.state is State.SENT and table is not None and table.reports_s is not None:
            self.unreported[posting.id] = posting

    def forget(self) -> None:
        """What the desk has forgotten."""
        for key in [key for key in self.incidents if self._reads.incident(*key) is None]:
            del self.incidents[key]


def part_of(posting: Posting) -> str:
    """The part of the hub whose trouble it is."""
    return posting.why.partition(": ")[0]


def _latest(known: dict[str, Posting], posting: Posting) -> None:
    """Of each recipient the last that reached them is enough: a button that hangs pages for hours."""
    known[posting.id] = posting
    if posting.sort is not Sort.PAGE or posting.state not in TOLD:
        return
    who = (posting.rung, posting.channel, posting.to)
    for one in list(known.values()):
        older = one.id != posting.id and one.at_ms <= posting.at_ms
        if older and one.sort is Sort.PAGE and one.state in TOLD and (one.rung, one.channel, one.to) == who:
            del known[one.id]
