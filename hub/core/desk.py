"""The desk: one fold from committed inputs to incidents and what must be done about them.

The shell's round, for a batch of inputs:

    desk.begin()
    effects = [effect for item in batch for effect in desk.step(item, at_ms)]   # sees its own changes
    ... write the inputs whose `desk.verdict.effective` to the journal ...
    desk.commit()      # or desk.rollback(): the state is exactly as before begin()
    ... perform the effects, send receipts from desk.marks() ...

Views, `marks`, `due`, `next_due_ms` and `resume` show committed state only, so they may be read at any time.
Replaying the journalled inputs, each with the at_ms it was stepped with, rebuilds the same `snapshot()`.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from hub.core import drilling, loading
from hub.core.committed import Committed
from hub.core.context import Context
from hub.core.defaults import Defaults
from hub.core.effects import Effect
from hub.core.fold import folded
from hub.core.io import Input
from hub.core.registry import Registry
from hub.core.rules.base import Ignored, Verdict
from hub.core.wiring import Wiring

RULES_VERSION = "4"
"""Raised whenever a rule would judge the same inputs differently; goes into every journal entry."""


def config_digest(registry: str, defaults: Defaults) -> str:
    """The configuration of a desk, by its registry's digest."""
    limits = msgspec.json.encode(defaults, order="sorted")
    return sha256(registry.encode() + limits).hexdigest()


class Desk(Committed):
    """State partitioned by area and group; a step costs the same with 100 groups or 100,000.

    `verdict` says why the last step did what it did: `Duplicate`, `Ignored(reason)`, `Opens`, `Joins`, ...
    A step whose `verdict.effective` is False changed nothing and need not be journalled.
    """

    def __init__(self, registry: Registry, defaults: Defaults) -> None:
        super().__init__(registry, defaults)
        self._wiring = Wiring(registry)
        self._open = False
        self._next: Registry | None = None
        self._config = self._next_config = config_digest(registry.digest, defaults)
        self.verdict: Verdict = Ignored("nothing came yet", effective=False)

    @property
    def config_digest(self) -> str:
        """SHA-256 over registry (in a batch its own) and defaults; with RULES_VERSION it says under what an entry of
        the journal was made."""
        return self._config if self._next is None else self._next_config

    @property
    def registry(self) -> Registry:
        """By what it judges just now."""
        return self._registry

    def under(self, registry: Registry) -> None:
        """Judge what is stepped from now on by this registry: another, or that of an entry that is folded again. What
        was done before stays as it was: who was called then is stood down, not who would be called today."""
        assert not self._open, "another registry between batches"
        self._registry, self._wiring = registry, Wiring(registry)
        self._config = config_digest(registry.digest, self._defaults)

    @property
    def in_batch(self) -> bool:
        """Whether a batch is open: stepped, and not yet committed or rolled back."""
        return self._open

    def begin(self, registry: Registry | None = None) -> None:
        """Open a batch. One batch at a time. With a `registry`, it is judged by that one, and so is whatever comes
        after its commit; a rollback leaves the one there was."""
        assert not self._open, "one batch at a time"
        self._open, self._next = True, registry
        if registry is not None:
            self._next_config = config_digest(registry.digest, self._defaults)

    def step(self, item: Input, at_ms: int, *, replayed: bool = False) -> list[Effect]:
        """Fold one input that arrived at `at_ms` (hub wall ms) and say what must be done once it is committed.

        `replayed` inputs come from the journal: what left the registry since is borne with, so that no incident of a
        household is lost because the household moved away.
        Raises NotAllowed (NoSuchIncident among them) for a `Moved` that may not be; the batch goes on unharmed.
        """
        assert self._open, "begin a batch first"
        registry, wiring = self._registry, self._wiring
        if self._next is not None:
            registry, wiring = self._next, Wiring(self._next)
        ctx = Context(registry, self._defaults, self._tables, wiring, item.area, at_ms, replayed=replayed)
        self.verdict = folded(ctx, item)
        drilling.attend(ctx)
        loading.settle(ctx)
        return ctx.done()

    def commit(self) -> None:
        """The journal has the batch: take it over."""
        self._tables.commit()
        registry, self._open, self._next = self._next, False, None
        if registry is not None:
            self.under(registry)

    def rollback(self) -> None:
        """The journal did not take the batch: forget it, to the last byte."""
        self._tables.rollback()
        self._open, self._next = False, None

    def seen(self, area: str, gateway: str, instance: str, seq: int) -> bool:
        """Whether this record was taken already, in the open batch or before; then another of it is a `Duplicate`."""
        known = self._tables.seen.get((area, gateway, instance))
        return known is not None and seq in known

    def restore(self, snapshot: bytes) -> None:
        """Take over a snapshot instead of replaying from the beginning; premises that left the registry since are
        borne with. Raises msgspec.ValidationError for what is no snapshot, and then nothing changed."""
        assert not self._open, "restore between batches"
        self._tables.load(snapshot)
