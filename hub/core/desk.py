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

from collections.abc import Collection

from hub.core.defaults import Defaults
from hub.core.incident import Incident, State
from hub.core.io import Due, Effect, Input, Send
from hub.core.registry import Registry
from hub.core.rules.base import Verdict
from hub.core.views import Counts, GatewayView, GroupView, ZoneView
from protocol.ranges import Ranges

RULES_VERSION = "1"
"""Raised whenever a rule would judge the same inputs differently; goes into every journal entry."""


class Desk:
    """State partitioned by area and group; a step costs the same with 100 groups or 100,000.

    `verdict` says why the last step did what it did: `Duplicate`, `Ignored(reason)`, `Opens`, `Joins`, ...
    A step whose `verdict.effective` is False changed nothing and need not be journalled.
    """

    verdict: Verdict

    def __init__(self, registry: Registry, defaults: Defaults) -> None:
        raise NotImplementedError

    @property
    def config_digest(self) -> str:
        """SHA-256 over registry and defaults; with RULES_VERSION it says under what a journal entry was made."""
        raise NotImplementedError

    def begin(self) -> None:
        """Open a batch. One batch at a time."""
        raise NotImplementedError

    def step(self, item: Input, at_ms: int) -> list[Effect]:
        """Fold one input that arrived at `at_ms` (hub wall ms) and say what must be done once it is committed.

        Raises NotAllowed (NoSuchIncident among them) for a `Moved` that may not be; the batch goes on unharmed.
        """
        raise NotImplementedError

    def commit(self) -> None:
        """The journal has the batch: take it over."""
        raise NotImplementedError

    def rollback(self) -> None:
        """The journal did not take the batch: forget it, to the last byte."""
        raise NotImplementedError

    def seen(self, area: str, gateway: str, instance: str, seq: int) -> bool:
        """Whether this record was taken already, in the open batch or before; then another of it is a `Duplicate`."""
        raise NotImplementedError

    def marks(self, area: str, gateway: str) -> dict[str, Ranges]:
        """What may be receipted: committed alarm sequences per instance, declared gaps included. Copies."""
        raise NotImplementedError

    def due(self, at_ms: int) -> list[Due]:
        """Deadlines that have come, earliest first; step each as an input (they stay due until committed)."""
        raise NotImplementedError

    def next_due_ms(self) -> int | None:
        """When the next deadline comes, hub wall ms; None when there is none."""
        raise NotImplementedError

    def resume(self, at_ms: int) -> list[Send]:
        """After a restart: orders not answered and not expired, to be sent again under their own ids."""
        raise NotImplementedError

    def incident(self, area: str, incident: str) -> Incident | None:
        """One incident; None when there is none, or it was archived longer ago than the desk remembers."""
        raise NotImplementedError

    def incidents(self, area: str | None = None, states: Collection[State] | None = None) -> list[Incident]:
        """Incidents of an area (or all) in these states (or any), most urgent first, then newest."""
        raise NotImplementedError

    def group(self, area: str, group: str) -> GroupView | None:
        """One group with its open incidents and who of it is being called."""
        raise NotImplementedError

    def groups(self, area: str | None = None) -> list[GroupView]:
        """Every group of an area, or of all."""
        raise NotImplementedError

    def gateways(self, area: str | None = None) -> list[GatewayView]:
        """Every gateway with its link as the desk was told (None: never told)."""
        raise NotImplementedError

    def zones(self, area: str | None = None, gateway: str | None = None) -> list[ZoneView]:
        """Every zone with its live conditions from events; unknown while its gateway is not heard."""
        raise NotImplementedError

    def counts(self, area: str | None = None) -> Counts:
        """Live counts for the console's head line and the metrics."""
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """The whole committed state as canonical JSON: equal states give equal bytes."""
        raise NotImplementedError
