"""What is live in a zone: each kind's newest beginning and newest end, and which of two records happened after."""

from __future__ import annotations

import msgspec


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A beginning or an end: when, by which record, in which process of its gateway; `earliest_ms` and `latest_ms`
    where that time is not sure."""

    at_ms: int
    by: str = ""
    boot: int = 0
    earliest_ms: int | None = None
    latest_ms: int | None = None


class Live(msgspec.Struct, frozen=True):
    """A zone's newest beginning and newest end of one kind. It is live unless the end is newer."""

    began: Told | None = None
    ended: Told | None = None

    @property
    def live(self) -> bool:
        return self.began is not None and (self.ended is None or after(self.began, self.ended))


def after(one: Told, other: Told) -> bool:
    """Whether a record ("gateway/instance/seq") happened after another. Of two of one process their numbers decide,
    since a message that was long under way stands later on the hub's axis than it happened; where times are not sure
    enough to tell, the order of their gateway's processes."""
    (source, _, seq), (other_source, _, other_seq) = one.by.rpartition("/"), other.by.rpartition("/")
    if source and source == other_source and seq.isdecimal() and other_seq.isdecimal():
        return int(seq) > int(other_seq)
    unsure = _earliest_ms(one) <= _latest_ms(other) and _earliest_ms(other) <= _latest_ms(one)
    unsure &= one.latest_ms is not None or other.latest_ms is not None
    if unsure and source.split("/")[0] == other_source.split("/")[0] and one.boot != other.boot:
        return one.boot > other.boot
    return one.at_ms > other.at_ms


def _earliest_ms(told: Told) -> int:
    return told.at_ms if told.latest_ms is None else told.earliest_ms or 0


def _latest_ms(told: Told) -> int:
    return told.at_ms if told.latest_ms is None else told.latest_ms
