"""The figures a duty head reads first, each beside the period before."""

from __future__ import annotations

from hub.reports import layout
from hub.reports.layout import As, Cell, Section, or_none, share, table
from hub.reports.material import Material
from hub.reports.sections import false_alarms, gateways, incidents, load, neighbours, recorders, response, watch
from hub.reports.stats import share as share_of
from protocol.kinds import Priority


def shown(of: Material, before: Material) -> Section:
    """One table, each figure over what it says."""
    now, was = _figures(of), _figures(before)
    rows = [(key, cell, was[key]) for key, cell in now.items()]
    columns = [("figure", As.WORD), ("value", As.ANY), ("value_before", As.ANY)]
    return Section("summary", tables=(table("summary", columns, rows),))


def _figures(of: Material) -> dict[str, Cell]:
    raised, watched = incidents.figures(of), watch.figures(of)
    answer, help_came = response.figures(of), neighbours.figures(of).all
    ended, desks = false_alarms.figures(of), load.figures(of)
    known = None if watched.known_ms is None else share_of(watched.known_ms, watched.passed_ms)

    def count(found: int) -> Cell:
        """A zero of a time in which the hub was never on watch is none: nothing is known."""
        return layout.count(None if not found and watched.known_ms == 0 else found)

    return {
        "watched_share": share(known),
        "incidents_raised": count(raised.total.raised),
        "p1_raised": count(raised.balances[0].raised),
        "incidents_open": count(raised.total.closing),
        "p1_accepted_median": or_none(As.SPAN, answer.overall[Priority.P1].median_ms),
        "first_ring_median": or_none(As.SPAN, help_came.ringing.median_ms),
        "first_going_median": or_none(As.SPAN, help_came.going.median_ms),
        "false_alarm_share": or_none(As.SHARE, share_of(ended.false, ended.judged)),
        "gateways_heard_share": share(gateways.overall(gateways.figures(of))),
        "recorders_blind": count(recorders.figures(of).still),
        "station_pages": count(desks[0].pages),
        "records_lost": count(watched.lost),
    }
