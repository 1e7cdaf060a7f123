"""Incidents one by one: the urgent ones of a period, and what is still open at its end. Places as they may be told."""

from __future__ import annotations

from hub.reports import layout
from hub.reports.case import Case
from hub.reports.layout import As, Cell, Section, Value, name, or_none, word
from hub.reports.material import Material
from protocol.kinds import Priority

MOST = 100
"""Rows of a list in a report; the rest is counted, and is in the console."""


def urgent(of: Material) -> Section:
    """Every P1 of the period from the event on, in order."""
    found = [one for one in of.raised if one.priority is Priority.P1]
    columns = [
        ("event_time", As.TIME), ("incident", As.NAME), ("kind", As.WORD), ("place", As.NAME),
        ("first_ring", As.SPAN), ("first_going", As.SPAN), ("accepted_after", As.SPAN), ("accepted_on", As.WORD),
        ("state", As.WORD), ("disposition", As.WORD),
    ]  # fmt: skip
    rows = [
        (
            one.event_ms,
            one.id,
            one.rule,
            place(of, one),
            _reached(one, one.rang_after_ms),
            _reached(one, one.going_after_ms),
            or_none(As.SPAN, accepted_after_ms(one)),
            _rung(one),
            one.state.value,
            _disposition(one),
        )
        for one in found
    ]
    return Section("urgent", tables=(layout.table("urgent", columns, rows, MOST),))


def still_open(of: Material) -> Section:
    """What is unresolved at the end, the most urgent first, then the oldest."""
    found = [one for one in of.closing.cases.values() if one.top and one.open]
    found.sort(key=lambda one: (one.priority, one.event_ms, one.id))
    columns = [
        ("priority", As.WORD), ("event_time", As.TIME), ("age", As.SPAN), ("incident", As.NAME), ("kind", As.WORD),
        ("place", As.NAME), ("state", As.WORD), ("rung", As.WORD),
    ]  # fmt: skip
    rows = [
        (
            one.priority.name.lower(),
            one.event_ms,
            max(0, of.until_ms - one.event_ms),
            one.id,
            one.rule,
            place(of, one),
            one.state.value,
            _highest(one),
        )
        for one in found
    ]
    return Section("open", tables=(layout.table("open", columns, rows, MOST),))


def place(of: Material, case: Case) -> Cell:
    """Where it is, as far as that may be told: a site by its id, a household with its group or village."""
    if case.silent:
        return word("withheld")
    where = case.place
    told = where.site or where.group or of.closing.places.villages.get(where.village, where.village)
    return name(told or (", ".join(case.gateways) if not where.village and case.gateways else None))


def accepted_after_ms(case: Case) -> int | None:
    """From its being raised to its acceptance; None where nobody accepted."""
    return None if case.accepted_ms is None else max(0, case.accepted_ms - case.raised_ms)


def _reached(case: Case, after_ms: int | None) -> Cell:
    """What came of the neighbours; nobody is called for what is silent, late, or no matter for them."""
    return or_none(As.SPAN, after_ms) if case.called else word("nobody_called")


def _rung(case: Case) -> Value:
    return "nobody" if case.accepted_ms is None else None if case.accepted_on is None else case.accepted_on.value


def _highest(case: Case) -> str:
    return next((rung for rung in ("county", "town", "station") if rung in case.paged), "not_paged")


def _disposition(case: Case) -> str:
    return case.disposition.value if case.disposition is not None else "not_yet"
