"""At the start: the desk as it was, folded again from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec
import structlog

from hub.chain import GENESIS, Broken, Entry, Head, followed
from hub.checkpoint import FORM, Checkpoint, unfit
from hub.core.desk import RULES_VERSION, Desk
from hub.core.heard import Recorded
from hub.core.io import NotAllowed
from hub.core.registry import Registry
from hub.digests import Digests, digest_of, name_of
from hub.past import input_of


@dataclass(slots=True)
class Rebuilt:
    """What the journal gave. `differing`: moves that are refused today; `left_out`: entries the desk could not take.

    `entries` were folded, after the first `skipped` of a checkpoint; `broken` is the first that does not follow in its
    chain; `last_ms` when the last was taken (hub wall); `hash` is that of the last, `heads` the ends of the chains.
    """

    skipped: int = 0
    entries: int = 0
    differing: int = 0
    left_out: int = 0
    last_ms: int = 0
    hash: bytes = GENESIS
    broken: Broken | None = None
    heads: dict[str, Head] = field(default_factory=dict)
    digests: Digests = field(default_factory=Digests)

    @property
    def n(self) -> int:
        """The number of the last entry."""
        return self.skipped + self.entries


class Readable(Protocol):
    """A journal, to be read from its beginning or from a checkpoint on."""

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every entry after the one numbered `after`, in order. Raises JournalError."""

    def hash_at(self, n: int) -> bytes | None:
        """The hash of entry `n`; None where there is none. Raises JournalError."""


Formerly: TypeAlias = Callable[[str], Registry | None]
"""The registry under which entries of a configuration were made, by its digest; None where nobody kept it."""


def forgotten(config: str) -> Registry | None:
    """Nobody kept any: every entry is judged by the registry of today."""
    return None


def rebuild(desk: Desk, journal: Readable, made: Checkpoint | None = None, formerly: Formerly = forgotten) -> Rebuilt:
    """Fold every entry, or those after a checkpoint that fits, each under the registry it was made under as far as that
    was kept: whoever moved since was called where he lived then. Raises JournalError.

    A journal somebody tampered with, or a rule that changed, must not leave a village without its hub: what cannot be
    taken is left out, loudly, and the rest stands.
    """
    found = _taken_up(desk, journal, made)
    for _ in folded(desk, journal, found, formerly):
        pass
    words = {"entries": found.entries, "differing": found.differing, "left_out": found.left_out}
    structlog.get_logger("hub.rebuild").info("rebuilt from the journal", skipped=found.skipped, **words)
    return found


def folded(
    desk: Desk, journal: Readable, found: Rebuilt, formerly: Formerly = forgotten
) -> Iterator[tuple[Entry, str]]:
    """Fold what follows on what was `found` so far, entry by entry; each comes with why it was not taken, or "".

    Raises JournalError. At its end the desk judges by its own registry again.
    """
    own = desk.registry
    try:
        yield from _each(desk, journal, found, formerly)
    finally:
        desk.under(own)


def _each(desk: Desk, journal: Readable, found: Rebuilt, formerly: Formerly) -> Iterator[tuple[Entry, str]]:
    own, own_config = desk.registry, desk.config_digest
    config = own_config
    log = structlog.get_logger("hub.rebuild")
    for entry, broken in followed(journal.entries(found.n), found.n, found.heads):
        if broken is not None and found.broken is None:
            found.broken = broken
            log.error("the journal's chain is broken", entry=str(broken))
        found.entries += 1
        found.last_ms, found.hash = max(found.last_ms, entry.at_ms), entry.hash
        if entry.config != config:
            config = entry.config
            desk.under(own if config == own_config else formerly(config) or own)
        why = ""
        desk.begin()
        try:
            _fold(desk, entry, found)
            desk.commit()
        except NotAllowed as cause:
            desk.commit()
            found.differing += 1
            why = f"refused: {cause}"
        except Exception as cause:
            desk.rollback()
            found.left_out += 1
            why = f"left out: {cause!r}"
            log.error("left out: the desk cannot take this entry", n=entry.n, kind=entry.kind, why=repr(cause))
        yield entry, why


def checkpoint(desk: Desk, found: Rebuilt) -> Checkpoint:
    """The checkpoint of a desk just rebuilt."""
    return Checkpoint(
        form=FORM,
        config=desk.config_digest,
        rules=RULES_VERSION,
        n=found.n,
        hash=found.hash,
        last_ms=found.last_ms,
        refused=found.differing,
        left_out=found.left_out,
        broken=found.broken,
        heads=list(found.heads.values()),
        digests=found.digests.items(),
        desk=desk.snapshot(),
    )


def _taken_up(desk: Desk, journal: Readable, made: Checkpoint | None) -> Rebuilt:
    """The desk as of the checkpoint; as of the beginning where there is none that fits."""
    if made is None:
        return Rebuilt()
    why = unfit(made, desk.config_digest, RULES_VERSION, journal.hash_at(made.n))
    try:
        if not why:
            desk.restore(made.desk)
    except msgspec.ValidationError as cause:
        why = str(cause)
    if why:
        structlog.get_logger("hub.rebuild").warning("the checkpoint is left aside", n=made.n, why=why)
        return Rebuilt()
    return Rebuilt(
        skipped=made.n,
        differing=made.refused,
        left_out=made.left_out,
        last_ms=made.last_ms,
        hash=made.hash,
        broken=made.broken,
        heads={head.area: head for head in made.heads},
        digests=Digests(dict(made.digests)),
    )


def _fold(desk: Desk, entry: Entry, found: Rebuilt) -> None:
    taken = input_of(entry)
    desk.step(taken, entry.at_ms, replayed=True)
    if isinstance(taken, Recorded):
        found.digests.remember({name_of(taken): digest_of(taken.event)})
