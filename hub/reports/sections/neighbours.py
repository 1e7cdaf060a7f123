"""How soon the group came to help: the first siren that was confirmed to ring, and the first who said "going"."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.reports.case import Case
from hub.reports.layout import As, Cell, Section, name, or_none, table, word
from hub.reports.material import Material
from hub.reports.stats import Spread, share, spread


class Helped(msgspec.Struct, frozen=True):
    """Incidents for which neighbours were called; sirens called and confirmed to ring; spreads from the event, ms.

    `nobody`: everybody who was called said that they cannot come. `none_going`: nobody has said "going".
    """

    incidents: int
    called: int
    rang: int
    ringing: Spread
    going: Spread
    none_going: int
    nobody: int


class Neighbours(msgspec.Struct, frozen=True):
    """All of an area, and by village."""

    all: Helped
    villages: dict[str, Helped]


def figures(of: Material) -> Neighbours:
    """The incidents raised in a period, as far as it has come."""
    found = [one for one in of.raised if one.called]
    villages = sorted({one.place.village for one in found})
    return Neighbours(helped(found), {v: helped([one for one in found if one.place.village == v]) for v in villages})


def helped(cases: Sequence[Case]) -> Helped:
    """The help of these incidents."""
    return Helped(
        incidents=len(cases),
        called=sum(one.called for one in cases),
        rang=sum(one.rang for one in cases),
        ringing=spread(one.rang_after_ms for one in cases if one.rang_after_ms is not None),
        going=spread(one.going_after_ms for one in cases if one.going_after_ms is not None),
        none_going=sum(one.going_after_ms is None for one in cases),
        nobody=sum(one.nobody_can for one in cases),
    )


def shown(of: Material, before: Material) -> Section:
    """The area, as it was before, and its villages."""
    now, was = figures(of), figures(before)
    names = of.closing.places.villages
    rows = [(word("all"), now.all), (word("before"), was.all)]
    rows += [(name(names[key]) if key in names else word("elsewhere"), one) for key, one in now.villages.items()]
    columns = [
        ("where", As.NAME), ("incidents", As.COUNT), ("sirens_called", As.COUNT), ("sirens_rang_share", As.SHARE),
        ("ring_median", As.SPAN), ("ring_p90", As.SPAN), ("going", As.COUNT), ("going_median", As.SPAN),
        ("going_p90", As.SPAN), ("none_going", As.COUNT), ("nobody_can", As.COUNT),
    ]  # fmt: skip
    return Section("neighbours", tables=(table("neighbours", columns, [_row(*one) for one in rows]),))


def _row(where: Cell, one: Helped) -> tuple[Cell | int, ...]:
    ring = (or_none(As.SPAN, one.ringing.median_ms), or_none(As.SPAN, one.ringing.p90_ms))
    going = (one.going.n, or_none(As.SPAN, one.going.median_ms), or_none(As.SPAN, one.going.p90_ms))
    rang = or_none(As.SHARE, share(one.rang, one.called))
    return (where, one.incidents, one.called, rang, *ring, *going, one.none_going, one.nobody)
