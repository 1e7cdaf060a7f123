"""How much of the time that the hub was on watch each gateway was heard."""

from __future__ import annotations

import msgspec

from hub.reports import layout
from hub.reports.layout import As, Remark, Section, table
from hub.reports.material import Material
from hub.reports.stats import both, clipped, share, total_ms

MOST = 50


class Heard(msgspec.Struct, frozen=True):
    """One gateway: `heard_ms` of `over_ms` on watch, how often it was lost in the period, the longest silence, ms, and
    whether it is heard at the end. `never`: it has not been heard at all so far."""

    gateway: str
    heard_ms: int
    over_ms: int
    losses: int
    longest_ms: int
    now: bool
    never: bool

    @property
    def share(self) -> float | None:
        """Of the time on watch; None where there was none."""
        return share(self.heard_ms, self.over_ms)


def figures(of: Material) -> list[Heard]:
    """Every gateway of the registry, the least heard first."""
    known, start_ms, end_ms = of.known, of.period.start_ms, of.until_ms
    found = []
    for gateway in of.closing.places.gateways:
        spells = of.closing.heard.get(gateway, ())
        heard = clipped(((a, end_ms if b is None else b) for a, b in spells), start_ms, end_ms)
        silent = _between(heard, start_ms, end_ms)
        losses = sum(b is not None and start_ms <= b < end_ms for _, b in spells)
        longest_ms = max((total_ms(both([one], known)) for one in silent), default=0)
        over_ms = total_ms(known)
        now = bool(spells) and spells[-1][1] is None
        heard_ms = total_ms(both(heard, known))
        found.append(Heard(gateway, heard_ms, over_ms, losses, longest_ms, now, not spells))
    return sorted(found, key=lambda one: (one.heard_ms, one.gateway))


def overall(found: list[Heard]) -> float | None:
    """The share heard of all gateways together."""
    return share(sum(one.heard_ms for one in found), sum(one.over_ms for one in found))


def shown(of: Material, before: Material) -> Section:
    """Those that were not heard all the time."""
    now = figures(of)
    worse = [one for one in now if one.never or not one.now or one.heard_ms < one.over_ms]
    remark = Remark(
        "gateways",
        {
            "all": layout.count(len(now)),
            "silent": layout.count(sum(not one.now for one in now)),
            "share": layout.share(overall(now)),
            "over": layout.span(now[0].over_ms if now and of.watched is not None else None),
            "before": layout.share(overall(figures(before))),
        },
        grave=any(not one.now for one in now),
    )
    columns = [
        ("gateway", As.NAME), ("heard_share", As.SHARE), ("losses", As.COUNT), ("longest_silence", As.SPAN),
        ("at_the_end", As.WORD),
    ]  # fmt: skip
    rows = [(one.gateway, one.share, one.losses, one.longest_ms if one.over_ms else None, _state(one)) for one in worse]
    return Section("gateways", (remark,), tables=(table("gateways", columns, rows, MOST),))


def _state(one: Heard) -> str:
    return "never_heard" if one.never else "heard" if one.now else "not_heard"


def _between(spells: list[tuple[int, int]], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """What of the time is in none of them."""
    edges = [start_ms, *(edge for spell in spells for edge in spell), end_ms]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
