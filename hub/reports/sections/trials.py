"""What was tried on purpose: drills with their results, and the nightly proofs of gateways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from hub.core.proof import ProofView
from hub.reports import layout
from hub.reports.layout import As, Cell, Remark, Section, name, or_none, table, word
from hub.reports.material import Material
from hub.reports.stats import Spread, share, spread
from hub.reports.trial import Trial

MOST = 50


class Proofs(msgspec.Struct, frozen=True):
    """A moment's proofs: gateways that have proved themselves in time, that have not done so yet and need not, that are
    overdue, and that the hub does not know yet; how long the last whole ones took on their whole way, ms."""

    good: int
    due: int
    overdue: int
    unknown: int
    took: Spread


def drilled(of: Material) -> list[Trial]:
    """Drills that were to be in the period, or were begun in it, in order."""
    found = [one for one in of.closing.trials if of.within(one.at_ms if one.started_ms is None else one.started_ms)]
    return sorted(found, key=lambda one: (one.at_ms, one.started_ms or 0, str(one.places)))


def proofs(found: Sequence[ProofView]) -> Proofs:
    """The proofs of gateways."""
    took = [
        one.way_ms + one.commit_ms + one.notice_ms
        for one in found
        if one.way_ms is not None and one.commit_ms is not None and one.notice_ms is not None
    ]
    counts = Counter(map(_stands, found))
    return Proofs(counts["good"], counts["none_yet"], counts["overdue"], counts["not_known"], spread(took))


def unproved(found: Sequence[ProofView]) -> float | None:
    """The share of gateways whose proof is overdue among those the hub knows; None where it knows none."""
    known = [one for one in found if one.age_ms is not None]
    return share(sum(one.overdue for one in known), len(known))


def shown(of: Material, before: Material) -> Section:
    """Drill by drill; of proofs those that are not as they should be."""
    now, was, tried = proofs(of.closing.proofs), proofs(before.closing.proofs), drilled(of)
    remarks = (
        Remark("drills", {"drills": layout.count(len(tried)), "before": layout.count(len(drilled(before)))}),
        Remark(
            "proofs",
            {
                "good": layout.count(now.good),
                "due": layout.count(now.due),
                "overdue": layout.count(now.overdue),
                "unknown": layout.count(now.unknown),
                "took": or_none(As.SPAN, now.took.median_ms),
                "before": layout.count(was.overdue),
            },
            grave=now.overdue > 0,
        ),
    )
    columns = [
        ("event_time", As.TIME), ("kind", As.WORD), ("place", As.NAME), ("outcome", As.WORD),
        ("sirens_called", As.COUNT), ("sirens_rang_share", As.SHARE), ("first_ring", As.SPAN), ("answered", As.COUNT),
        ("first_going", As.SPAN), ("accepted_after", As.SPAN), ("rung", As.WORD), ("unreachable", As.COUNT),
    ]  # fmt: skip
    late = [one for one in of.closing.proofs if _stands(one) != "good"]
    late.sort(key=lambda one: (not one.overdue, -(one.age_ms or 0), one.gateway))
    rows = [(one.gateway, or_none(As.TIME, one.proved_ms), one.age_ms, _stands(one)) for one in late]
    proof_columns = [("gateway", As.NAME), ("last_proof", As.TIME), ("age", As.SPAN), ("at_the_end", As.WORD)]
    return Section(
        "trials",
        remarks,
        tables=(
            table("drills", columns, [_row(of, one) for one in tried], MOST),
            table("proofs", proof_columns, rows, MOST),
        ),
    )


def _stands(one: ProofView) -> str:
    if one.age_ms is None:
        return "not_known"
    if one.overdue:
        return "overdue"
    return "none_yet" if one.proved_ms is None else "good"


def _row(of: Material, one: Trial) -> tuple[layout.Value | Cell, ...]:
    return (
        one.at_ms if one.started_ms is None else one.started_ms,
        one.kind,
        _places(of, one),
        f"drill_{one.state}",
        one.called,
        or_none(As.SHARE, share(one.rang, one.called)),
        or_none(As.SPAN, one.rang_after_ms),
        one.answered,
        or_none(As.SPAN, one.going_after_ms),
        or_none(As.SPAN, one.accepted_after_ms),
        word("none") if one.rung is None else word(one.rung.value),
        one.unreachable,
    )


def _places(of: Material, one: Trial) -> Cell:
    names = of.closing.places.villages
    told = [place.site or place.group or names.get(place.village, "") for place in one.places]
    known = [text for text in dict.fromkeys(told) if text]
    return name(", ".join(known)) if known else word("elsewhere")
