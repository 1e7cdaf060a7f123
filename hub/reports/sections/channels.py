"""What became of the messages to people outside, by channel: never to whom."""

from __future__ import annotations

from hub.notify.notice import State
from hub.reports import layout
from hub.reports.layout import As, Remark, Section, table
from hub.reports.material import Material
from hub.reports.stats import share

LOST = (State.FAILED, State.DROPPED)
OPEN = (State.WAITING, State.WITHDRAWN, State.UNKNOWN)
"""What nobody knows of whether it came through, or what was not to."""
SHOWN = (State.SENT, State.DELIVERED, State.UNKNOWN, State.FAILED, State.DROPPED, State.WITHDRAWN, State.WAITING)


def figures(of: Material) -> dict[str, dict[State, int]] | None:
    """Notices of the period by channel and state, drills apart; None where nothing is known of them."""
    if of.notices is None:
        return None
    return {name: {state: counts.get(state, 0) for state in SHOWN} for name, counts in sorted(of.notices.items())}


def shown(of: Material) -> Section:
    """Channel by channel."""
    found = figures(of)
    if found is None:
        return Section("channels", (Remark("channels_unknown", grave=True),))
    rows = []
    for name, counts in found.items():
        lost = sum(counts[state] for state in LOST)
        settled = sum(counts.values()) - sum(counts[state] for state in OPEN)
        rows.append((name, *(counts[state] for state in SHOWN), share(lost, settled)))
    failing = sum(any(counts[state] for state in LOST) for counts in found.values())
    remarks = (Remark("channels_failed", {"channels": layout.count(failing)}, grave=True),) if failing else ()
    columns = [("channel", As.NAME), *((state.value, As.COUNT) for state in SHOWN), ("failed_share", As.SHARE)]
    return Section("channels", remarks, tables=(table("channels", columns, rows),))
