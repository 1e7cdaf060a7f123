"""How many of each village's households are enrolled, and which groups are not as a group should be."""

from __future__ import annotations

from hub.registry.coverage import Village
from hub.reports import layout
from hub.reports.layout import As, Chart, Remark, Section, Series, name, table
from hub.reports.material import Material
from hub.reports.places import GroupSize
from hub.reports.stats import share

SIZE_MIN, SIZE_MAX = 10, 20
MOST = 100


def unsound(group: GroupSize) -> list[str]:
    """What is wrong with a group's make-up, in words of the catalogue."""
    found = []
    if not group.any_size and group.members < SIZE_MIN:
        found.append("too_small")
    if not group.any_size and group.members > SIZE_MAX:
        found.append("too_large")
    if not group.has_head:
        found.append("no_head")
    return found


def shown(of: Material) -> Section:
    """Village by village, the least covered first; a number nobody has stated is not known."""
    villages = sorted(of.closing.villages, key=lambda one: (one.share is None, one.share or 0.0, one.station))
    enrolled = sum(one.enrolled for one in villages if one.share is not None)
    stated = sum(one.households or 0 for one in villages)
    remarks = [
        Remark(
            "coverage",
            {
                "share": layout.share(share(enrolled, stated)),
                "enrolled": layout.count(enrolled),
                "households": layout.count(stated),
                "unstated": layout.count(sum(one.share is None for one in villages)),
                "demonstration": layout.count(sum(one.demonstration for one in villages)),
            },
        )
    ]
    if not of.closing.kept:
        remarks.append(Remark("registry_of_today"))
    drawn = [one for one in villages if one.share is not None]
    chart = Chart(
        "coverage",
        tuple(name(one.name or one.station) for one in drawn),
        (Series("coverage", tuple(one.share for one in drawn)),),
        As.SHARE,
        across=True,
    )
    columns = [
        ("village", As.NAME), ("groups", As.COUNT), ("enrolled", As.COUNT), ("households", As.COUNT),
        ("coverage", As.SHARE), ("demonstration", As.WORD),
    ]  # fmt: skip
    rows = [
        (one.name or one.station, one.groups, one.enrolled, one.households, one.share, _demonstrates(one))
        for one in villages
    ]
    wrong = [(one, why) for one in of.closing.places.groups for why in unsound(one)]
    unsound_rows = [(one.id, one.members, one.households, why) for one, why in wrong]
    unsound_columns = [("group", As.NAME), ("members", As.COUNT), ("households", As.COUNT), ("why", As.WORD)]
    return Section(
        "coverage",
        tuple(remarks),
        (chart,) if 1 < len(drawn) <= 40 else (),
        (
            table("coverage", columns, rows, MOST),
            table("unsound_groups", unsound_columns, unsound_rows, MOST),
        ),
    )


def _demonstrates(one: Village) -> str:
    return "not_known" if one.share is None else "yes" if one.demonstration else "no"
