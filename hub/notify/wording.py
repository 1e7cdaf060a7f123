"""From a posting to the notice a channel carries: names, phone and words as they are when it leaves."""

from __future__ import annotations

from hub.core.abroad import name_in
from hub.notify.board import Reads
from hub.notify.notice import Notice, Posting, Sort
from hub.notify.people import People
from hub.notify.table import Channels, Told
from hub.notify.texts import facts_of, written


class Wording:
    """The only place where a posting meets a name and a phone."""

    def __init__(self, people: People, rules: Channels, reads: Reads) -> None:
        self._people = people
        self._rules = rules
        self._reads = reads

    def notice(self, posting: Posting) -> Notice | None:
        """The words of a posting; None when whom it is for has left the registry."""
        contact = None
        if not self._people.is_room(posting.channel):
            contact = self._people.contact(posting.area, posting.to, posting.of)
            if contact is None:
                return None
        incident = self._reads.incident(posting.area, posting.incident) if posting.incident else None
        near = self._rules.names and posting.rung in (Told.GROUP, Told.STATION)
        where, who = self._people.words(posting.area, incident, posting.of, near)
        link = self._link(posting)
        facts = facts_of(posting, incident, where, who, link)
        title, text = written(facts, self._rules.language, self._rules.offset_min)
        return Notice(
            id=posting.key,
            to=posting.to,
            sort=posting.sort,
            priority=posting.priority,
            title=title,
            text=text,
            phone=contact.phone if contact is not None else "",
            name=contact.name if contact is not None else "",
            area=posting.area,
            incident=posting.incident,
            rung=posting.rung,
            at_ms=posting.at_ms,
            link=link,
            drill=posting.drill,
        )

    def _link(self, posting: Posting) -> str:
        made = self._reads.answer_link
        if made is None or posting.sort is not Sort.PAGE or posting.rung != Told.GROUP:
            return ""
        area = posting.to.rpartition("/")[0]  # a neighbour in another area is named with it
        return made(posting.area, posting.incident, name_in(posting.area, area or posting.area, posting.of)) or ""
